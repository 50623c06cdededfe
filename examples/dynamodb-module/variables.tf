variable "domain_name" {
  type        = string
  description = "Name of the domain."
  nullable    = false
}

variable "name" {
  type        = string
  description = "Start of all names (default: community)."
  default     = "community"
  nullable    = false
}

variable "region" {
  type        = string
  description = "AWS Region. Null (default): that of your AWS configuration."
  default     = null
}
