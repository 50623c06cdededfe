variable "hash_key" {
  type        = string
  description = "Name of the partition key's attribute. A change replaces the table."
  nullable    = false

  validation {
    condition     = length(var.hash_key) >= 1 && length(var.hash_key) <= 255
    error_message = "hash_key is '${var.hash_key}': give an attribute's name of 1 to 255 characters."
  }
}

variable "name" {
  type        = string
  description = "Name of the table, 3 to 255 of a-z A-Z 0-9 _ - . characters. A change replaces the table."
  nullable    = false

  validation {
    condition = can(regex("^[a-zA-Z0-9_.-]{3,255}$", var.name))
    error_message = join(" ", [
      "name is '${var.name}': give 3 to 255 characters, each of a-z A-Z 0-9 _ - . (DynamoDB's rule for",
      "table names).",
    ])
  }
}

variable "billing_mode" {
  type        = string
  description = <<-EOT
    PAY_PER_REQUEST (default: no capacity planning, right for most tables) or PROVISIONED (with read_capacity and
    write_capacity).
  EOT
  default     = "PAY_PER_REQUEST"
  nullable    = false

  validation {
    condition     = contains(["PAY_PER_REQUEST", "PROVISIONED"], var.billing_mode)
    error_message = "billing_mode is '${var.billing_mode}': give PAY_PER_REQUEST or PROVISIONED."
  }
}

