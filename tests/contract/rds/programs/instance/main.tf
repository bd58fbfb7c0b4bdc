# A database as a company describes it. No endpoint is set and no check of the provider is skipped.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {}

variable "instance_class" {
  default = "db.r6g.large"
}

variable "multi_az" {
  default = true
}

variable "team" {
  default = "shop"
}

variable "work_mem" {
  default = "5000"
}

resource "aws_db_parameter_group" "shop" {
  name   = "tf-shop"
  family = "postgres18"

  parameter {
    name  = "work_mem"
    value = var.work_mem
  }

  parameter {
    name         = "max_connections"
    value        = "150"
    apply_method = "pending-reboot"
  }
}

resource "aws_db_subnet_group" "shop" {
  name       = "tf-shop"
  subnet_ids = ["subnet-0a1b2c3d4e5f60718", "subnet-1a2b3c4d5e6f70819"]
  tags       = { team = var.team }
}

resource "aws_db_instance" "shop" {
  identifier           = "tf-shop"
  engine               = "postgres"
  engine_version       = "18"
  instance_class       = var.instance_class
  allocated_storage    = 20
  db_name              = "shop"
  username             = "owner"
  password             = "correct-horse-battery"
  multi_az             = var.multi_az
  parameter_group_name = aws_db_parameter_group.shop.name
  db_subnet_group_name = aws_db_subnet_group.shop.name
  tags                 = { team = var.team }
  apply_immediately    = true
  skip_final_snapshot  = true
}

output "address" {
  value = aws_db_instance.shop.address
}
