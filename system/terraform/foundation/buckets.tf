# Documents (KYC): versioned in both regions. What replicates them is in `platform`: it needs both buckets.
resource "aws_s3_bucket" "documents" {
  bucket = "meqenet-documents-${var.region}-${local.account}"
}

resource "aws_s3_bucket_versioning" "documents" {
  bucket = aws_s3_bucket.documents.id
  versioning_configuration { status = "Enabled" }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "documents" {
  bucket = aws_s3_bucket.documents.id
  rule {
    bucket_key_enabled = true
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.this["objects"].arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "documents" {
  bucket                  = aws_s3_bucket.documents.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# The status page, and the object by which users are led here without Route 53's API (root `global`). In the recovery
# region alone, made beforehand: on the day nothing has to be made, objects are stored, which is S3's data plane.
resource "aws_s3_bucket" "status" {
  count  = var.role == "recovery" ? 1 : 0
  bucket = "meqenet-status"
}

resource "aws_s3_bucket_public_access_block" "status" {
  count                   = length(aws_s3_bucket.status)
  bucket                  = aws_s3_bucket.status[0].id
  block_public_acls       = true
  block_public_policy     = false
  ignore_public_acls      = true
  restrict_public_buckets = false
}

# Everybody reads, Route 53's health checkers too. Whoever may store here may move all users.
resource "aws_s3_bucket_policy" "status" {
  count  = length(aws_s3_bucket.status)
  bucket = aws_s3_bucket_public_access_block.status[0].bucket
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = "*"
      Action    = "s3:GetObject"
      Resource  = "${aws_s3_bucket.status[0].arn}/*"
    }]
  })
}

# Which region may write (its other copy: root `global`). Here from the start, as an absent one lets nobody write. Naming
# another region is the runbook's act: no plan takes that back, nor the tags that are lost with it.
resource "aws_s3_object" "writer" {
  count         = length(aws_s3_bucket.status)
  bucket        = aws_s3_bucket.status[0].id
  key           = "writer"
  content       = "${jsonencode({ region = var.primary_region })}\n"
  content_type  = "application/json"
  cache_control = "no-store"
  lifecycle { ignore_changes = all }
}
