# A platform team: five tables, each with its sync, by for_each. Three names are alike
# when cut to what a function's name may have, or differ in a dot only.

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

locals {
  tables = toset([
    "teams-orders",
    "teams.returns",
    "teams-returns",
    "teams-platform-production-eu-central-1-ordermanagement-orders",
    "teams-platform-production-eu-central-1-ordermanagement-orderlines",
  ])
  domain = {
    arn      = "arn:aws:es:us-east-1:000000000000:domain/search"
    endpoint = "search-x.us-east-1.es.amazonaws.com"
  }
}

module "table" {
  source   = "../../../../modules/table"
  for_each = local.tables

  name                        = each.key
  hash_key                    = "pk"
  deletion_protection_enabled = false
  tags                        = var.tags
}

module "search" {
  source   = "../../../.."
  for_each = local.tables

  table                             = module.table[each.key]
  domain                            = local.domain
  index                             = lower(each.key)
  failure_destination_force_destroy = true
  log_retention_in_days             = var.retention
  metrics                           = ["EventCount"]
  tags                              = var.tags
}

output "names" {
  description = "Table -> its function and its queue."
  value = {
    for table, search in module.search : table => {
      failures = search.failure_destination_arn
      function = search.function_name
    }
  }
}
