# What services need to know, kept in the primary region and replicated by AWS: the recovery region reads its own copy.
resource "aws_secretsmanager_secret" "databases" {
  for_each                = local.primary ? local.databases : {}
  name                    = "meqenet/${each.key}-database"
  kms_key_id              = local.here.keys.secrets
  recovery_window_in_days = 7
  replica {
    region     = var.other_region
    kms_key_id = local.there.keys.secrets
  }
}

resource "aws_secretsmanager_secret_version" "databases" {
  for_each      = aws_secretsmanager_secret.databases
  secret_id     = each.value.id
  secret_string = jsonencode({ username = "${each.key}_app", password = var.database_password })
}

# The last known limits of autoscaling in production, kept outside the primary region: the runbook restores them.
resource "aws_ssm_parameter" "autoscaling" {
  count = local.primary ? 0 : 1
  name  = "/meqenet/production/autoscaling"
  type  = "String"
  value = jsonencode(var.capacities["production"].nodes)
  lifecycle { ignore_changes = [value] }
}
