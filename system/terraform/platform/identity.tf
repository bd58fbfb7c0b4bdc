# Who the programs in the cluster are to AWS: a role for each service account, taken with the token that the cluster
# gives its pods (IAM roles for service accounts). Nobody holds a key.
locals {
  issuer = aws_eks_cluster.this.identity[0].oidc[0].issuer
  identities = {
    auth                         = { namespace = "meqenet", database = "users", objects = false }
    users                        = { namespace = "meqenet", database = "users", objects = false }
    payments                     = { namespace = "meqenet", database = "payments", objects = false }
    documents                    = { namespace = "meqenet", database = "users", objects = true }
    notifications                = { namespace = "meqenet", database = "users", objects = false }
    aws-load-balancer-controller = { namespace = "kube-system", database = null, objects = false }
  }
}

resource "aws_iam_openid_connect_provider" "cluster" {
  url            = local.issuer
  client_id_list = ["sts.amazonaws.com"]
}

data "aws_iam_policy_document" "identity" {
  for_each = local.identities
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.cluster.arn]
    }
    condition {
      test     = "StringEquals"
      variable = "${trimprefix(local.issuer, "https://")}:aud"
      values   = ["sts.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "${trimprefix(local.issuer, "https://")}:sub"
      values   = ["system:serviceaccount:${each.value.namespace}:${each.key}"]
    }
  }
}

resource "aws_iam_role" "identity" {
  for_each           = local.identities
  name               = "meqenet-${each.key}-${var.region}"
  assume_role_policy = data.aws_iam_policy_document.identity[each.key].json
}

data "aws_iam_policy_document" "allowed" {
  for_each = local.identities
  dynamic "statement" {
    for_each = each.value.database == null ? [] : [each.value.database]
    content {
      actions   = ["secretsmanager:GetSecretValue"]
      resources = ["arn:aws:secretsmanager:${var.region}:${local.account}:secret:meqenet/${statement.value}-database-*"]
    }
  }
  dynamic "statement" {
    for_each = each.value.database == null ? [] : [local.here.keys.secrets]
    content {
      actions   = ["kms:Decrypt"]
      resources = [statement.value]
    }
  }
  dynamic "statement" {
    for_each = each.value.objects ? [local.here.documents_bucket_arn] : []
    content {
      actions   = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"]
      resources = ["${statement.value}/*"]
    }
  }
  dynamic "statement" {
    for_each = each.value.objects ? [local.here.keys.objects] : []
    content {
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }
  dynamic "statement" {
    for_each = each.value.database == null ? ["*"] : []
    content {
      actions = [
        "elasticloadbalancing:DescribeTargetGroups",
        "elasticloadbalancing:DescribeTargetHealth",
        "elasticloadbalancing:RegisterTargets",
        "elasticloadbalancing:DeregisterTargets",
      ]
      resources = [statement.value]
    }
  }
}

resource "aws_iam_role_policy" "identity" {
  for_each = local.identities
  name     = "allowed"
  role     = aws_iam_role.identity[each.key].name
  policy   = data.aws_iam_policy_document.allowed[each.key].json
}
