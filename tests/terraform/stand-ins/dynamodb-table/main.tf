# In the place of terraform-aws-modules/dynamodb-table/aws, which no test fetches from the registry: the inputs that the
# example dynamodb-module gives and the outputs that it takes, by the names that versions 4.4.0 and 5.5.0 have.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0, < 7.0.0"
    }
  }
}

variable "attributes" {
  type = list(map(string))
}

variable "deletion_protection_enabled" {
  type = bool
}

variable "hash_key" {
  type = string
}

variable "name" {
  type = string
}

variable "point_in_time_recovery_enabled" {
  type = bool
}

variable "range_key" {
  type    = string
  default = null
}

variable "stream_enabled" {
  type = bool
}

variable "stream_view_type" {
  type = string
}

resource "aws_dynamodb_table" "this" {
  count = 1

  name                        = var.name
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = var.hash_key
  range_key                   = var.range_key
  stream_enabled              = var.stream_enabled
  stream_view_type            = var.stream_view_type
  deletion_protection_enabled = var.deletion_protection_enabled

  dynamic "attribute" {
    for_each = var.attributes
    content {
      name = attribute.value.name
      type = attribute.value.type
    }
  }

  point_in_time_recovery {
    enabled = var.point_in_time_recovery_enabled
  }
}

output "dynamodb_table_arn" {
  value = aws_dynamodb_table.this[0].arn
}

output "dynamodb_table_id" {
  value = aws_dynamodb_table.this[0].id
}

output "dynamodb_table_stream_arn" {
  value = aws_dynamodb_table.this[0].stream_arn
}
