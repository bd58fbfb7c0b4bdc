# A database with a read replica and a snapshot. Without a source the replica is an instance of its own: promoted.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {}

variable "promoted" {
  default = false
}

resource "aws_db_instance" "source" {
  identifier                = "tf-source"
  engine                    = "postgres"
  engine_version            = "18"
  instance_class            = "db.r6g.large"
  allocated_storage         = 20
  db_name                   = "shop"
  username                  = "owner"
  password                  = "correct-horse-battery"
  backup_retention_period   = 1
  apply_immediately         = true
  final_snapshot_identifier = "tf-final"
}

resource "aws_db_snapshot" "before" {
  db_instance_identifier = aws_db_instance.source.identifier
  db_snapshot_identifier = "tf-before"
  tags                   = { why = "before" }
}

resource "aws_db_instance" "replica" {
  identifier          = "tf-replica"
  replicate_source_db = var.promoted ? null : aws_db_instance.source.identifier
  instance_class      = "db.r6g.large"
  apply_immediately   = true
  skip_final_snapshot = true
  depends_on          = [aws_db_snapshot.before] # an instance that is backing up takes no replica
}

output "replica" {
  value = aws_db_instance.replica.address
}
