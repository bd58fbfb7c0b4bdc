# What runs in a region: clusters, databases, caches, the edge, and what replicates the stores to the other region.
# Applied once a region: the primary one first, whose database the recovery region's replica follows.
terraform {
  required_version = ">= 1.10"
  required_providers {
    aws = { source = "hashicorp/aws", version = ">= 5.90, < 7.0" }
  }
  backend "s3" {}
}

provider "aws" {
  region = var.region
  default_tags { tags = { company = "meqenet", root = "platform", role = var.role } }
}

# State of the regions' foundations: read from the bucket in the recovery region, which outlives the primary one.
data "terraform_remote_state" "foundation" {
  backend = "s3"
  config  = { bucket = var.state_bucket, key = "foundation/${var.role}", region = var.state_region }
}

data "terraform_remote_state" "other_foundation" {
  backend = "s3"
  config  = { bucket = var.state_bucket, key = "foundation/${local.other}", region = var.state_region }
}

data "aws_caller_identity" "this" {}

locals {
  here      = data.terraform_remote_state.foundation.outputs
  there     = data.terraform_remote_state.other_foundation.outputs
  primary   = var.role == "primary"
  other     = local.primary ? "recovery" : "primary"
  account   = data.aws_caller_identity.this.account_id
  capacity  = var.capacities[var.capacity]
  databases = { payments = { storage = 100 }, users = { storage = 50 } }
}
