variable "opensearch_endpoint" {
  type        = string
  description = "URL of your OpenSearch, https://…, with a port if it isn't 443."
  nullable    = false

  validation {
    condition = can(regex("^https://[^/@\\s?#]+(/[^@\\s?#]*)?$", var.opensearch_endpoint))
    error_message = join(" ", [
      "opensearch_endpoint is",
      "${can(regex("@", var.opensearch_endpoint)) ? "a URL with a user in it" : jsonencode(var.opensearch_endpoint)}:",
      "give an https:// URL without user or password, such as https://search.example.com:9200.",
    ])
  }
}

variable "authority_package" {
  type        = string
  description = <<-EOT
    Path of a zip file with authority.pem, the certificate of the authority that signed OpenSearch's. Null (default): a
    public authority signed it.
  EOT
  default     = null

  validation {
    condition = var.authority_package == null || can(filebase64sha256(var.authority_package))
    error_message = join(" ", [
      "authority_package is '${coalesce(var.authority_package, "null")}', and no such file can be read: make it with",
      "`zip authority.zip authority.pem`, or leave it out.",
    ])
  }
}

variable "name" {
  type        = string
  description = "Start of all names: 3 to 20 of a-z 0-9 - characters, starting with a letter (default: self-managed)."
  default     = "self-managed"
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

variable "vpc" {
  type = object({
    subnet_ids         = set(string)
    security_group_ids = set(string)
  })
  description = <<-EOT
    Subnets and security groups of the function, if OpenSearch is in a VPC. From there it must reach OpenSearch,
    DynamoDB, SQS and Secrets Manager. Null (default): no VPC.
  EOT
  default     = null
}
