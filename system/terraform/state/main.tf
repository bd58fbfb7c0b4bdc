# The bucket that keeps the state of all other roots. It stands in the recovery region: after the loss of the primary
# region nothing could be changed by Terraform otherwise. Its own state is small enough to be made again by import.
terraform {
  required_version = ">= 1.10"
  required_providers {
    aws = { source = "hashicorp/aws", version = ">= 5.90, < 7.0" }
  }
}

variable "region" {
  description = "The recovery region."
  type        = string
}

variable "bucket" {
  description = "The name of the bucket."
  type        = string
}

provider "aws" {
  region = var.region
}

resource "aws_s3_bucket" "state" {
  bucket = var.bucket
}

resource "aws_s3_bucket_versioning" "state" {
  bucket = aws_s3_bucket.state.id
  versioning_configuration { status = "Enabled" }
}

resource "aws_s3_bucket_public_access_block" "state" {
  bucket                  = aws_s3_bucket.state.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}
