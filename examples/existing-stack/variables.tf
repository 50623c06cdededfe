variable "domain_name" {
  type        = string
  description = "Name of the domain."
  nullable    = false

  validation {
    condition = can(regex("^[a-z][a-z0-9-]{2,27}$", var.domain_name))
    error_message = join(" ", [
      "domain_name is '${var.domain_name}': give a domain's name (3 to 28 characters, each of a-z 0-9 -), not its ARN",
      "or URL.",
    ])
  }
}

variable "indexes" {
  type        = map(string)
  description = <<-EOT
    Index -> name of the table that it follows. An index follows one table; a table may have two indexes, since a stream
    takes two readers.
  EOT
  nullable    = false

  validation {
    condition     = length(var.indexes) > 0
    error_message = "indexes is empty: give at least one index and its table, such as { products = \"shop-products\" }."
  }

  validation {
    condition = alltrue([
      for table in values(var.indexes) : length([for other in values(var.indexes) : other if other == table]) <= 2
    ])
    error_message = join(" ", [
      "indexes is ${jsonencode(var.indexes)}: give a table at most two indexes; its stream takes two",
      "readers.",
    ])
  }
}

variable "region" {
  type        = string
  description = "AWS Region of tables and domain. Null (default): that of your AWS configuration."
  default     = null
}
