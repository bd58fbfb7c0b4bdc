# Names: the one place that knows both regions. Changing who serves is the runbook's act, by a weight: never a plan's.
terraform {
  required_version = ">= 1.10"
  required_providers {
    aws = { source = "hashicorp/aws", version = ">= 5.90, < 7.0" }
  }
  backend "s3" {}
}

provider "aws" {
  region = "us-east-1" # where Route 53's control plane is
  default_tags { tags = { company = "meqenet", root = "global" } }
}

variable "state_bucket" {
  description = "The bucket with the state of all roots."
  type        = string
}

variable "state_region" {
  description = "The region of that bucket."
  type        = string
}

variable "domain" {
  description = "The company's public domain."
  type        = string
}

data "terraform_remote_state" "platform" {
  for_each = toset(["primary", "recovery"])
  backend  = "s3"
  config   = { bucket = var.state_bucket, key = "platform/${each.key}", region = var.state_region }
}

locals {
  regions = { for role, state in data.terraform_remote_state.platform : role => state.outputs }
  stores  = { for name, address in local.regions["primary"].databases : "${name}-database" => address }
  # What stands in each region, whichever serves: services find the stores of their own region so.
  regional = merge([
    for role, outputs in local.regions : merge(
      { for name, address in outputs.databases : "${name}-database.${role}" => address },
      { "sessions.${role}" = outputs.sessions },
    )
  ]...)
}

resource "aws_route53_zone" "public" {
  name = var.domain
}

# What monitoring sees of each region from outside.
resource "aws_route53_health_check" "region" {
  for_each          = local.regions
  fqdn              = each.value.load_balancer.name
  type              = "HTTPS"
  port              = 443
  resource_path     = "/readyz"
  request_interval  = 10
  failure_threshold = 3
  tags              = { Name = each.key }
}

resource "aws_route53_record" "api" {
  for_each       = local.regions
  zone_id        = aws_route53_zone.public.zone_id
  name           = "api.${var.domain}"
  type           = "A"
  set_identifier = each.key
  weighted_routing_policy { weight = each.key == "primary" ? 100 : 0 }
  alias {
    name                   = each.value.load_balancer.name
    zone_id                = each.value.load_balancer.zone
    evaluate_target_health = false
  }
  lifecycle { ignore_changes = [weighted_routing_policy] }
}

# The company's own names of its databases: after a disaster they lead elsewhere.
resource "aws_route53_zone" "internal" {
  name = "meqenet.internal"
}

resource "aws_route53_record" "store" {
  for_each = local.stores
  zone_id  = aws_route53_zone.internal.zone_id
  name     = "${each.key}.meqenet.internal"
  type     = "CNAME"
  ttl      = 5
  records  = [each.value]
  lifecycle { ignore_changes = [records] }
}

resource "aws_route53_record" "regional" {
  for_each = local.regional
  zone_id  = aws_route53_zone.internal.zone_id
  name     = "${each.key}.meqenet.internal"
  type     = "CNAME"
  ttl      = 5
  records  = [each.value]
}
