variable "administrator_arns" {
  type        = set(string)
  description = "ARNs of the IAM roles or users that create the index and search it: your own, for example."
  nullable    = false

  validation {
    condition = (
      length(var.administrator_arns) > 0
      && alltrue([
        for arn in var.administrator_arns :
        can(regex("^arn:[^:]+:(iam::[0-9]{12}:(role|user)/.+|sts::[0-9]{12}:assumed-role/.+)$", arn))
      ])
    )
    error_message = join(" ", [
      "administrator_arns is ${jsonencode(var.administrator_arns)}: give at least one ARN of a role or user",
      "(arn:aws:iam::ACCOUNT:role/NAME), or no one is allowed to create the index.",
    ])
  }
}

variable "collection" {
  type = object({
    name                = string
    arn                 = string
    collection_endpoint = string
  })
  description = "The NextGen collection, made beforehand: its name, ARN and URL (README.md has the commands)."
  nullable    = false

  validation {
    condition = (
      can(regex("^https://[^/@\\s]+$", var.collection.collection_endpoint))
      && !endswith(var.collection.collection_endpoint, ".aoss.amazonaws.com")
    )
    error_message = join(" ", [
      "collection.collection_endpoint is '${var.collection.collection_endpoint}': give the URL of a NextGen collection",
      "(https://ID.aoss.REGION.on.aws); for a Classic one, take the example serverless.",
    ])
  }
}

variable "name" {
  type        = string
  description = "Start of the other names: 3 to 20 of a-z 0-9 - characters, starting with a letter (default: nextgen)."
  default     = "nextgen"
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
