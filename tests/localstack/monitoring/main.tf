# A sync that has nothing to do, watched by its alarms and its dashboard.

terraform {
  required_version = ">= 1.9.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0, < 7.0.0"
    }
  }
}

variable "aws_endpoint" {
  type        = string
  description = "URL of LocalStack."
}

variable "failures_arn" {
  type        = string
  description = "ARN of the queue for failures. Not created here: the provider waits half a minute for a queue."
}

variable "listener_arns" {
  type        = map(string)
  description = "Topic -> ARN of the queue that hears it."
}

variable "name" {
  type        = string
  description = "Start of all names."
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  max_retries                 = 2
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true

  endpoints {
    cloudwatch = var.aws_endpoint
    dynamodb   = var.aws_endpoint
    iam        = var.aws_endpoint
    lambda     = var.aws_endpoint
    logs       = var.aws_endpoint
    sns        = var.aws_endpoint
    sqs        = var.aws_endpoint
    sts        = var.aws_endpoint
  }
}

module "table" {
  source = "../../../modules/table"

  name                        = var.name
  hash_key                    = "pk"
  deletion_protection_enabled = false
}

module "sync" {
  source = "../../.."

  table               = module.table
  index               = var.name
  failure_destination = { arn = var.failures_arn }
  opensearch_auth     = "none"
  opensearch_endpoint = "http://127.0.0.1:9"
}

resource "aws_sns_topic" "notified" {
  for_each = var.listener_arns

  name = "${var.name}-${each.key}"
}

resource "aws_sns_topic_subscription" "notified" {
  for_each = var.listener_arns

  topic_arn = aws_sns_topic.notified[each.key].arn
  protocol  = "sqs"
  endpoint  = each.value
}

module "monitoring" {
  source = "../../../modules/monitoring"

  sync            = module.sync
  page_topic_arns = [aws_sns_topic.notified["pager"].arn]
  warn_topic_arns = [aws_sns_topic.notified["tickets"].arn]
}

output "alarm_arns" {
  description = "Alarm -> its ARN."
  value       = module.monitoring.alarm_arns
}

output "dashboard_name" {
  description = "Name of the dashboard."
  value       = module.monitoring.dashboard_name
}

output "function_name" {
  description = "Name of the sync's function."
  value       = module.sync.function_name
}

output "mapping_uuid" {
  description = "UUID of the sync's event source mapping."
  value       = module.sync.event_source_mapping_uuid
}
