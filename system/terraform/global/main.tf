# Names: the one place that knows both regions. Changing who serves is the runbook's act, by a weight or by the object of
# the switch: never a plan's.
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

variable "primary_region" {
  description = "The region that writes until a failover names another one."
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

data "terraform_remote_state" "recovery_foundation" {
  backend = "s3"
  config  = { bucket = var.state_bucket, key = "foundation/recovery", region = var.state_region }
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

# The switch that needs no control plane. As long as the object is not in the bucket of the recovery region, the check
# fails, which inverted is healthy. Storing it (S3) takes the primary region's record out, and Route 53's data plane
# leads users to the recovery region: "How Amazon Route 53 chooses records when health checking is configured" of the
# developer guide has records of weight 0 answer when no other one is healthy. The bucket's regional host name, because a
# redirect would count as healthy. A new check counts as failing, inverted, until it was looked at three times: for half
# a minute users are led to the recovery region.
resource "aws_route53_health_check" "switch" {
  fqdn               = data.terraform_remote_state.recovery_foundation.outputs.status_host
  type               = "HTTPS"
  port               = 443
  resource_path      = "/failover-switch"
  request_interval   = 10
  failure_threshold  = 3
  invert_healthcheck = true
  tags               = { Name = "switch" }
}

resource "aws_route53_record" "api" {
  for_each       = local.regions
  zone_id        = aws_route53_zone.public.zone_id
  name           = "api.${var.domain}"
  type           = "A"
  set_identifier = each.key
  weighted_routing_policy { weight = each.key == "primary" ? 100 : 0 }
  health_check_id = each.key == "primary" ? aws_route53_health_check.switch.id : null
  alias {
    name                   = each.value.load_balancer.name
    zone_id                = each.value.load_balancer.zone
    evaluate_target_health = false
  }
  lifecycle { ignore_changes = [weighted_routing_policy] }
}

# Each region's own edge, whichever serves: who looks at both needs neither Route 53's API nor the lost region's.
resource "aws_route53_record" "edge" {
  for_each = local.regions
  zone_id  = aws_route53_zone.public.zone_id
  name     = "api.${each.key}.${var.domain}"
  type     = "A"
  alias {
    name                   = each.value.load_balancer.name
    zone_id                = each.value.load_balancer.zone
    evaluate_target_health = false
  }
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

# Which region may write: the second copy of the object `writer`, whose first one is in the recovery region's status
# bucket. Here, because this is a region of neither: services that reach neither copy are cut off, and cease to write.
resource "aws_s3_bucket" "writer" {
  bucket = "meqenet-writer"
}

resource "aws_s3_bucket_public_access_block" "writer" {
  bucket                  = aws_s3_bucket.writer.id
  block_public_acls       = true
  block_public_policy     = false
  ignore_public_acls      = true
  restrict_public_buckets = false
}

# Everybody reads. Whoever may store here may take a region's writes away.
resource "aws_s3_bucket_policy" "writer" {
  bucket = aws_s3_bucket_public_access_block.writer.bucket
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = "*"
      Action    = "s3:GetObject"
      Resource  = "${aws_s3_bucket.writer.arn}/*"
    }]
  })
}

# From the start, as an absent one lets nobody write. Naming another region is the runbook's act: no plan takes it back.
resource "aws_s3_object" "writer" {
  bucket        = aws_s3_bucket.writer.id
  key           = "writer"
  content       = "${jsonencode({ region = var.primary_region })}\n"
  content_type  = "application/json"
  cache_control = "no-store"
  lifecycle { ignore_changes = all }
}
