resource "aws_iam_role" "cluster" {
  name               = "meqenet-cluster-${var.region}"
  assume_role_policy = data.aws_iam_policy_document.assume["eks"].json
}

resource "aws_iam_role" "nodes" {
  name               = "meqenet-nodes-${var.region}"
  assume_role_policy = data.aws_iam_policy_document.assume["ec2"].json
}

data "aws_iam_policy_document" "assume" {
  for_each = toset(["eks", "ec2", "s3"])
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["${each.key}.amazonaws.com"]
    }
  }
}

resource "aws_eks_cluster" "this" {
  name     = "meqenet"
  role_arn = aws_iam_role.cluster.arn
  access_config {
    authentication_mode                         = "API"
    bootstrap_cluster_creator_admin_permissions = true
  }
  vpc_config {
    subnet_ids = local.here.private_subnets
  }
}

# One group of nodes over all zones. How many there are is autoscaling's, and after a disaster the runbook's.
resource "aws_eks_node_group" "this" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "services"
  node_role_arn   = aws_iam_role.nodes.arn
  subnet_ids      = local.here.private_subnets
  instance_types  = ["m7g.large"]
  scaling_config {
    min_size     = local.capacity.nodes.minimum
    desired_size = local.capacity.nodes.desired
    max_size     = local.capacity.nodes.maximum
  }
  lifecycle { ignore_changes = [scaling_config[0].desired_size] }
}
