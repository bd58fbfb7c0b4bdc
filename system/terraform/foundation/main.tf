# What a region has before anything runs in it: its network, its keys, its buckets. Applied once a region.
terraform {
  required_version = ">= 1.10"
  required_providers {
    aws = { source = "hashicorp/aws", version = ">= 5.90, < 7.0" }
  }
  backend "s3" {}
}

provider "aws" {
  region = var.region
  default_tags { tags = { company = "meqenet", root = "foundation", role = var.role } }
}

variable "region" {
  description = "The region that this is applied to."
  type        = string
}

variable "role" {
  description = "What the region is in the disaster recovery plan."
  type        = string
  validation {
    condition     = contains(["primary", "recovery"], var.role)
    error_message = "The role is primary or recovery."
  }
}

variable "primary_region" {
  description = "The region that writes until a failover names another one."
  type        = string
}

variable "network" {
  description = "The range of the region's addresses."
  type        = string
}

variable "zones" {
  description = "The availability zones in use."
  type        = list(string)
}

locals {
  account = data.aws_caller_identity.this.account_id
}

data "aws_caller_identity" "this" {}
