# An OpenSearch of one's own, with a password that is made in the same apply. The secret's value is set elsewhere.

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

variable "tags" {
  type        = map(string)
  description = "Tags of everything."
}

resource "aws_kms_key" "secret" {
  description             = "teams-selfmanaged"
  deletion_window_in_days = 7
  tags                    = var.tags
}

resource "aws_secretsmanager_secret" "password" {
  name                    = "teams-selfmanaged"
  kms_key_id              = aws_kms_key.secret.arn
  recovery_window_in_days = 0
  tags                    = var.tags
}

module "table" {
  source = "../../../../modules/table"

  name                        = "teams-selfmanaged"
  hash_key                    = "pk"
  deletion_protection_enabled = false
  stream_view_type            = "KEYS_ONLY"
  tags                        = var.tags
}

module "search" {
  source = "../../../.."

  table                             = module.table
  opensearch_auth                   = "basic"
  opensearch_endpoint               = "https://search.example.com:9200"
  opensearch_secret_arn             = aws_secretsmanager_secret.password.arn
  opensearch_secret_kms_key_arn     = aws_kms_key.secret.arn
  index                             = "selfmanaged"
  failure_destination_force_destroy = true
  log_retention_in_days             = var.retention
  tags                              = var.tags
}

output "environment" {
  description = "Environment of the function."
  value       = module.search.settings.environment_variables
}
