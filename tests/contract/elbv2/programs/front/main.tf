terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region = "eu-west-1"
}

variable "matcher" {
  type    = string
  default = "200"
}

variable "idle_timeout" {
  type    = number
  default = 60
}

data "aws_vpc" "default" {
  default = true
}

data "aws_subnets" "default" {
  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.default.id]
  }
}

resource "aws_lb" "front" {
  name               = "tf-front"
  load_balancer_type = "application"
  subnets            = data.aws_subnets.default.ids
  idle_timeout       = var.idle_timeout
  tags               = { team = "shop" }
}

resource "aws_lb_target_group" "shop" {
  name                 = "tf-shop"
  port                 = 8080
  protocol             = "HTTP"
  target_type          = "ip"
  vpc_id               = data.aws_vpc.default.id
  deregistration_delay = 5

  health_check {
    path     = "/health"
    interval = 5
    timeout  = 2
    matcher  = var.matcher
  }
}

resource "aws_lb_target_group_attachment" "shop" {
  target_group_arn = aws_lb_target_group.shop.arn
  target_id        = "10.20.0.200"
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.front.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.shop.arn
  }
}

resource "aws_lb_listener_rule" "closed" {
  listener_arn = aws_lb_listener.http.arn
  priority     = 10

  action {
    type = "fixed-response"
    fixed_response {
      content_type = "application/json"
      message_body = "{}"
      status_code  = "503"
    }
  }

  condition {
    path_pattern {
      values = ["/closed/*"]
    }
  }
}

resource "aws_apigatewayv2_api" "api" {
  name          = "tf-api"
  protocol_type = "HTTP"
  tags          = { team = "shop" }
}

resource "aws_apigatewayv2_vpc_link" "link" {
  name               = "tf-link"
  security_group_ids = []
  subnet_ids         = data.aws_subnets.default.ids
}

resource "aws_apigatewayv2_integration" "shop" {
  api_id             = aws_apigatewayv2_api.api.id
  integration_type   = "HTTP_PROXY"
  integration_uri    = aws_lb_listener.http.arn
  integration_method = "ANY"
  connection_type    = "VPC_LINK"
  connection_id      = aws_apigatewayv2_vpc_link.link.id
}

resource "aws_apigatewayv2_route" "all" {
  api_id    = aws_apigatewayv2_api.api.id
  route_key = "ANY /{proxy+}"
  target    = "integrations/${aws_apigatewayv2_integration.shop.id}"
}

resource "aws_apigatewayv2_stage" "default" {
  api_id      = aws_apigatewayv2_api.api.id
  name        = "$default"
  auto_deploy = true
}

output "endpoint" {
  value = aws_apigatewayv2_api.api.api_endpoint
}
