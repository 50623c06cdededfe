variable "domain_name" {
  type        = string
  description = "Name of the domain."
  nullable    = false
}

variable "permissions_boundary" {
  type        = string
  description = "ARN of the policy that your organisation bounds all roles by."
  nullable    = false

  validation {
    condition = can(regex("^arn:[^:]+:iam::([0-9]{12}|aws):policy/.+$", var.permissions_boundary))
    error_message = join(" ", [
      "permissions_boundary is '${var.permissions_boundary}': give the ARN of an IAM policy",
      "(arn:aws:iam::ACCOUNT:policy/NAME).",
    ])
  }
}

variable "name" {
  type        = string
  description = "Start of all names: 3 to 20 of a-z 0-9 - characters, starting with a letter (default: given-role)."
  default     = "given-role"
  nullable    = false

  validation {
    condition = can(regex("^[a-z][a-z0-9-]{2,19}$", var.name))
    error_message = join(" ", [
      "name is '${var.name}': give 3 to 20 characters, each of a-z 0-9 -, the first a letter.",
    ])
  }
}

variable "region" {
  type        = string
  description = "AWS Region. Null (default): that of your AWS configuration."
  default     = null
}
