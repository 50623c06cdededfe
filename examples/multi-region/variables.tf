variable "domain_name" {
  type        = string
  description = "Name of the domain in the first Region, and in the other one too unless replica_domain_name is given."
  nullable    = false
}

variable "region" {
  type        = string
  description = "The first AWS Region, such as eu-west-1."
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2,}-[a-z-]+-[0-9]+$", var.region))
    error_message = "region is '${var.region}': give an AWS Region, such as eu-west-1."
  }
}

variable "replica_region" {
  type        = string
  description = "The other AWS Region."
  nullable    = false

  validation {
    condition = can(regex("^[a-z]{2,}-[a-z-]+-[0-9]+$", var.replica_region)) && var.replica_region != var.region
    error_message = join(" ", [
      "replica_region is '${var.replica_region}' with region '${var.region}': give another AWS Region, such",
      "as eu-central-1.",
    ])
  }
}

variable "name" {
  type        = string
  description = "Start of all names (default: global)."
  default     = "global"
  nullable    = false
}

variable "replica_domain_name" {
  type        = string
  description = "Name of the domain in the other Region. Null (default): domain_name."
  default     = null
}
