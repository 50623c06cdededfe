variable "sync" {
  type = object({
    collection_arn           = optional(string)
    domain_arn               = optional(string)
    failure_destination_arn  = string
    failure_destination_type = string
    function_arn             = string
    function_name            = string
    function_qualified_arn   = optional(string)
    function_qualifier       = optional(string)
    indices                  = list(string)
    settings = object({
      architectures                      = list(string)
      code_signing_config_arn            = optional(string)
      environment_variables              = map(string)
      failure_destination_kms_key_arn    = optional(string)
      filename                           = optional(string)
      indices_parameter_arns             = list(string)
      kms_key_arn                        = optional(string)
      layers                             = list(string)
      log_kms_key_arn                    = optional(string)
      opensearch_auth                    = string
      opensearch_secret_arn              = optional(string)
      opensearch_secret_kms_key_arn      = optional(string)
      opensearch_service                 = string
      permissions_boundary               = optional(string)
      replace_security_groups_on_destroy = optional(bool)
      replacement_security_group_ids     = optional(set(string))
      request_timeout_seconds            = number
      role_path                          = string
      runtime                            = string
      s3_bucket                          = optional(string)
      s3_key                             = optional(string)
      s3_object_version                  = optional(string)
      source_code_hash                   = optional(string)
      table = object({
        arn          = string
        kms_key_arns = list(string)
        name         = string
      })
      projected = bool
      vpc_config = optional(object({
        subnet_ids                  = set(string)
        security_group_ids          = set(string)
        ipv6_allowed_for_dual_stack = bool
      }))
    })
  })
  description = <<-EOT
    The sync whose jobs are run: the root module as a whole (sync = module.search). Everything that it knows is taken
    over from it, such as table, indices, OpenSearch, failure destination, package, VPC and environment variables. If it
    is published, jobs compare themselves with the version that its alias points to.
  EOT
  nullable    = false

  validation {
    condition = can(regex("^arn:[^:]+:dynamodb:[^:]+:[0-9]{12}:table/[^/]+$", var.sync.settings.table.arn))
    error_message = join(" ", [
      "sync.settings.table.arn is ${jsonencode(var.sync.settings.table.arn)}: give the root module as a whole (sync =",
      "module.search), whose table's ARN is arn:aws:dynamodb:REGION:ACCOUNT:table/NAME.",
    ])
  }

  validation {
    condition = try(split(":", var.sync.failure_destination_arn)[2] == var.sync.failure_destination_type, false)
    error_message = join(" ", [
      "sync.failure_destination_arn is ${jsonencode(var.sync.failure_destination_arn)} and",
      "sync.failure_destination_type is ${jsonencode(var.sync.failure_destination_type)}: give the root module as a",
      "whole (sync = module.search), or the ARN of a queue (sqs), a topic (sns) or a bucket (s3), and its type.",
    ])
  }
}

variable "attach_policy" {
  type        = bool
  description = <<-EOT
    Whether the roles created here get the policies that they need (default: true). With false, attach the outputs
    policy and state_machine_policy to them yourself, in the same apply: until then AWS may refuse to create function
    and state machine.
  EOT
  default     = true
  nullable    = false

  validation {
    condition = var.attach_policy || var.role == null || var.state_machine_role == null
    error_message = join(" ", [
      "attach_policy is ${var.attach_policy}, and role and state_machine_role are given: nothing is attached to a",
      "given role; leave it out.",
    ])
  }
}

