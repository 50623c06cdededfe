locals {
  # Only the key attributes: DynamoDB refuses to define an attribute that no key uses.
  attributes = [for key in [
    { name = var.hash_key, type = var.hash_key_type },
    { name = var.range_key, type = var.range_key_type },
  ] : key if key.name != null]
}

resource "aws_dynamodb_table" "this" {
  #checkov:skip=CKV_AWS_119:kms_key_arn is the caller's choice; without it AWS encrypts with a key that it owns

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

  # Sent even without a key: otherwise a table that had one would keep it. Disabled means the key that AWS owns.
  server_side_encryption {
    enabled     = var.kms_key_arn != null
    kms_key_arn = var.kms_key_arn
  }

  # AWS needs the attribute's name even to disable TTL: the block depends on the name, and ttl_enabled is the switch.
  dynamic "ttl" {
    for_each = var.ttl_attribute_name == null ? [] : [var.ttl_attribute_name]
    content {
      attribute_name = ttl.value
      enabled        = var.ttl_enabled
    }
  }
}
