# What the other team owns. Lambda must be allowed to assume the role; the boundary must allow what the policy does.

data "aws_iam_policy_document" "assume_role" {
  statement {
    sid     = "LambdaRunsTheFunction"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "search" {
  name                 = "${var.name}-search"
  path                 = "/workloads/"
  description          = "Role of the function that keeps the index products equal to its table."
  assume_role_policy   = data.aws_iam_policy_document.assume_role.json
  permissions_boundary = var.permissions_boundary
}

# A policy of its own, so that it can be reviewed and attached by another pipeline. The function and its event source
# mapping are created while this is attached: AWS refuses the event source mapping until then, and the provider tries
# again for five minutes.
resource "aws_iam_policy" "search" {
  name        = "${var.name}-search"
  path        = "/workloads/"
  description = "What the sync of the index products needs."
  policy      = module.sync.policy
}

resource "aws_iam_role_policy_attachment" "search" {
  role       = aws_iam_role.search.name
  policy_arn = aws_iam_policy.search.arn
}
