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

variable "name" {
  type        = string
  description = "Start of all names: 3 to 20 of a-z 0-9 - characters, starting with a letter (default: serverless)."
  default     = "serverless"
  nullable    = false

  validation {
    condition = can(regex("^[a-z][a-z0-9-]{2,19}$", var.name))
    error_message = join(" ", [
      "name is '${var.name}': give 3 to 20 characters, each of a-z 0-9 -, the first a letter: a collection's name,",
      "NAME-search, has 32 at most.",
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
    id                 = string
    subnet_ids         = set(string)
    security_group_ids = set(string)
  })
  description = <<-EOT
    The only VPC from which the collection can be reached; the function and the collection's endpoint are in its
    subnets. The security groups are for both: they must let HTTPS pass among themselves, and out to DynamoDB and SQS.
    Null (default): no VPC.
  EOT
  default     = null
}
