# A team that starts: table, keys, topic, sync, operations and alarms in one apply: nothing has an ARN while planning.

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

resource "aws_kms_key" "this" {
  for_each = toset(["environment", "failures", "logs", "table"])

  description             = "teams-fresh ${each.key}"
  deletion_window_in_days = 7
  tags                    = var.tags
}

resource "aws_sns_topic" "failures" {
  name              = "teams-fresh-failures"
  kms_master_key_id = aws_kms_key.this["failures"].arn
  tags              = var.tags
}

resource "aws_sns_topic" "on_call" {
  name = "teams-fresh-on-call"
  tags = var.tags
}

resource "aws_sqs_queue" "failures" {
  name              = "teams-fresh-failures"
  kms_master_key_id = aws_kms_key.this["failures"].arn
  tags              = var.tags
}

resource "aws_dynamodb_table" "this" {
  name             = "teams-fresh"
  billing_mode     = "PAY_PER_REQUEST"
  hash_key         = "pk"
  range_key        = "sk"
  stream_enabled   = true
  stream_view_type = "NEW_AND_OLD_IMAGES"
  tags             = var.tags

  attribute {
    name = "pk"
    type = "S"
  }

  attribute {
    name = "sk"
    type = "N"
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = aws_kms_key.this["table"].arn
  }
}

module "search" {
  source = "../../../.."
  for_each = {
    queue = aws_sqs_queue.failures
    topic = aws_sns_topic.failures
  }

  name  = "teams-fresh-${each.key}"
  table = aws_dynamodb_table.this
  domain = {
    arn      = "arn:aws:es:us-east-1:000000000000:domain/search"
    endpoint = "search-x.us-east-1.es.amazonaws.com"
  }
  index                           = "fresh"
  failure_destination             = each.value
  failure_destination_kms_key_arn = aws_kms_key.this["failures"].arn
  kms_key_arn                     = aws_kms_key.this["environment"].arn
  log_kms_key_arn                 = aws_kms_key.this["logs"].arn
  log_retention_in_days           = var.retention
  metrics                         = ["EventCount"]
  tags                            = var.tags
}

module "operations" {
  source = "../../../../modules/operations"

  sync                  = module.search["queue"]
  log_retention_in_days = var.retention
  tags                  = var.tags
}

module "monitoring" {
  source = "../../../../modules/monitoring"

  sync            = module.search["topic"]
  page_topic_arns = [aws_sns_topic.on_call.arn]
  warn_topic_arns = [aws_sns_topic.on_call.arn]

  # Only a queue reports what waits in it.
  dead_letters_age_seconds = null
  dead_letters_waiting     = null
  tags                     = var.tags
}

output "environment" {
  description = "Environment of the function."
  value       = module.search["topic"].settings.environment_variables
}
