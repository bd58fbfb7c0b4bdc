output "load_balancer" { value = { name = aws_lb.this.dns_name, zone = aws_lb.this.zone_id } }
output "target_groups" { value = { for name, group in aws_lb_target_group.service : name => group.arn } }
output "cluster" { value = aws_eks_cluster.this.name }
output "databases" {
  value = { for name, one in merge(aws_db_instance.primary, aws_db_instance.replica) : name => one.address }
}
output "sessions" { value = aws_elasticache_replication_group.sessions.primary_endpoint_address }
