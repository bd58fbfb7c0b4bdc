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

data "aws_availability_zones" "all" {}

resource "aws_vpc" "shop" {
  cidr_block = "10.20.0.0/16"
}

resource "aws_subnet" "shop" {
  count             = 2
  vpc_id            = aws_vpc.shop.id
  cidr_block        = cidrsubnet(aws_vpc.shop.cidr_block, 8, count.index)
  availability_zone = data.aws_availability_zones.all.names[count.index]
}

resource "aws_db_subnet_group" "shop" {
  name       = "tf-shop"
  subnet_ids = aws_subnet.shop[*].id
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
