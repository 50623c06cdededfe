locals {
  # The key attributes only: DynamoDB refuses a definition of an attribute that no key uses.
  attributes = [for key in [
    { name = var.hash_key, type = var.hash_key_type },
    { name = var.range_key, type = var.range_key_type },
  ] : key if key.name != null]
}

resource "aws_dynamodb_table" "this" {
  #checkov:skip=CKV_AWS_119:the caller's choice: kms_key_arn; without it the key that AWS owns encrypts

  name                        = var.name
  hash_key                    = var.hash_key
  range_key                   = var.range_key
  billing_mode                = var.billing_mode
  read_capacity               = var.read_capacity
  write_capacity              = var.write_capacity
  table_class                 = var.table_class
  deletion_protection_enabled = var.deletion_protection_enabled
  stream_enabled              = true
  stream_view_type            = var.stream_view_type
  tags                        = var.tags

  dynamic "attribute" {
    for_each = local.attributes
    content {
      name = attribute.value.name
      type = attribute.value.type
    }
  }

  point_in_time_recovery {
    enabled                 = var.point_in_time_recovery_enabled
    recovery_period_in_days = var.recovery_period_in_days
  }

  # Sent also without a key: left out, a table that had one would keep it. Not "enabled" means the key that AWS owns.
  server_side_encryption {
    enabled     = var.kms_key_arn != null
    kms_key_arn = var.kms_key_arn
  }

  # AWS wants the attribute's name also when TTL is switched off, so the block follows the name, and ttl_enabled switches.
  dynamic "ttl" {
    for_each = var.ttl_attribute_name == null ? [] : [var.ttl_attribute_name]
    content {
      attribute_name = ttl.value
      enabled        = var.ttl_enabled
    }
  }
}
