# Keys are regional: what is copied to the other region is encrypted there with that region's own.
resource "aws_kms_key" "this" {
  for_each                = toset(["databases", "objects", "secrets"])
  description             = "meqenet ${each.key}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_kms_alias" "this" {
  for_each      = aws_kms_key.this
  name          = "alias/meqenet-${each.key}"
  target_key_id = each.value.key_id
}
