# A domain in a VPC: the sync runs in its subnets.

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

resource "aws_vpc" "this" {
  cidr_block = "10.7.0.0/16"
  tags       = merge(var.tags, { Name = "teams-vpc" })
}

resource "aws_subnet" "this" {
  for_each = { a = "10.7.0.0/24", b = "10.7.1.0/24" }

  vpc_id            = aws_vpc.this.id
  availability_zone = "us-east-1${each.key}"
  cidr_block        = each.value
  tags              = var.tags
}

resource "aws_security_group" "this" {
  name        = "teams-vpc"
  description = "The sync."
  vpc_id      = aws_vpc.this.id
  tags        = var.tags
}

module "table" {
  source = "../../../../modules/table"

  name                        = "teams-vpc"
  hash_key                    = "pk"
  deletion_protection_enabled = false
  tags                        = var.tags
}

module "search" {
  source = "../../../.."

  table = module.table
  domain = {
    arn      = "arn:aws:es:us-east-1:000000000000:domain/search"
    endpoint = "vpc-search-x.us-east-1.es.amazonaws.com"
  }
  index                             = "vpc"
  failure_destination_force_destroy = true
  log_retention_in_days             = var.retention
  tags                              = var.tags
  vpc_config = {
    subnet_ids         = [for subnet in aws_subnet.this : subnet.id]
    security_group_ids = [aws_security_group.this.id]
  }
}
