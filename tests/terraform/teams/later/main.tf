# A team whose table has been there for years: its stream is switched on, and the sync is added, in one later apply.

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

variable "streaming" {
  type        = bool
  description = "Whether the stream is on, and there is a sync."
}

variable "tags" {
  type        = map(string)
  description = "Tags of everything."
}

resource "aws_dynamodb_table" "this" {
  name             = "teams-later"
  billing_mode     = "PAY_PER_REQUEST"
  hash_key         = "pk"
  stream_enabled   = var.streaming
  stream_view_type = var.streaming ? "NEW_IMAGE" : null
  tags             = var.tags

  attribute {
    name = "pk"
    type = "S"
  }
}

module "search" {
  source = "../../../.."
  count  = var.streaming ? 1 : 0

  table = aws_dynamodb_table.this
  domain = {
    arn      = "arn:aws:es:us-east-1:000000000000:domain/search"
    endpoint = "search-x.us-east-1.es.amazonaws.com"
  }
  index                             = "later"
  failure_destination_force_destroy = true
  log_retention_in_days             = var.retention
  tags                              = var.tags
}