variable "environment_variables" {
  type        = map(string)
  description = <<-EOT
    Further environment variables for the function, on top of the sync's: BULK_ACTIONS, for example, overrides the
    sync's. None that this module sets, that must be the sync's, or that Lambda reserves.
  EOT
  default     = {}
  nullable    = false

  validation {
    condition = length(setintersection(keys(var.environment_variables), [
      "CONFLICT_WINDOW_SECONDS", "DEAD_LETTER_ARN", "INDEX", "INDICES", "LOG_LEVEL", "MAX_CONCURRENCY",
      "OPENSEARCH_AUTH", "OPENSEARCH_CA_FILE", "OPENSEARCH_ENDPOINT", "OPENSEARCH_SECRET_ARN", "OPENSEARCH_SERVICE",
      "REPORT_BUCKET", "REQUEST_TIMEOUT_SECONDS", "SKIP_UNCHANGED", "SYNC_FUNCTION", "SYNC_NAME", "TABLE_KEYS",
      "TABLE_NAME", "TRANSFORM_LAYERS",
    ])) == 0
    error_message = join(" ", [
      "environment_variables has the names ${join(", ", keys(var.environment_variables))}: leave out those that this",
      "module sets from its own variables (log_level sets LOG_LEVEL, …) and those that must be the sync's (INDEX,",
      "INDICES, TABLE_NAME, OPENSEARCH_ENDPOINT, …).",
    ])
  }

  validation {
    condition = alltrue([
      for name in keys(var.environment_variables) :
      can(regex("^[a-zA-Z][a-zA-Z0-9_]+$", name)) && !startswith(name, "AWS_LAMBDA_") && !contains([
        "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT",
      ], name)
    ])
    error_message = join(" ", [
      "environment_variables has the names ${join(", ", keys(var.environment_variables))}: give names of letters,",
      "digits and _ that start with a letter, and none that Lambda reserves (AWS_REGION, AWS_LAMBDA_…,",
      "AWS_ACCESS_KEY_ID, …).",
    ])
  }

  validation {
    condition = alltrue([for value in values(var.environment_variables) : value != null])
    error_message = join(" ", [
      "environment_variables has null for ${join(", ", [for k, v in var.environment_variables : k if v == null])}:",
      "leave such a name out, or give a value.",
    ])
  }
}

variable "export_bucket" {
  type = object({
    arn = string
  })
  description = <<-EOT
    Bucket with the table's point-in-time exports, for load jobs: an aws_s3_bucket as a whole. Null (default): exports
    can't be loaded.
  EOT
  default     = null

  validation {
    condition = var.export_bucket == null || can(regex("^arn:[^:]+:s3:::[a-z0-9.-]{3,63}$", var.export_bucket.arn))
    error_message = join(" ", [
      "export_bucket.arn is ${jsonencode(try(var.export_bucket.arn, null))}: give an S3 bucket's ARN",
      "(arn:aws:s3:::NAME).",
    ])
  }
}

variable "export_bucket_kms_key_arn" {
  type        = string
  description = "ARN of the customer managed KMS key of export_bucket. Null (default): the service's own key."
  default     = null

  validation {
    condition = (
      var.export_bucket_kms_key_arn == null
      || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", var.export_bucket_kms_key_arn))
    )
    error_message = join(" ", [
      "export_bucket_kms_key_arn is ${jsonencode(var.export_bucket_kms_key_arn)}: give the ARN of a KMS key",
      "(arn:aws:kms:REGION:ACCOUNT:key/ID, not an alias), or null.",
    ])
  }
}

variable "failure_destination" {
  type = object({
    arn           = string
    fifo_queue    = optional(bool)
    force_destroy = optional(bool)
  })
  description = <<-EOT
    Where failures are redriven from, if not from the sync's own queue or bucket: an aws_sqs_queue or aws_s3_bucket as
    a whole, such as a queue that subscribes to the sync's topic; of one that isn't created yet, fifo_queue or
    force_destroy says which of the two it is. Null (default): the sync's; nothing, if that is a topic.
  EOT
  default     = null

  validation {
    condition = (
      var.failure_destination == null
      || can(regex(
        "^arn:[^:]+:(s3:::[a-z0-9.-]{3,63}|sqs:[^:]+:[0-9]{12}:[a-zA-Z0-9_-]{1,256})$", var.failure_destination.arn
      ))
    )
    error_message = join(" ", [
      "failure_destination.arn is ${jsonencode(try(var.failure_destination.arn, null))}: give the ARN of an SQS queue",
      "or S3 bucket. A topic keeps nothing: give a queue that subscribes to it.",
    ])
  }

  validation {
    condition = !coalesce(try(var.failure_destination.fifo_queue, null), false)
    error_message = join(" ", [
      "failure_destination.fifo_queue is ${jsonencode(try(var.failure_destination.fifo_queue, null))}: give a standard",
      "queue. Lambda delivers to no FIFO queue, and redriven failures need no order.",
    ])
  }
}

