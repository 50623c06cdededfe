# The module under count and depends_on, at an address that it was moved to.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "release" {
  type        = string
  description = "What the sync depends on."
}

variable "retention" {
  type        = number
  description = "For how many days the log groups keep their lines."
}

variable "tags" {
  type        = map(string)
  description = "Tags of everything."
}

resource "terraform_data" "release" {
  input = var.release
}

module "table" {
  source = "../../../../modules/table"

  name                        = "teams-wrapped"
  hash_key                    = "pk"
  deletion_protection_enabled = false
  tags                        = var.tags
}

module "search" {
  source = "../../../.."
  count  = 1

  table = module.table
  domain = {
    arn      = "arn:aws:es:us-east-1:000000000000:domain/search"
    endpoint = "search-x.us-east-1.es.amazonaws.com"
  }
  index                             = "wrapped"
  failure_destination_force_destroy = true
  log_retention_in_days             = var.retention
  tags                              = var.tags

  depends_on = [terraform_data.release]
}

moved {
  from = module.search
  to   = module.search[0]
}

module "operations" {
  source = "../../../../modules/operations"
  count  = 1

  sync                  = module.search[0]
  log_retention_in_days = var.retention
  tags                  = var.tags

  depends_on = [terraform_data.release]
}
