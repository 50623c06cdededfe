# A team on OpenSearch Serverless: the collection is made elsewhere, and comes as an object.

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

module "table" {
  source = "../../../../modules/table"

  name                        = "teams-serverless"
  hash_key                    = "pk"
  deletion_protection_enabled = false
  tags                        = var.tags
}

module "search" {
  source = "../../../.."

  table = module.table
  collection = {
    arn                 = "arn:aws:aoss:us-east-1:000000000000:collection/07tjusf2h91cunochc"
    collection_endpoint = "https://07tjusf2h91cunochc.us-east-1.aoss.amazonaws.com"
  }
  indices = {
    orders    = { when = [{ attribute = "pk", begins_with = "ORDER#" }] }
    customers = { when = [{ attribute = "pk", begins_with = "CUSTOMER#" }], exclude = ["password"] }
  }
  failure_destination_force_destroy = true
  log_retention_in_days             = var.retention
  tags                              = var.tags
}

output "environment" {
  description = "Environment of the function."
  value       = module.search.settings.environment_variables
}
