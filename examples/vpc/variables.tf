variable "administrator_role_arn" {
  type        = string
  description = "ARN of the IAM role that becomes the domain's master user: it creates the index and maps roles."
  nullable    = false

  validation {
    condition = can(regex("^arn:[^:]+:iam::[0-9]{12}:role/.+$", var.administrator_role_arn))
    error_message = join(" ", [
      "administrator_role_arn is '${var.administrator_role_arn}': give a role's ARN (arn:aws:iam::ACCOUNT:role/NAME),",
      "not that of a session (assumed-role).",
    ])
  }
}

variable "cidr_block" {
  type        = string
  description = <<-EOT
    Addresses of the VPC, /16 to /26 (default: 10.0.0.0/24); two subnets take a quarter each, the rest is yours.
  EOT
  default     = "10.0.0.0/24"
  nullable    = false

  validation {
    condition = (
      can(cidrnetmask(var.cidr_block))
      && try(tonumber(split("/", var.cidr_block)[1]) >= 16 && tonumber(split("/", var.cidr_block)[1]) <= 26, false)
    )
    error_message = "cidr_block is '${var.cidr_block}': give IPv4 addresses from /16 to /26, such as 10.0.0.0/24."
  }
}

variable "name" {
  type        = string
  description = "Start of all names: 3 to 20 of a-z 0-9 - characters, starting with a letter (default: private)."
  default     = "private"
  nullable    = false

  validation {
    condition = can(regex("^[a-z][a-z0-9-]{2,19}$", var.name))
    error_message = join(" ", [
      "name is '${var.name}': give 3 to 20 characters, each of a-z 0-9 -, the first a letter: a domain's name,",
      "NAME-search, has 28 at most.",
    ])
  }
}

variable "region" {
  type        = string
  description = "AWS Region. Null (default): that of your AWS configuration."
  default     = null
}
