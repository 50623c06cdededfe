variable "name" {
  type        = string
  description = "Start of all names: 3 to 20 of a-z 0-9 - characters, starting with a letter (default: site)."
  default     = "site"
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
