# A sync for each kind of failure destination, its operations and its monitoring, each given the sync as a whole.

terraform {
  required_version = ">= 1.9.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0, < 7.0.0"
    }
  }
}

locals {
  syncs = {
    queue  = "sqs"
    topic  = "sns"
    bucket = "s3"
  }

  # Too large for the function's environment: the ARN of the parameter is not known before anything exists, either.
  indices = ["orders", "products"]
  index = {
    when    = [{ attribute = "productId", begins_with = "p-" }]
    exclude = [for number in range(60) : sha256(tostring(number))]
  }
}

module "table" {
  source   = "../../../modules/table"
  for_each = local.syncs

  name     = "products-${each.key}"
  hash_key = "productId"
}

module "search" {
  source   = "../../.."
  for_each = local.syncs

  table                    = module.table[each.key]
  index                    = each.key == "bucket" ? null : "products-${each.key}"
  indices                  = { for name in each.key == "bucket" ? local.indices : [] : name => local.index }
  failure_destination_type = each.value
  failure_destination_subscription = (
    each.value == "sns" ? { protocol = "sqs", endpoint = "arn:aws:sqs:eu-west-1:111122223333:letters" } : null
  )
  environment_variables = { AWS_ENDPOINT_URL_DYNAMODB = "https://dynamodb.example.com" }
  vpc_config            = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }

  domain = {
    arn      = "arn:aws:es:eu-west-1:111122223333:domain/search"
    endpoint = "search-x.eu-west-1.es.amazonaws.com"
  }
}

module "operations" {
  source   = "../../../modules/operations"
  for_each = local.syncs

  sync = module.search[each.key]
}

module "monitoring" {
  source   = "../../../modules/monitoring"
  for_each = local.syncs

  sync                     = module.search[each.key]
  page_topic_arns          = ["arn:aws:sns:eu-west-1:111122223333:pager"]
  warn_topic_arns          = ["arn:aws:sns:eu-west-1:111122223333:tickets"]
  dead_letters_age_seconds = each.value == "sqs" ? 43200 : null
  dead_letters_waiting     = each.value == "sqs" ? 1 : null
}

output "alarms" {
  description = "Sync -> the names of its alarms."
  value       = { for name, monitoring in module.monitoring : name => keys(monitoring.alarm_arns) }
}

output "commands" {
  description = "Sync -> the jobs that its operations offer."
  value       = { for name, operations in module.operations : name => keys(operations.commands) }
}

output "filters" {
  description = "Sync -> how many patterns Lambda gets."
  value       = { for name, search in module.search : name => length(search.filters) }
}

output "indices" {
  description = "Sync -> its indices."
  value       = { for name, search in module.search : name => search.indices }
}