variable "failure_destination_kms_key_arn" {
  type        = string
  description = <<-EOT
    ARN of the customer managed KMS key of failure_destination. The role is granted its use. Null (default): the
    service's own key; for the sync's queue or bucket, the sync's failure_destination_kms_key_arn.
  EOT
  default     = null

  validation {
    condition = (
      var.failure_destination_kms_key_arn == null
      || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", var.failure_destination_kms_key_arn))
    )
    error_message = join(" ", [
      "failure_destination_kms_key_arn is ${jsonencode(var.failure_destination_kms_key_arn)}: give the ARN of a KMS",
      "key (arn:aws:kms:REGION:ACCOUNT:key/ID, not an alias), or null.",
    ])
  }
}

variable "indices" {
  type        = set(string)
  description = <<-EOT
    The indices behind the sync's own, now or later, where those are aliases: ["products-1"], or ["products-*"] for all
    whose names begin like that (default: none, the sync's indices are no aliases). verify reads them and create-index
    creates them. A pattern allows to create each index that it names, but denies every other PUT to them.
  EOT
  default     = []
  nullable    = false

  validation {
    condition = alltrue([
      for name in var.indices :
      can(regex("^[^-_+A-Z\\s\"*\\\\/|,?<>#:$][^+A-Z\\s\"*\\\\/|,?<>#:$]*[*]?$", name)) && length(name) <= 255
    ])
    error_message = join(" ", [
      "indices is ${jsonencode(var.indices)}: give index names: 1 to 255 characters, lower case, no spaces, none of \"",
      "+ \\ / | , ? < > # : $, not starting with - or _, a * only at the end.",
    ])
  }
}

variable "log_level" {
  type        = string
  description = "What the function logs: DEBUG, INFO (default), WARNING or ERROR. Metrics are written at every level."
  default     = "INFO"
  nullable    = false

  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR"], var.log_level)
    error_message = "log_level is '${var.log_level}': give DEBUG, INFO, WARNING or ERROR."
  }
}

variable "log_retention_in_days" {
  type        = number
  description = <<-EOT
    After how many days CloudWatch deletes the log lines of the function, and of the state machine if it has a log
    (default: 30); 0 keeps them forever.
  EOT
  default     = 30
  nullable    = false

  validation {
    condition = contains(
      [0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653],
      var.log_retention_in_days,
    )
    error_message = join(" ", [
      "log_retention_in_days is ${var.log_retention_in_days}: give 0 (forever) or a value that CloudWatch accepts: 1,",
      "3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653.",
    ])
  }
}

variable "max_concurrency" {
  type        = number
  description = <<-EOT
    How many units of a job run at the same time, each in its own invocation: 1 to 1000 (default: 10; with the sync's
    default of 2 bulk_connections, OpenSearch gets 20 bulk requests at once in addition to the sync's own).
  EOT
  default     = 10
  nullable    = false

  validation {
    condition = (
      var.max_concurrency >= 1 && var.max_concurrency <= 1000 && floor(var.max_concurrency) == var.max_concurrency
    )
    error_message = "max_concurrency is ${var.max_concurrency}: give a whole number from 1 to 1000."
  }
}

variable "memory_size" {
  type        = number
  description = <<-EOT
    The function's memory in MB, and with it its share of a processor: 128 to 10240 (default: 1769, one whole
    processor).
  EOT
  default     = 1769
  nullable    = false

  validation {
    condition     = var.memory_size >= 128 && var.memory_size <= 10240 && floor(var.memory_size) == var.memory_size
    error_message = "memory_size is ${var.memory_size}: give a whole number from 128 to 10240 (MB)."
  }
}

