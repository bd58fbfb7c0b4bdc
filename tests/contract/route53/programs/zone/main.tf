# A zone as a company describes it. No endpoint is set and no check of the provider is skipped.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {}

variable "near" {
  default = 100
}

variable "comment" {
  default = "the shop's"
}

variable "threshold" {
  default = 3
}

resource "aws_route53_zone" "shop" {
  name    = "tf-shop.example"
  comment = var.comment
  tags    = { team = "shop" }
}

resource "aws_route53_health_check" "near" {
  type              = "HTTPS_STR_MATCH"
  fqdn              = "near.tf-shop.example"
  port              = 443
  resource_path     = "/health"
  search_string     = "well"
  failure_threshold = var.threshold
  request_interval  = 30
  disabled          = true # counts as healthy: nobody serves this name
  tags              = { Name = "near" }
}

resource "aws_route53_health_check" "all" {
  type                   = "CALCULATED"
  child_healthchecks     = [aws_route53_health_check.near.id]
  child_health_threshold = 1
}

resource "aws_route53_record" "near" {
  zone_id         = aws_route53_zone.shop.zone_id
  name            = "api"
  type            = "A"
  ttl             = 30
  records         = ["192.0.2.1"]
  set_identifier  = "near"
  health_check_id = aws_route53_health_check.near.id

  weighted_routing_policy {
    weight = var.near
  }
}

resource "aws_route53_record" "far" {
  zone_id        = aws_route53_zone.shop.zone_id
  name           = "api"
  type           = "A"
  ttl            = 30
  records        = ["192.0.2.2"]
  set_identifier = "far"

  weighted_routing_policy {
    weight = 100 - var.near
  }
}

resource "aws_route53_record" "star" {
  zone_id = aws_route53_zone.shop.zone_id
  name    = "*.tf-shop.example"
  type    = "CNAME"
  ttl     = 60
  records = ["www.tf-shop.example"]
}

resource "aws_route53_record" "apex" {
  zone_id = aws_route53_zone.shop.zone_id
  name    = "tf-shop.example"
  type    = "A"

  alias {
    name                   = aws_route53_record.www.fqdn
    zone_id                = aws_route53_zone.shop.zone_id
    evaluate_target_health = true
  }
}

resource "aws_route53_record" "www" {
  zone_id = aws_route53_zone.shop.zone_id
  name    = "www"
  type    = "A"
  ttl     = 60
  records = ["192.0.2.9"]
}

resource "aws_route53_record" "text" {
  zone_id = aws_route53_zone.shop.zone_id
  name    = "tf-shop.example"
  type    = "TXT"
  ttl     = 300
  records = ["v=spf1 -all", "other"]
}

output "zone" {
  value = aws_route53_zone.shop.zone_id
}
