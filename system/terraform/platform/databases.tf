# PostgreSQL: in the primary region with a standby in another zone, in the recovery region as read replicas of those.
resource "aws_db_subnet_group" "this" {
  name       = "meqenet"
  subnet_ids = local.here.private_subnets
}

resource "aws_db_instance" "primary" {
  for_each                = local.primary ? local.databases : {}
  identifier              = each.key
  engine                  = "postgres"
  engine_version          = "18"
  instance_class          = local.capacity.database_class
  allocated_storage       = each.value.storage
  storage_encrypted       = true
  kms_key_id              = local.here.keys.databases
  multi_az                = local.capacity.multi_az
  db_name                 = each.key
  username                = "${each.key}_app"
  password                = var.database_password
  db_subnet_group_name    = aws_db_subnet_group.this.name
  vpc_security_group_ids  = [local.here.security_groups.stores]
  backup_retention_period = 7
  apply_immediately       = true
  skip_final_snapshot     = true
  tags                    = { "data-class" = each.key == "payments" ? "core_financial" : "other" }
}

# Promoted, an instance has no source any more. The runbook promotes, never Terraform: so its source is ignored here.
resource "aws_db_instance" "replica" {
  for_each               = local.primary ? {} : local.databases
  identifier             = "${each.key}-recovery"
  replicate_source_db    = "arn:aws:rds:${var.other_region}:${local.account}:db:${each.key}"
  instance_class         = local.capacity.database_class
  storage_encrypted      = true
  kms_key_id             = local.here.keys.databases
  multi_az               = local.capacity.multi_az
  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [local.here.security_groups.stores]
  apply_immediately      = true
  skip_final_snapshot    = true
  lifecycle { ignore_changes = [replicate_source_db] }
}
