variable "domain_name" {
  type        = string
  description = "Name of the domain in the search account."
  nullable    = false
}

variable "index" {
  type        = string
  description = "The index, or alias, that follows the table."
  nullable    = false
}

variable "table_name" {
  type        = string
  description = "Name of the table in the other account: 3 to 48 of a-z A-Z 0-9 _ - characters, as it names the role."
  nullable    = false

  validation {
    condition = can(regex("^[a-zA-Z0-9_-]{3,48}$", var.table_name))
    error_message = join(" ", [
      "table_name is '${var.table_name}': give a name of 3 to 48 characters, each of a-z A-Z 0-9 _ -; for another set",
      "local.role_name, since a role's name has 64 at most.",
    ])
  }
}

variable "table_owner_role_arn" {
  type        = string
  description = "ARN of the role in the table's account that Terraform assumes to put the resource policies."
  nullable    = false

  validation {
    condition = can(regex("^arn:[^:]+:iam::[0-9]{12}:role/.+$", var.table_owner_role_arn))
    error_message = join(" ", [
      "table_owner_role_arn is '${var.table_owner_role_arn}': give a role's ARN in the table's account",
      "(arn:aws:iam::ACCOUNT:role/NAME).",
    ])
  }
}

variable "operator_role_arns" {
  type        = set(string)
  description = <<-EOT
    ARNs of roles in the search account that run the commands (backfill, verify, repair, redrive), or of the operator's
    role. None by default.
  EOT
  default     = []
  nullable    = false
}

variable "region" {
  type        = string
  description = "AWS Region of both accounts. Null (default): that of your AWS configuration."
  default     = null
}
