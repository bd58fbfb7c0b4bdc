# Documents go from the primary region's bucket to the recovery region's; after failback the same way again.
resource "aws_iam_role" "replication" {
  count              = local.primary ? 1 : 0
  name               = "meqenet-replication-${var.region}"
  assume_role_policy = data.aws_iam_policy_document.assume["s3"].json
}

resource "aws_s3_bucket_replication_configuration" "documents" {
  count  = local.primary ? 1 : 0
  bucket = local.here.documents_bucket
  role   = aws_iam_role.replication[0].arn
  rule {
    id       = "documents"
    status   = "Enabled"
    priority = 0
    filter {}
    delete_marker_replication { status = "Enabled" }
    source_selection_criteria {
      sse_kms_encrypted_objects { status = "Enabled" }
    }
    destination {
      bucket        = local.there.documents_bucket_arn
      storage_class = "STANDARD"
      encryption_configuration { replica_kms_key_id = local.there.keys.objects }
      metrics {
        status = "Enabled"
        event_threshold { minutes = 15 }
      }
      replication_time {
        status = "Enabled"
        time { minutes = 15 }
      }
    }
  }
}