variable "name" {
  type        = string
  description = <<-EOT
    Name of the function and the state machine, and the stem of the names of everything that belongs to them: 1 to 64 of
    a-z A-Z 0-9 _ - characters. Null (default): the table's name followed by -opensearch-operations. Where that is too
    long or has dots, 8 characters of a hash keep apart what is cut or replaced.
  EOT
  default     = null

  validation {
    condition = var.name == null || can(regex("^[a-zA-Z0-9_-]{1,64}$", var.name))
    error_message = join(" ", [
      "name is ${jsonencode(var.name)}: give 1 to 64 characters, each of a-z A-Z 0-9 _ - (Lambda's rule for function",
      "names), or null.",
    ])
  }
}

variable "name_prefix" {
  type        = string
  description = <<-EOT
    Start of the default name, such as team-prod-: up to 22 of a-z A-Z 0-9 _ - characters, followed by the table's name
    and -opensearch-operations (default: ""). Nothing random is added.
  EOT
  default     = ""
  nullable    = false

  validation {
    condition = can(regex("^[a-zA-Z0-9_-]{0,22}$", var.name_prefix))
    error_message = join(" ", [
      "name_prefix is ${jsonencode(var.name_prefix)}: give up to 22 characters, each of a-z A-Z 0-9 _ - (Lambda's rule",
      "for function names).",
    ])
  }

  validation {
    condition = var.name_prefix == "" || var.name == null
    error_message = join(" ", [
      "name_prefix is ${jsonencode(var.name_prefix)} and name is ${jsonencode(var.name)}: give one of the two, or",
      "neither.",
    ])
  }
}

variable "permissions_boundary" {
  type        = string
  description = "ARN of the policy that bounds the roles created here. Null (default): the sync's."
  default     = null

  validation {
    condition = (
      var.permissions_boundary == null
      || can(regex("^arn:[^:]+:iam::([0-9]{12}|aws):policy/.+$", var.permissions_boundary))
    )
    error_message = join(" ", [
      "permissions_boundary is ${jsonencode(var.permissions_boundary)}: give the ARN of an IAM policy",
      "(arn:aws:iam::ACCOUNT:policy/NAME), or null.",
    ])
  }
}

variable "report_bucket" {
  type = object({
    arn = string
  })
  description = <<-EOT
    Bucket for the differences that verify finds and for refusals, as JSON lines under reports/: an aws_s3_bucket as a
    whole. Null (default): they are only logged.
  EOT
  default     = null

  validation {
    condition = var.report_bucket == null || can(regex("^arn:[^:]+:s3:::[a-z0-9.-]{3,63}$", var.report_bucket.arn))
    error_message = join(" ", [
      "report_bucket.arn is ${jsonencode(try(var.report_bucket.arn, null))}: give an S3 bucket's ARN",
      "(arn:aws:s3:::NAME).",
    ])
  }
}

variable "report_bucket_kms_key_arn" {
  type        = string
  description = "ARN of the customer managed KMS key of report_bucket. Null (default): the service's own key."
  default     = null

  validation {
    condition = (
      var.report_bucket_kms_key_arn == null
      || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", var.report_bucket_kms_key_arn))
    )
    error_message = join(" ", [
      "report_bucket_kms_key_arn is ${jsonencode(var.report_bucket_kms_key_arn)}: give the ARN of a KMS key",
      "(arn:aws:kms:REGION:ACCOUNT:key/ID, not an alias), or null.",
    ])
  }
}

variable "request_timeout_seconds" {
  type        = number
  description = <<-EOT
    How long the function waits for OpenSearch to answer a request, in seconds: 1 to 300, and less than timeout. Null
    (default): as long as the sync waits.
  EOT
  default     = null

  validation {
    condition = (
      var.request_timeout_seconds == null
      || try(
        var.request_timeout_seconds >= 1
        && var.request_timeout_seconds <= 300
        && floor(var.request_timeout_seconds) == var.request_timeout_seconds,
        false,
      )
    )
    error_message = join(" ", [
      "request_timeout_seconds is ${jsonencode(var.request_timeout_seconds)}: give a whole number from 1 to 300, or",
      "null for the sync's.",
    ])
  }

  validation {
    condition = coalesce(var.request_timeout_seconds, var.sync.settings.request_timeout_seconds) < var.timeout
    error_message = join(" ", [
      "request_timeout_seconds is ${jsonencode(var.request_timeout_seconds)} (the sync's is",
      "${var.sync.settings.request_timeout_seconds}) with timeout ${var.timeout}: give less than timeout, or the",
      "function times out before it can report what is done.",
    ])
  }
}

