# A bank: the provider's default_tags (none of the module's own), a permissions boundary, a key of its own everywhere.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "retention" {
  type        = number
  description = "For how many days the log groups keep their lines."
}

resource "aws_kms_key" "this" {
  description             = "teams-governed"
  deletion_window_in_days = 7
}

resource "aws_iam_policy" "boundary" {
  name = "teams-governed-boundary"
  path = "/bounds/"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "NoUsers", Effect = "Deny", Action = "iam:CreateUser", Resource = "*" }]
  })
}

module "table" {
  source = "../../../../modules/table"

  name                        = "teams-governed"
  hash_key                    = "pk"
  deletion_protection_enabled = false
  kms_key_arn                 = aws_kms_key.this.arn
}

module "search" {
  source = "../../../.."

  table = module.table
  domain = {
    arn      = "arn:aws:es:us-east-1:000000000000:domain/search"
    endpoint = "search-x.us-east-1.es.amazonaws.com"
  }
  index                             = "governed"
  failure_destination_force_destroy = true
  failure_destination_kms_key_arn   = aws_kms_key.this.arn
  failure_destination_type          = "s3"
  filters                           = [jsonencode({ dynamodb = { Keys = { pk = { S = [{ prefix = "o-" }] } } } })]
  filters_kms_key_arn               = aws_kms_key.this.arn
  kms_key_arn                       = aws_kms_key.this.arn
  log_kms_key_arn                   = aws_kms_key.this.arn
  log_retention_in_days             = var.retention
  metrics                           = ["EventCount"]
  permissions_boundary              = aws_iam_policy.boundary.arn
  role_path                         = "/search/"
}

module "operations" {
  source = "../../../../modules/operations"

  sync                  = module.search
  log_retention_in_days = var.retention
}
