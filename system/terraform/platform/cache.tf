# Sessions: lost with the region, by the plan. Within a region a replica takes over.
resource "aws_elasticache_subnet_group" "this" {
  name       = "meqenet"
  subnet_ids = local.here.private_subnets
}

resource "aws_elasticache_replication_group" "sessions" {
  replication_group_id       = "sessions"
  description                = "Sessions of users"
  engine                     = "valkey"
  engine_version             = "8.0"
  node_type                  = local.capacity.cache_type
  num_cache_clusters         = local.capacity.cache_nodes
  automatic_failover_enabled = local.capacity.cache_nodes > 1
  multi_az_enabled           = local.capacity.cache_nodes > 1
  subnet_group_name          = aws_elasticache_subnet_group.this.name
  security_group_ids         = [local.here.security_groups.stores]
  apply_immediately          = true
}