variable "reserved_concurrent_executions" {
  type        = number
  description = <<-EOT
    How many concurrent invocations are reserved for this function, which is also its limit; -1 (default) for no
    reservation, 0 stops the function. A job runs at most max_concurrency invocations at once.
  EOT
  default     = -1
  nullable    = false

  validation {
    condition = (
      floor(var.reserved_concurrent_executions) == var.reserved_concurrent_executions
      && var.reserved_concurrent_executions >= -1
    )
    error_message = join(" ", [
      "reserved_concurrent_executions is ${var.reserved_concurrent_executions}: give a whole number from 0, or -1 for",
      "no reservation.",
    ])
  }
}

variable "role" {
  type = object({
    arn = string
  })
  description = <<-EOT
    The function's role: an aws_iam_role as a whole, to which you attach the output policy. Null (default): a role with
    exactly that policy is created.
  EOT
  default     = null

  validation {
    condition = var.role == null || can(regex("^arn:[^:]+:iam::[0-9]{12}:role/.+$", var.role.arn))
    error_message = join(" ", [
      "role.arn is ${jsonencode(try(var.role.arn, null))}: give a role's ARN",
      "(arn:aws:iam::ACCOUNT:role/NAME).",
    ])
  }
}

variable "role_name" {
  type        = string
  description = <<-EOT
    Name of the function's role: 1 to 64 of a-z A-Z 0-9 + = , . @ _ - characters. Null (default): the function's name,
    completed by AWS. A role whose name is given can't move to another role_path under that name: IAM has only one role
    of a name, so change the name with the path.
  EOT
  default     = null

  validation {
    condition = var.role_name == null || can(regex("^[a-zA-Z0-9+=,.@_-]{1,64}$", var.role_name))
    error_message = join(" ", [
      "role_name is ${jsonencode(var.role_name)}: give 1 to 64 characters, each of a-z A-Z 0-9 + = , . @ _ - (IAM's",
      "rule for role names), or null.",
    ])
  }

  validation {
    condition = var.role_name == null || var.role == null
    error_message = join(" ", [
      "role_name is ${jsonencode(var.role_name)} and role is given: it names the role that would be created; leave one",
      "of the two out.",
    ])
  }
}

variable "role_path" {
  type        = string
  description = <<-EOT
    Path of the roles created here, such as /service/. Null (default): the sync's. See role_name for a role whose name
    is given.
  EOT
  default     = null

  validation {
    condition = (
      var.role_path == null
      || (can(regex("^/([!-.0-~][!-~]*/)?$", var.role_path)) && length(coalesce(var.role_path, "/")) <= 512)
    )
    error_message = join(" ", [
      "role_path is ${jsonencode(var.role_path)}: give / or a path that starts and ends with one, such as /service/,",
      "or null.",
    ])
  }

  validation {
    condition = var.role_path == null || var.role == null || var.state_machine_role == null
    error_message = join(" ", [
      "role_path is ${jsonencode(var.role_path)}, and role and state_machine_role are given: it is the path of the",
      "roles that would be created; leave it out.",
    ])
  }
}

variable "state_machine_kms_key_arn" {
  type        = string
  description = <<-EOT
    ARN of the customer managed KMS key of the state machine's definition and executions. Its role is granted the key's
    use. The operators who start and read executions need it too (kms:Decrypt, kms:GenerateDataKey), and with
    state_machine_log_level the key's own policy must let delivery.logs.amazonaws.com do kms:Decrypt. Null (default): a
    key that AWS owns.
  EOT
  default     = null

  validation {
    condition = (
      var.state_machine_kms_key_arn == null
      || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", var.state_machine_kms_key_arn))
    )
    error_message = join(" ", [
      "state_machine_kms_key_arn is ${jsonencode(var.state_machine_kms_key_arn)}: give the ARN of a KMS key",
      "(arn:aws:kms:REGION:ACCOUNT:key/ID, not an alias), or null.",
    ])
  }
}

