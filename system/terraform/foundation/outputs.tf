output "vpc" { value = aws_vpc.this.id }
output "private_subnets" { value = [for zone in var.zones : aws_subnet.private[zone].id] }
output "public_subnets" { value = [for zone in var.zones : aws_subnet.public[zone].id] }
output "security_groups" { value = { for name, group in aws_security_group.this : name => group.id } }
output "keys" { value = { for name, key in aws_kms_key.this : name => key.arn } }
output "documents_bucket" { value = aws_s3_bucket.documents.id }
output "documents_bucket_arn" { value = aws_s3_bucket.documents.arn }
output "status_host" { value = one(aws_s3_bucket.status[*].bucket_regional_domain_name) }
