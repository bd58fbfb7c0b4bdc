# Documents that are kept in two regions. No endpoint is set and no check of the provider is skipped.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "first" {}

variable "second" {}

variable "prefix" {
  default = "books/"
}

variable "markers" {
  default = "Enabled"
}

provider "aws" {
  region = var.first
}

provider "aws" {
  alias  = "second"
  region = var.second
}

resource "aws_s3_bucket" "documents" {
  bucket        = "tf-documents"
  force_destroy = true
}

resource "aws_s3_bucket_versioning" "documents" {
  bucket = aws_s3_bucket.documents.id
  versioning_configuration { status = "Enabled" }
}

resource "aws_s3_bucket" "replica" {
  provider      = aws.second
  bucket        = "tf-replica"
  force_destroy = true
}

resource "aws_s3_bucket_versioning" "replica" {
  provider = aws.second
  bucket   = aws_s3_bucket.replica.id
  versioning_configuration { status = "Enabled" }
}

data "aws_iam_policy_document" "by_s3" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["s3.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "replication" {
  name               = "tf-replication"
  assume_role_policy = data.aws_iam_policy_document.by_s3.json
}

resource "aws_s3_bucket_replication_configuration" "documents" {
  bucket     = aws_s3_bucket_versioning.documents.bucket
  role       = aws_iam_role.replication.arn
  depends_on = [aws_s3_bucket_versioning.replica]

  rule {
    id       = "documents"
    status   = "Enabled"
    priority = 1
    filter { prefix = var.prefix }
    delete_marker_replication { status = var.markers }
    destination {
      bucket        = aws_s3_bucket.replica.arn
      storage_class = "STANDARD_IA"
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