variable "state_machine_log_execution_data" {
  type        = bool
  description = <<-EOT
    Whether the state machine's log holds the input and output of each state (default: false: a job's units and their
    positions hold keys of items).
  EOT
  default     = false
  nullable    = false

  validation {
    condition = !var.state_machine_log_execution_data || var.state_machine_log_level != "OFF"
    error_message = join(" ", [
      "state_machine_log_execution_data is ${var.state_machine_log_execution_data} and state_machine_log_level is",
      "'${var.state_machine_log_level}': there is no log that would hold it; give a level, or leave it out.",
    ])
  }
}

variable "state_machine_log_level" {
  type        = string
  description = <<-EOT
    What the state machine logs, to a log group of its own: ALL, ERROR, FATAL or OFF (default: its executions' own
    history, which AWS keeps for 90 days, has more).
  EOT
  default     = "OFF"
  nullable    = false

  validation {
    condition     = contains(["ALL", "ERROR", "FATAL", "OFF"], var.state_machine_log_level)
    error_message = "state_machine_log_level is '${var.state_machine_log_level}': give ALL, ERROR, FATAL or OFF."
  }
}

variable "state_machine_role" {
  type = object({
    arn = string
  })
  description = <<-EOT
    The state machine's role: an aws_iam_role as a whole, to which you attach the output state_machine_policy. Null
    (default): a role with exactly that policy is created.
  EOT
  default     = null

  validation {
    condition = (
      var.state_machine_role == null
      || can(regex("^arn:[^:]+:iam::[0-9]{12}:role/.+$", var.state_machine_role.arn))
    )
    error_message = join(" ", [
      "state_machine_role.arn is ${jsonencode(try(var.state_machine_role.arn, null))}: give a role's ARN",
      "(arn:aws:iam::ACCOUNT:role/NAME).",
    ])
  }
}

variable "state_machine_role_name" {
  type        = string
  description = <<-EOT
    Name of the state machine's role: 1 to 64 of a-z A-Z 0-9 + = , . @ _ - characters. Null (default): the state
    machine's name, completed by AWS. What role_name says about role_path is true for it, too.
  EOT
  default     = null

  validation {
    condition = (
      var.state_machine_role_name == null || can(regex("^[a-zA-Z0-9+=,.@_-]{1,64}$", var.state_machine_role_name))
    )
    error_message = join(" ", [
      "state_machine_role_name is ${jsonencode(var.state_machine_role_name)}: give 1 to 64 characters, each of a-z A-Z",
      "0-9 + = , . @ _ - (IAM's rule for role names), or null.",
    ])
  }

  validation {
    condition = var.state_machine_role_name == null || var.state_machine_role == null
    error_message = join(" ", [
      "state_machine_role_name is ${jsonencode(var.state_machine_role_name)} and state_machine_role is given: it",
      "names the role that would be created; leave one of the two out.",
    ])
  }

  validation {
    condition = var.state_machine_role_name == null || var.state_machine_role_name != var.role_name
    error_message = join(" ", [
      "state_machine_role_name is ${jsonencode(var.state_machine_role_name)}, as role_name is: give two names. They",
      "are two roles, with different rights.",
    ])
  }
}

variable "tags" {
  type        = map(string)
  description = "Tags of everything created here."
  default     = {}
  nullable    = false
}

variable "timeout" {
  type        = number
  description = <<-EOT
    How long one invocation may take, in seconds: 2 to 900 (default: 900, Lambda's maximum: fewer invocations for the
    same work).
  EOT
  default     = 900
  nullable    = false

  validation {
    condition     = var.timeout >= 2 && var.timeout <= 900 && floor(var.timeout) == var.timeout
    error_message = "timeout is ${var.timeout}: give a whole number from 2 to 900, Lambda's maximum."
  }
}

variable "tracing_mode" {
  type        = string
  description = "AWS X-Ray for the function and the state machine: PassThrough (default: off) or Active."
  default     = "PassThrough"
  nullable    = false

  validation {
    condition     = contains(["PassThrough", "Active"], var.tracing_mode)
    error_message = "tracing_mode is '${var.tracing_mode}': give PassThrough or Active."
  }
}
