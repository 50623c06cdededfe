variable "aws_endpoint" {
  type        = string
  description = "URL of an emulator of AWS such as LocalStack (http://127.0.0.1:4566). Null (default): AWS itself."
  default     = null

  validation {
    condition = var.aws_endpoint == null || can(regex("^https?://[^/\\s]+$", var.aws_endpoint))
    error_message = join(" ", [
      "aws_endpoint is ${jsonencode(var.aws_endpoint)}: give a URL such as http://127.0.0.1:4566, or",
      "null for AWS.",
    ])
  }

  validation {
    condition = var.aws_endpoint == null || var.opensearch_endpoint != null
    error_message = join(" ", [
      "aws_endpoint is ${jsonencode(var.aws_endpoint)} without opensearch_endpoint: give the URL of an OpenSearch too;",
      "an emulator has no domains.",
    ])
  }
}

variable "name" {
  type        = string
  description = "Start of all names: 3 to 20 of a-z 0-9 - characters, starting with a letter (default: demo)."
  default     = "demo"
  nullable    = false

  validation {
    condition = can(regex("^[a-z][a-z0-9-]{2,19}$", var.name))
    error_message = join(" ", [
      "name is '${var.name}': give 3 to 20 characters, each of a-z 0-9 -, the first a letter: a domain's name,",
      "NAME-search, has 28 at most.",
    ])
  }
}

variable "opensearch_auth" {
  type        = string
  description = <<-EOT
    How the sync authenticates to opensearch_endpoint: none, or basic with opensearch_secret_arn. Null (default): none
    with an endpoint, sigv4 with the domain.
  EOT
  default     = null
}

variable "opensearch_endpoint" {
  type        = string
  description = "URL of an existing OpenSearch. Null (default): a domain is created, which takes about fifteen minutes."
  default     = null
}

variable "opensearch_secret_arn" {
  type        = string
  description = "ARN of the secret with username and password, for opensearch_auth basic."
  default     = null
}

variable "region" {
  type        = string
  description = "AWS Region. Null (default): that of your AWS configuration."
  default     = null
}