variable "deletion_protection_enabled" {
  type        = bool
  description = <<-EOT
    Whether AWS refuses to delete the table (default: true: the index is built from the table, and can be rebuilt; the
    table can't). Set it to false and apply before you destroy the table.
  EOT
  default     = true
  nullable    = false
}

variable "hash_key_type" {
  type        = string
  description = "Type of the partition key: S (string, default), N (number) or B (binary)."
  default     = "S"
  nullable    = false

  validation {
    condition     = contains(["S", "N", "B"], var.hash_key_type)
    error_message = "hash_key_type is '${var.hash_key_type}': give S (string), N (number) or B (binary)."
  }
}

variable "kms_key_arn" {
  type        = string
  description = <<-EOT
    ARN of the customer managed KMS key that encrypts table and stream. Null (default): the key that AWS owns, free of
    charge.
  EOT
  default     = null

  validation {
    condition = var.kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = join(" ", [
      "kms_key_arn is ${jsonencode(var.kms_key_arn)}: give the ARN of a KMS key (arn:aws:kms:REGION:ACCOUNT:key/ID,",
      "not an alias), or null.",
    ])
  }
}

variable "point_in_time_recovery_enabled" {
  type        = bool
  description = <<-EOT
    Whether the table can be restored to any second of the last recovery_period_in_days (default: true; exports to S3
    need it too).
  EOT
  default     = true
  nullable    = false
}

variable "range_key" {
  type        = string
  description = "Name of the sort key's attribute. Null (default): none. A change replaces the table."
  default     = null

  validation {
    condition = (
      var.range_key == null
      || try(length(var.range_key) >= 1 && length(var.range_key) <= 255 && var.range_key != var.hash_key, false)
    )
    error_message = join(" ", [
      "range_key is ${jsonencode(var.range_key)}: give an attribute's name of 1 to 255 characters that is not the",
      "hash_key ('${var.hash_key}'), or null.",
    ])
  }
}

variable "range_key_type" {
  type        = string
  description = "Type of the sort key: S (string, default), N (number) or B (binary)."
  default     = "S"
  nullable    = false

  validation {
    condition     = contains(["S", "N", "B"], var.range_key_type)
    error_message = "range_key_type is '${var.range_key_type}': give S (string), N (number) or B (binary)."
  }
}

variable "read_capacity" {
  type        = number
  description = "Read capacity units, for billing_mode PROVISIONED only."
  default     = null

  validation {
    condition = (
      var.billing_mode == "PROVISIONED"
      ? try(var.read_capacity >= 1 && floor(var.read_capacity) == var.read_capacity, false)
      : var.read_capacity == null
    )
    error_message = join(" ", [
      "read_capacity is ${jsonencode(var.read_capacity)} with billing_mode ${var.billing_mode}: give a whole number of",
      "at least 1 with PROVISIONED, and null with PAY_PER_REQUEST.",
    ])
  }
}

variable "recovery_period_in_days" {
  type        = number
  description = <<-EOT
    How many days back point-in-time recovery reaches: 1 to 35. Null (default): AWS's default, the maximum, at the same
    price. To return to it from another value, give 35.
  EOT
  default     = null

  validation {
    condition = (
      var.recovery_period_in_days == null
      || try(
        var.recovery_period_in_days >= 1
        && var.recovery_period_in_days <= 35
        && floor(var.recovery_period_in_days) == var.recovery_period_in_days,
        false,
      )
    )
    error_message = join(" ", [
      "recovery_period_in_days is ${jsonencode(var.recovery_period_in_days)}: give a whole number from 1 to 35, or",
      "null.",
    ])
  }

  validation {
    condition = var.recovery_period_in_days == null || var.point_in_time_recovery_enabled
    error_message = join(" ", [
      "recovery_period_in_days is ${jsonencode(var.recovery_period_in_days)} with point_in_time_recovery_enabled =",
      "false: leave it out, or switch the recovery on.",
    ])
  }
}

variable "stream_view_type" {
  type        = string
  description = <<-EOT
    What a stream record holds: NEW_AND_OLD_IMAGES (default: the sync also sees what a change changed), NEW_IMAGE (half
    the bytes), KEYS_ONLY or OLD_IMAGE (a sync then reads each item from the table). A change creates a new stream, and
    with it a new event source mapping; records that are only in the old stream are not carried over.
  EOT
  default     = "NEW_AND_OLD_IMAGES"
  nullable    = false

  validation {
    condition = contains(["NEW_AND_OLD_IMAGES", "NEW_IMAGE", "OLD_IMAGE", "KEYS_ONLY"], var.stream_view_type)
    error_message = join(" ", [
      "stream_view_type is '${var.stream_view_type}': give NEW_AND_OLD_IMAGES, NEW_IMAGE, OLD_IMAGE or",
      "KEYS_ONLY.",
    ])
  }
}

variable "table_class" {
  type        = string
  description = "STANDARD (default) or STANDARD_INFREQUENT_ACCESS (cheaper storage, more expensive requests)."
  default     = "STANDARD"
  nullable    = false

  validation {
    condition     = contains(["STANDARD", "STANDARD_INFREQUENT_ACCESS"], var.table_class)
    error_message = "table_class is '${var.table_class}': give STANDARD or STANDARD_INFREQUENT_ACCESS."
  }
}

variable "tags" {
  type        = map(string)
  description = "Tags of the table."
  default     = {}
  nullable    = false
}

variable "ttl_attribute_name" {
  type        = string
  description = <<-EOT
    Attribute that holds an item's time to live, in epoch seconds. Null (default): none. To disable TTL, keep the name
    and set ttl_enabled to false: AWS requires the name for that.
  EOT
  default     = null

  validation {
    condition = (
      var.ttl_attribute_name == null
      || try(length(var.ttl_attribute_name) >= 1 && length(var.ttl_attribute_name) <= 255, false)
    )
    error_message = join(" ", [
      "ttl_attribute_name is ${jsonencode(var.ttl_attribute_name)}: give an attribute's name of 1 to 255 characters,",
      "or null.",
    ])
  }
}

variable "ttl_enabled" {
  type        = bool
  description = <<-EOT
    Whether items are deleted after the time in ttl_attribute_name (default: true; without the name it has no effect).
  EOT
  default     = true
  nullable    = false
}

variable "write_capacity" {
  type        = number
  description = "Write capacity units, for billing_mode PROVISIONED only."
  default     = null

  validation {
    condition = (
      var.billing_mode == "PROVISIONED"
      ? try(var.write_capacity >= 1 && floor(var.write_capacity) == var.write_capacity, false)
      : var.write_capacity == null
    )
    error_message = join(" ", [
      "write_capacity is ${jsonencode(var.write_capacity)} with billing_mode ${var.billing_mode}: give a whole number",
      "of at least 1 with PROVISIONED, and null with PAY_PER_REQUEST.",
    ])
  }
}
