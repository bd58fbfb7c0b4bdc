# The edge of a region: certificate, load balancer over all zones, and a target group for each service, to which the
# controller in the cluster registers its pods by their addresses (TargetGroupBinding).
locals {
  services = {
    auth          = { priority = 10, paths = ["/auth/*"] }
    users         = { priority = 20, paths = ["/users/*"] }
    payments      = { priority = 30, paths = ["/payments", "/payments/*"] }
    documents     = { priority = 40, paths = ["/documents/*"] }
    notifications = { priority = 50, paths = ["/notifications"] }
  }
}

resource "aws_acm_certificate" "this" {
  domain_name       = "api.${var.domain}"
  validation_method = "DNS"
  lifecycle { create_before_destroy = true }
}

resource "aws_lb" "this" {
  name               = "meqenet"
  load_balancer_type = "application"
  security_groups    = [local.here.security_groups.edge]
  subnets            = local.here.public_subnets
}

resource "aws_lb_target_group" "service" {
  for_each             = local.services
  name                 = each.key
  vpc_id               = local.here.vpc
  target_type          = "ip"
  port                 = 8080
  protocol             = "HTTP"
  deregistration_delay = 30
  health_check {
    path                = "/readyz"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = aws_acm_certificate.this.arn
  default_action {
    type = "fixed-response"
    fixed_response {
      content_type = "application/json"
      message_body = jsonencode({ error = "there is nothing here" })
      status_code  = "404"
    }
  }
}

resource "aws_lb_listener_rule" "service" {
  for_each     = local.services
  listener_arn = aws_lb_listener.https.arn
  priority     = each.value.priority
  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.service[each.key].arn
  }
  condition {
    path_pattern { values = each.value.paths }
  }
}

# What monitoring asks: whether the region can take payments.
resource "aws_lb_listener_rule" "monitoring" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 1
  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.service["payments"].arn
  }
  condition {
    path_pattern { values = ["/healthz", "/readyz"] }
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"
  default_action {
    type = "redirect"
    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}
