# A cache as a company describes it. No endpoint is set and no check of the provider is skipped.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {}

variable "nodes" {
  default = 2
}

variable "policy" {
  default = "allkeys-lru"
}

variable "team" {
  default = "shop"
}

data "aws_subnets" "default" {
  filter {
    name   = "default-for-az"
    values = ["true"]
  }
}

resource "aws_elasticache_subnet_group" "sessions" {
  name       = "tf-sessions"
  subnet_ids = data.aws_subnets.default.ids
  tags       = { team = var.team }
}

resource "aws_elasticache_parameter_group" "sessions" {
  name   = "tf-sessions"
  family = "valkey8"

  parameter {
    name  = "maxmemory-policy"
    value = var.policy
  }
}

resource "aws_elasticache_replication_group" "sessions" {
  replication_group_id       = "tf-sessions"
  description                = "Sessions of the shop"
  engine                     = "valkey"
  engine_version             = "8.0"
  node_type                  = "cache.t4g.micro"
  num_cache_clusters         = var.nodes
  automatic_failover_enabled = true
  multi_az_enabled           = true
  at_rest_encryption_enabled = true
  apply_immediately          = true
  parameter_group_name       = aws_elasticache_parameter_group.sessions.name
  subnet_group_name          = aws_elasticache_subnet_group.sessions.name
  tags                       = { team = var.team }
}

output "address" {
  value = aws_elasticache_replication_group.sessions.primary_endpoint_address
}
