variable "table" {
  type = object({
    name       = string
    arn        = string
    stream_arn = string
    hash_key   = string
    range_key  = optional(string)
    attribute = optional(set(object({
      name = string
      type = string
    })))
    stream_enabled   = optional(bool)
    stream_view_type = optional(string)
    server_side_encryption = optional(list(object({
      enabled     = bool
      kms_key_arn = optional(string)
    })))
  })
  description = <<-EOT
    The DynamoDB table, with a stream of any view type: an aws_dynamodb_table resource or data source, or this
    repository's modules/table, as a whole. For a table in another account, an object with these attributes.
  EOT
  nullable    = false

  validation {
    condition = can(regex("^arn:[^:]+:dynamodb:[^:]+:[0-9]{12}:table/[a-zA-Z0-9_.-]{3,255}$", var.table.arn))
    error_message = join(" ", [
      "table.arn is ${jsonencode(var.table.arn)}: give a table's ARN",
      "(arn:aws:dynamodb:REGION:ACCOUNT:table/NAME).",
    ])
  }

  validation {
    condition = !can(regex(":table/[^/]+$", var.table.arn)) || endswith(var.table.arn, ":table/${var.table.name}")
    error_message = join(" ", [
      "table.name is ${jsonencode(var.table.name)} and table.arn is ${jsonencode(var.table.arn)}: give name and ARN of",
      "one table.",
    ])
  }

  validation {
    condition = var.table.stream_enabled != false && try(length(var.table.stream_arn) > 0, false)
    error_message = join(" ", [
      "table '${var.table.name}' has no stream: set stream_enabled = true and a stream_view_type on it (its stream_arn",
      "is ${jsonencode(var.table.stream_arn)}).",
    ])
  }

  validation {
    condition = (
      try(length(var.table.stream_arn) == 0 || startswith(var.table.stream_arn, "${var.table.arn}/stream/"), true)
    )
    error_message = join(" ", [
      "table.stream_arn is ${jsonencode(var.table.stream_arn)}: give the ARN of a stream of",
      "${jsonencode(var.table.arn)} (its ARN, followed by /stream/LABEL).",
    ])
  }

  validation {
    condition = try(length(var.table.hash_key) > 0, false)
    error_message = join(" ", [
      "table.hash_key is ${jsonencode(var.table.hash_key)}: give the name of the partition key's",
      "attribute.",
    ])
  }
}

variable "architectures" {
  type        = list(string)
  description = <<-EOT
    The function's instruction set: ["arm64"] (default: a fifth cheaper) or ["x86_64"]. The package runs on both.
  EOT
  default     = ["arm64"]
  nullable    = false

  validation {
    condition     = contains([jsonencode(["arm64"]), jsonencode(["x86_64"])], jsonencode(var.architectures))
    error_message = "architectures is ${jsonencode(var.architectures)}: give [\"arm64\"] or [\"x86_64\"]."
  }
}

variable "attach_policy" {
  type        = bool
  description = <<-EOT
    Whether the role created here gets the policy inline (default: true). With false, attach the output policy to it
    yourself (output role_name) in the same apply: Lambda makes no event source mapping for a role without these rights.
  EOT
  default     = true
  nullable    = false

  validation {
    condition = var.attach_policy || var.role == null
    error_message = join(" ", [
      "attach_policy is ${var.attach_policy} and role is given: nothing is ever attached to a role that you give;",
      "leave attach_policy out.",
    ])
  }
}

variable "batch_size" {
  type        = number
  description = <<-EOT
    The most stream records per invocation: 1 to 10000 (default: 1000, which is what one read of a shard returns; AWS's
    default of 100 would make ten times as many invocations, each with its own requests).
  EOT
  default     = 1000
  nullable    = false

  validation {
    condition = var.batch_size >= 1 && var.batch_size <= 10000 && floor(var.batch_size) == var.batch_size
    error_message = join(" ", [
      "batch_size is ${var.batch_size}: give a whole number from 1 to 10000, AWS's limit for DynamoDB",
      "streams.",
    ])
  }
}

variable "bisect_batch_on_function_error" {
  type        = bool
  description = <<-EOT
    Whether Lambda halves a batch whose invocation failed or timed out (default: true: a smaller batch may succeed where
    the whole one did not; halving uses up no retries).
  EOT
  default     = true
  nullable    = false
}

variable "bulk_actions" {
  type        = number
  description = <<-EOT
    The most documents per bulk request: 1 to 10000 (default: 500, so that a full batch keeps both connections busy).
  EOT
  default     = 500
  nullable    = false

  validation {
    condition     = var.bulk_actions >= 1 && var.bulk_actions <= 10000 && floor(var.bulk_actions) == var.bulk_actions
    error_message = "bulk_actions is ${var.bulk_actions}: give a whole number from 1 to 10000."
  }
}

variable "bulk_bytes" {
  type        = number
  description = <<-EOT
    The most bytes per bulk request: 65536 to 10485760 (default: 3145728, the 3 MiB that AWS advises; small instance
    types accept at most 10 MiB).
  EOT
  default     = 3145728
  nullable    = false

  validation {
    condition     = var.bulk_bytes >= 65536 && var.bulk_bytes <= 10485760 && floor(var.bulk_bytes) == var.bulk_bytes
    error_message = "bulk_bytes is ${var.bulk_bytes}: give a whole number from 65536 (64 KiB) to 10485760 (10 MiB)."
  }
}

variable "bulk_connections" {
  type        = number
  description = <<-EOT
    How many bulk requests one invocation has under way at the same time: 1 to 8 (default: 2, so that one is encoded
    while the other is answered).
  EOT
  default     = 2
  nullable    = false

  validation {
    condition = (
      var.bulk_connections >= 1 && var.bulk_connections <= 8 && floor(var.bulk_connections) == var.bulk_connections
    )
    error_message = "bulk_connections is ${var.bulk_connections}: give a whole number from 1 to 8."
  }
}

variable "code_signing_config_arn" {
  type        = string
  description = <<-EOT
    ARN of a code signing configuration, for a package that you signed (s3_bucket and s3_key, or filename). Null
    (default): none.
  EOT
  default     = null

  validation {
    condition = (
      var.code_signing_config_arn == null
      || can(
        regex("^arn:[^:]+:lambda:[^:]+:[0-9]{12}:code-signing-config:csc-[a-z0-9]{17}$", var.code_signing_config_arn)
      )
    )
    error_message = join(" ", [
      "code_signing_config_arn is ${jsonencode(var.code_signing_config_arn)}: give the ARN of a code signing",
      "configuration (arn:aws:lambda:REGION:ACCOUNT:code-signing-config:csc-ID), or null.",
    ])
  }

  validation {
    condition = var.code_signing_config_arn == null || var.s3_bucket != null || var.filename != null
    error_message = join(" ", [
      "code_signing_config_arn is ${jsonencode(var.code_signing_config_arn)} with the package that comes with this",
      "module, which isn't signed: sign it with AWS Signer and give the signed package (s3_bucket and s3_key, or",
      "filename).",
    ])
  }
}

variable "collection" {
  type = object({
    arn                 = string
    collection_endpoint = string
  })
  description = <<-EOT
    The OpenSearch Serverless collection (Classic: of type SEARCH; NextGen: SEARCH or VECTORSEARCH): an
    aws_opensearchserverless_collection as a whole. Its data access and network policies must admit the role. Give one
    of domain, collection and opensearch_endpoint.
  EOT
  default     = null

  validation {
    condition = (
      var.collection == null || can(regex("^arn:[^:]+:aoss:[^:]+:[0-9]{12}:collection/[a-z0-9]+$", var.collection.arn))
    )
    error_message = join(" ", [
      "collection.arn is ${jsonencode(try(var.collection.arn, null))}: give a collection's ARN",
      "(arn:aws:aoss:REGION:ACCOUNT:collection/ID).",
    ])
  }

  validation {
    condition = var.collection == null || can(regex("^https://[^/@\\s]+$", var.collection.collection_endpoint))
    error_message = join(" ", [
      "collection.collection_endpoint is ${jsonencode(try(var.collection.collection_endpoint, null))}: give the",
      "collection's URL (https://ID.REGION.aoss.amazonaws.com, or https://ID.aoss.REGION.on.aws).",
    ])
  }

  validation {
    condition = try(split(":", var.collection.arn)[3] == split(":", var.table.arn)[3], true)
    error_message = join(" ", [
      "collection.arn is ${jsonencode(try(var.collection.arn, null))}: give one in the table's Region,",
      "${try(split(":", var.table.arn)[3], "?")}, where the function runs and signs its requests.",
    ])
  }
}

variable "compression" {
  type        = string
  description = <<-EOT
    Compression of bulk requests: none (default: fastest within a Region) or gzip (fewer bytes, but more of the
    function's time).
  EOT
  default     = "none"
  nullable    = false

  validation {
    condition     = contains(["none", "gzip"], var.compression)
    error_message = "compression is '${var.compression}': give none or gzip."
  }
}

variable "conflict_window_seconds" {
  type        = number
  description = <<-EOT
    How far apart AWS's clocks may stamp two changes of one item, in seconds: 10 to 3600 (default: 60). Conflicts within
    this window are settled by reading the item.
  EOT
  default     = 60
  nullable    = false

  validation {
    condition = (
      var.conflict_window_seconds >= 10
      && var.conflict_window_seconds <= 3600
      && floor(var.conflict_window_seconds) == var.conflict_window_seconds
    )
    error_message = "conflict_window_seconds is ${var.conflict_window_seconds}: give a whole number from 10 to 3600."
  }
}

variable "domain" {
  type = object({
    arn      = string
    endpoint = string
  })
  description = <<-EOT
    The OpenSearch domain: an aws_opensearch_domain resource or data source as a whole. With a custom endpoint: { arn =
    …, endpoint = "search.example.com" }. Give one of domain, collection and opensearch_endpoint.
  EOT
  default     = null

  validation {
    condition = (
      var.domain == null || can(regex("^arn:[^:]+:es:[^:]+:[0-9]{12}:domain/[a-z][a-z0-9-]{2,27}$", var.domain.arn))
    )
    error_message = join(" ", [
      "domain.arn is ${jsonencode(try(var.domain.arn, null))}: give a domain's ARN",
      "(arn:aws:es:REGION:ACCOUNT:domain/NAME).",
    ])
  }

  validation {
    condition = var.domain == null || can(regex("^(https://)?[^:/@\\s]+$", var.domain.endpoint))
    error_message = join(" ", [
      "domain.endpoint is ${jsonencode(try(var.domain.endpoint, null))}: give the domain's host name,",
      "without a path.",
    ])
  }

  validation {
    condition = try(split(":", var.domain.arn)[3] == split(":", var.table.arn)[3], true)
    error_message = join(" ", [
      "domain.arn is ${jsonencode(try(var.domain.arn, null))}: give one in the table's Region,",
      "${try(split(":", var.table.arn)[3], "?")}, where the function runs and signs its requests.",
    ])
  }
}

variable "enabled" {
  type        = bool
  description = <<-EOT
    Whether Lambda reads the stream (default: true). When you disable it, the sync stops; when you enable it again, it
    continues where it stopped, as long as the stream still holds that place: 24 hours.
  EOT
  default     = true
  nullable    = false
}

variable "environment_variables" {
  type        = map(string)
  description = <<-EOT
    Further environment variables for the function, such as AWS_ENDPOINT_URL_DYNAMODB; none that this module sets or
    that Lambda reserves.
  EOT
  default     = {}
  nullable    = false

  validation {
    condition = length(setintersection(keys(var.environment_variables), [
      "BULK_ACTIONS", "BULK_BYTES", "BULK_CONNECTIONS", "COMPRESSION", "CONFLICT_WINDOW_SECONDS", "DEAD_LETTER_ARN",
      "INDEX", "INDICES", "LOG_LEVEL", "OPENSEARCH_AUTH", "OPENSEARCH_CA_FILE", "OPENSEARCH_ENDPOINT",
      "OPENSEARCH_SECRET_ARN", "OPENSEARCH_SERVICE", "REQUEST_TIMEOUT_SECONDS", "SKIP_UNCHANGED", "SYNC_NAME",
      "TABLE_KEYS", "TABLE_NAME",
    ])) == 0
    error_message = join(" ", [
      "environment_variables has the names ${join(", ", keys(var.environment_variables))}: leave out those that this",
      "module sets from its own variables (index sets INDEX, opensearch_auth sets OPENSEARCH_AUTH, …).",
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
}

variable "failure_destination" {
  type = object({
    arn           = string
    fifo_queue    = optional(bool)
    fifo_topic    = optional(bool)
    force_destroy = optional(bool)
    url           = optional(string)
  })
  description = <<-EOT
    Where dead letters and AWS's failure records go: an aws_sqs_queue (standard), aws_sns_topic (standard) or
    aws_s3_bucket as a whole: its other attributes say what it is before its ARN is known. Null (default): one of
    failure_destination_type is created. Redrive what waits in the old destination before you change it.
  EOT
  default     = null

  validation {
    condition = (
      try(coalesce(var.failure_destination.fifo_queue, false), false) == false
      && try(coalesce(var.failure_destination.fifo_topic, false), false) == false
    )
    error_message = join(" ", [
      "failure_destination has fifo_queue = ${jsonencode(try(var.failure_destination.fifo_queue, null))} and",
      "fifo_topic = ${jsonencode(try(var.failure_destination.fifo_topic, null))}: give a standard queue or topic;",
      "Lambda delivers to no FIFO one.",
    ])
  }

  validation {
    condition = (
      var.failure_destination == null
      || can(
        regex(
          "^arn:[^:]+:(s3:::[a-z0-9.-]{3,63}|(sqs|sns):[^:]+:[0-9]{12}:[a-zA-Z0-9_-]{1,256})$",
          var.failure_destination.arn,
        )
      )
    )
    error_message = join(" ", [
      "failure_destination.arn is ${jsonencode(try(var.failure_destination.arn, null))}: give the ARN of a standard",
      "SQS queue, a standard SNS topic or an S3 bucket. Lambda delivers to no FIFO queue or topic.",
    ])
  }
}

variable "failure_destination_expiration_days" {
  type        = number
  description = <<-EOT
    After how many days a bucket created here (failure_destination_type s3) deletes its objects: 1 to 3650 (default:
    90). A queue created here keeps messages for SQS's maximum of 14 days.
  EOT
  default     = 90
  nullable    = false

  validation {
    condition = (
      var.failure_destination_expiration_days >= 1
      && var.failure_destination_expiration_days <= 3650
      && floor(var.failure_destination_expiration_days) == var.failure_destination_expiration_days
    )
    error_message = join(" ", [
      "failure_destination_expiration_days is ${var.failure_destination_expiration_days}: give a whole number from 1",
      "to 3650.",
    ])
  }
}

variable "failure_destination_force_destroy" {
  type        = bool
  description = <<-EOT
    Whether a queue created here can be deleted at all, and a bucket created here with what it holds (default: false:
    failures may be the only trace of a lost change). A queue's own policy refuses its deletion, be it by a destroy, by
    another name or by another failure destination. So redrive what waits in it, set this to true, apply, and only then
    make that change.
  EOT
  default     = false
  nullable    = false
}

variable "failure_destination_kms_key_arn" {
  type        = string
  description = <<-EOT
    ARN of the customer managed KMS key of the failure destination. A destination created here is encrypted with it; for
    one that you give, the role is granted its use. Null (default): the service's own key.
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

variable "failure_destination_redrive_policy" {
  type = object({
    dead_letter_target_arn = string
    max_receive_count      = number
  })
  description = <<-EOT
    A second queue (standard, in the same account and Region) that takes over messages that were received
    max_receive_count times from a queue created here. Null (default): none. A redrive receives a message again each
    time OpenSearch still refuses its document; a second queue would hide it from the first queue's alarms and redrives.
  EOT
  default     = null

  validation {
    condition = (
      var.failure_destination_redrive_policy == null
      || (var.failure_destination == null && var.failure_destination_type == "sqs")
    )
    error_message = join(" ", [
      "failure_destination_redrive_policy is ${jsonencode(var.failure_destination_redrive_policy)}, but no queue is",
      "created here (failure_destination is ${var.failure_destination == null ? "null" : "given"},",
      "failure_destination_type is '${var.failure_destination_type}'): set it on your own queue, or leave it out.",
    ])
  }

  validation {
    condition = (
      var.failure_destination_redrive_policy == null
      || can(
        regex(
          "^arn:[^:]+:sqs:[^:]+:[0-9]{12}:[a-zA-Z0-9_-]{1,80}$",
          var.failure_destination_redrive_policy.dead_letter_target_arn,
        )
      )
    )
    error_message = join(" ", [
      "failure_destination_redrive_policy.dead_letter_target_arn is",
      "${jsonencode(try(var.failure_destination_redrive_policy.dead_letter_target_arn, null))}: give the ARN of a",
      "standard SQS queue (arn:aws:sqs:REGION:ACCOUNT:NAME).",
    ])
  }

  validation {
    condition = (
      var.failure_destination_redrive_policy == null
      || try(
        var.failure_destination_redrive_policy.max_receive_count >= 1
        && var.failure_destination_redrive_policy.max_receive_count <= 1000
        && var.failure_destination_redrive_policy.max_receive_count % 1 == 0,
        false,
      )
    )
    error_message = join(" ", [
      "failure_destination_redrive_policy.max_receive_count is",
      "${jsonencode(try(var.failure_destination_redrive_policy.max_receive_count, null))}: give a whole number from 1",
      "to 1000.",
    ])
  }
}

variable "failure_destination_subscription" {
  type = object({
    protocol              = string
    endpoint              = string
    subscription_role_arn = optional(string)
  })
  description = <<-EOT
    Who gets the failures of a topic created here (failure_destination_type sns): a topic keeps nothing, so it needs a
    subscriber. As of an aws_sns_topic_subscription: protocol sqs (whose queue a redrive can read, and whose policy must
    let the topic in), firehose (with subscription_role_arn), lambda, https, email or email-json, and its endpoint. Null
    (default): no topic is created.
  EOT
  default     = null

  validation {
    condition = (
      (var.failure_destination_subscription != null)
      == (var.failure_destination == null && var.failure_destination_type == "sns")
    )
    error_message = join(" ", [
      "failure_destination_subscription is ${var.failure_destination_subscription == null ? "null" : "given"}, and",
      "failure_destination_type is '${var.failure_destination_type}' with failure_destination",
      "${var.failure_destination == null ? "null" : "given"}: a topic created here needs one, such as { protocol =",
      "\"sqs\", endpoint = aws_sqs_queue.failures.arn }, or each failure is lost; nothing else takes one.",
    ])
  }

  validation {
    condition = (
      var.failure_destination_subscription == null
      || contains(
        ["email", "email-json", "firehose", "https", "lambda", "sqs"],
        try(var.failure_destination_subscription.protocol, ""),
      )
    )
    error_message = join(" ", [
      "failure_destination_subscription.protocol is",
      "${jsonencode(try(var.failure_destination_subscription.protocol, null))}: give sqs, firehose, lambda, https,",
      "email or email-json.",
    ])
  }

  validation {
    condition = (
      (try(var.failure_destination_subscription.protocol, "") == "firehose")
      == (try(var.failure_destination_subscription.subscription_role_arn, null) != null)
    )
    error_message = join(" ", [
      "failure_destination_subscription.subscription_role_arn is",
      "${jsonencode(try(var.failure_destination_subscription.subscription_role_arn, null))} with protocol",
      "${jsonencode(try(var.failure_destination_subscription.protocol, null))}: firehose needs the ARN of a role that",
      "SNS delivers with, the others accept none.",
    ])
  }
}

variable "failure_destination_type" {
  type        = string
  description = <<-EOT
    What to create if you give no failure_destination: sqs (default: failures can be redriven message by message), sns
    (with failure_destination_subscription), or s3 (AWS's failure records then hold the whole event, not just a pointer
    into the stream that is useless after 24 hours).
  EOT
  default     = "sqs"
  nullable    = false

  validation {
    condition     = contains(["sqs", "sns", "s3"], var.failure_destination_type)
    error_message = "failure_destination_type is '${var.failure_destination_type}': give sqs, sns or s3."
  }
}

variable "filename" {
  type        = string
  description = <<-EOT
    Path of another package (zip) for the function, such as one that you built. Null (default): the package
    that comes with this module.
  EOT
  default     = null

  validation {
    condition = var.filename == null || var.s3_bucket == null
    error_message = join(" ", [
      "filename is ${jsonencode(var.filename)} and s3_bucket is ${jsonencode(var.s3_bucket)}: give one of the two, or",
      "neither for the package that comes with this module.",
    ])
  }

  validation {
    condition     = var.filename == null || try(fileexists(var.filename), false)
    error_message = "filename is ${jsonencode(var.filename)}: give the path of a zip file that exists."
  }
}

variable "filters" {
  type        = list(string)
  description = <<-EOT
    Patterns (JSON) with conditions on the table's keys; a record reaches the function only if it matches one of them.
    Example: jsonencode({ dynamodb = { Keys = { productId = { S = [{ prefix = "p-" }] } } } }). AWS allows 5, and 10 on
    request. Conditions on images or on eventName are refused: deletes and changes of items that stopped matching would
    be filtered out, and their documents would stay in the index. Jobs read the whole table: verify reports items that
    the filters exclude as missing. Default: [], every record; if the rules of all indices (indices) are conditions on
    string keys, the module makes the patterns. Lambda needs some minutes to apply changed ones: until then, it passes
    on by the old ones. So wait before you fill an index that was added, or verify it later.
  EOT
  default     = []
  nullable    = false

  validation {
    condition = length(var.filters) <= 10
    error_message = join(" ", [
      "filters has ${length(var.filters)} patterns: give at most 10 (5 unless AWS raised your",
      "account's quota).",
    ])
  }

  validation {
    condition = alltrue([for filter in var.filters : can(keys(jsondecode(filter))) && length(filter) <= 4096])
    error_message = join(" ", [
      "filters is ${jsonencode(var.filters)}: each must be a JSON object of at most 4096 characters, such as",
      "jsonencode({ dynamodb = { Keys = { productId = { S = [{ prefix = \"p-\" }] } } } }).",
    ])
  }

  # An item's keys never change, so all of its changes match or none does. Its images change, and so do event names.
  validation {
    condition = alltrue([
      for filter in [for json in var.filters : jsondecode(json) if can(keys(jsondecode(json)))] :
      try(keys(filter) == ["dynamodb"] && keys(filter.dynamodb) == ["Keys"], false)
    ])
    error_message = join(" ", [
      "filters is ${jsonencode(var.filters)}: give conditions on dynamodb.Keys only. A condition on an image filters",
      "out the delete of an item that stopped matching, and one on eventName filters out deletes or writes; documents",
      "that are not as their items would stay in the index.",
    ])
  }
}

variable "filters_kms_key_arn" {
  type        = string
  description = <<-EOT
    ARN of the customer managed KMS key that encrypts the filters (kms_key_arn of the event source mapping). Null
    (default): AWS's own key.
  EOT
  default     = null

  validation {
    condition = (
      var.filters_kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", var.filters_kms_key_arn))
    )
    error_message = join(" ", [
      "filters_kms_key_arn is ${jsonencode(var.filters_kms_key_arn)}: give the ARN of a KMS key",
      "(arn:aws:kms:REGION:ACCOUNT:key/ID, not an alias), or null.",
    ])
  }
}

variable "function_version" {
  type        = string
  description = <<-EOT
    The published version that the event source mapping invokes, such as "7", to stay with it after a rollback (see
    publish). While it is set, change nothing else: that version keeps its own role and settings. Null (default): the
    newest.
  EOT
  default     = null

  validation {
    condition = var.function_version == null || (var.publish && can(regex("^[1-9][0-9]*$", var.function_version)))
    error_message = join(" ", [
      "function_version is ${jsonencode(var.function_version)} with publish ${var.publish}: give the number of a",
      "published version, with publish = true, or null for the newest.",
    ])
  }
}

variable "index" {
  type        = string
  description = <<-EOT
    The index, or alias, that the sync keeps equal to the table: every item whole. Lower case. If it doesn't exist,
    OpenSearch creates it at the first write, provided the domain allows that. Give either index or indices.
  EOT
  default     = null

  validation {
    condition = (var.index == null) == try(length(keys(var.indices)) > 0, true)
    error_message = join(" ", [
      "index is ${jsonencode(var.index)} and indices is ${jsonencode(var.indices)}: give exactly one of the two: index",
      "for one index of whole items, or indices with at least one index.",
    ])
  }

  validation {
    # `$` and `*` would have another meaning in the role's policy, which names the index too.
    condition = (
      var.index == null
      || try(
        length(var.index) <= 255
        && var.index != "."
        && can(regex("^[^-_+A-Z\\s\"*\\\\/|,?<>#:$][^+A-Z\\s\"*\\\\/|,?<>#:$]*$", var.index))
        && !startswith(var.index, ".."),
        false,
      )
    )
    error_message = join(" ", [
      "index is ${jsonencode(var.index)}: give an OpenSearch index name: 1 to 255 characters, lower case, no spaces,",
      "none of \" * + \\ / | , ? < > # : $, not starting with - or _.",
    ])
  }
}

# `any`, for this one variable: of an object type, Terraform silently drops the members that it doesn't know, and a
# misspelt `exclude` would leave a secret in the index. The validations refuse what the type would have refused, and
# unknown members. They see the value as it was given: a member that isn't there is read by try(…, null).
variable "indices" {
  type        = any
  description = <<-EOT
    What each index, or alias, holds of the table, for several indices or for one that doesn't hold every item whole: a
    map of names to objects with any of these members ({}: every item whole). Give either index or indices.
    when = list of conditions: an item has a document if all of them hold. Each has an attribute (a dot leads into a
    map) and one of equals = list(string), not_equals = list(string), begins_with = string and exists = bool; numbers
    are compared by value. include = list(string): the only attributes that a document has. exclude = list(string):
    attributes that it lacks. rename = map(string): attribute -> field. constants = map of strings, numbers or booleans:
    field -> value, in every document. transform = "module:function" of a layer (layers), which gets the item first.
    standby = bool: an index that is being filled, and holds up no other (default: false). All of it must be known at
    plan.
  EOT
  default     = {}
  nullable    = false

  validation {
    condition = can(keys(var.indices)) && alltrue([for index in try(values(var.indices), []) : can(keys(index))])
    error_message = join(" ", [
      "indices is ${jsonencode(var.indices)}: give a map of index names to objects, such as { orders = { when = [{",
      "attribute = \"sk\", begins_with = \"ORDER#\" }] } }, with {} for an index of whole items.",
    ])
  }

  validation {
    condition = alltrue(flatten([for index in var.indices : [
      length(setsubtract(try(keys(index), []), [
        "constants", "exclude", "include", "rename", "standby", "transform", "when",
      ])) == 0,
      [for condition in try(index.when, null)[*] : length(setsubtract(try(keys(condition), []), [
        "attribute", "begins_with", "equals", "exists", "not_equals",
      ])) == 0],
    ]]))
    error_message = join(" ", [
      "indices has unknown members:",
      format("%s:", join(", ", flatten([for name, index in var.indices : [
        [for member in try(keys(index), []) : "${name}.${member}" if !contains([
          "constants", "exclude", "include", "rename", "standby", "transform", "when",
        ], member)],
        [for number, condition in try(index.when, null)[*] : [
          for member in try(keys(condition), []) : "${name}.when[${number}].${member}" if !contains([
            "attribute", "begins_with", "equals", "exists", "not_equals",
          ], member)
        ]],
      ]]))),
      "an index has when, include, exclude, rename, constants, transform and standby; a condition has attribute and",
      "one of equals, not_equals, begins_with and exists.",
    ])
  }

  # trimspace() takes what Terraform can make a string of, and no null.
  validation {
    condition = alltrue(flatten([for index in var.indices : [
      [for member in ["exclude", "include"] : (
        try(index[member], null) == null || (
          !can(keys(index[member])) && can([for text in index[member] : trimspace(text)])
        )
      )],
      [for member in ["constants", "rename"] : (
        try(index[member], null) == null || can([for text in values(index[member]) : trimspace(text)])
      )],
      try(index.standby, null) == null || can(tobool(index.standby)),
      try(index.transform, null) == null || can(trimspace(index.transform)),
      try(index.when, null) == null || can([for condition in index.when : keys(condition)]),
    ]]))
    error_message = join(" ", [
      "indices has members of the wrong type:",
      format("%s:", join(", ", flatten([for name, index in var.indices : [
        [for member in ["exclude", "include"] : "${name}.${member} = ${jsonencode(index[member])}" if(
          try(index[member], null) != null
          && (can(keys(index[member])) || !can([for text in index[member] : trimspace(text)]))
        )],
        [for member in ["constants", "rename"] : "${name}.${member} = ${jsonencode(index[member])}" if(
          try(index[member], null) != null && !can([for text in values(index[member]) : trimspace(text)])
        )],
        [for standby in [try(index.standby, null)] : "${name}.standby = ${jsonencode(standby)}" if(
          standby != null && !can(tobool(standby))
        )],
        [for transform in [try(index.transform, null)] : "${name}.transform = ${jsonencode(transform)}" if(
          transform != null && !can(trimspace(transform))
        )],
        [for when in [try(index.when, null)] : "${name}.when = ${jsonencode(when)}" if(
          when != null && !can([for condition in when : keys(condition)])
        )],
      ]]))),
      "give include and exclude as lists of strings, rename and constants as maps of strings, transform as a string,",
      "standby as true or false, when as a list of conditions.",
    ])
  }

  validation {
    condition = alltrue([for name in try(keys(var.indices), []) : (
      length(name) <= 255
      && name != "."
      && can(regex("^[^-_+A-Z\\s\"*\\\\/|,?<>#:$][^+A-Z\\s\"*\\\\/|,?<>#:$]*$", name))
      && !startswith(name, "..")
    )])
    error_message = join(" ", [
      "indices has the names",
      format("%s:", jsonencode([for name in try(keys(var.indices), []) : name if !(
        length(name) <= 255
        && name != "."
        && can(regex("^[^-_+A-Z\\s\"*\\\\/|,?<>#:$][^+A-Z\\s\"*\\\\/|,?<>#:$]*$", name))
        && !startswith(name, "..")
      )])),
      "give OpenSearch index names: 1 to 255 characters, lower case, no spaces, none of \" * + \\ / | , ? < > # : $,",
      "not starting with - or _.",
    ])
  }

  validation {
    condition = alltrue(flatten([for index in var.indices : [for condition in try(index.when, null)[*] :
      alltrue([for step in try(split(".", condition.attribute), [""]) : step != ""])
    ]]))
    error_message = join(" ", [
      "indices has conditions on no attribute:",
      format("%s:", jsonencode(flatten([for index in var.indices : [
        for condition in try(index.when, null)[*] : condition if !(
          alltrue([for step in try(split(".", condition.attribute), [""]) : step != ""])
        )
      ]]))),
      "give attribute = the name of an attribute, or a path of names with single dots between them, such as",
      "address.city.",
    ])
  }

  validation {
    condition = alltrue(flatten([for index in var.indices : [for condition in try(index.when, null)[*] :
      length([
        for operator in ["begins_with", "equals", "exists", "not_equals"] :
        operator if try(condition[operator], null) != null
      ]) == 1
    ]]))
    error_message = join(" ", [
      "indices has conditions without exactly one operator:",
      format("%s:", jsonencode(flatten([for index in var.indices : [
        for condition in try(index.when, null)[*] : condition if !(
          length([
            for operator in ["begins_with", "equals", "exists", "not_equals"] :
            operator if try(condition[operator], null) != null
          ]) == 1
        )
      ]]))),
      "give each condition one of equals, not_equals, begins_with and exists; for two of them, give two conditions on",
      "the attribute.",
    ])
  }

  validation {
    condition = alltrue(flatten([for index in var.indices : [for condition in try(index.when, null)[*] :
      alltrue([for operator in ["equals", "not_equals"] : (
        try(condition[operator], null) == null
        || (!can(keys(condition[operator])) && can(length([for text in condition[operator] : trimspace(text)])))
      )])
      && (try(condition.begins_with, null) == null || can(trimspace(condition.begins_with)))
      && (try(condition.exists, null) == null || can(tobool(condition.exists)))
    ]]))
    error_message = join(" ", [
      "indices has conditions of the wrong type:",
      format("%s:", jsonencode(flatten([for index in var.indices : [
        for condition in try(index.when, null)[*] : condition if !(
          alltrue([for operator in ["equals", "not_equals"] : (
            try(condition[operator], null) == null
            || (!can(keys(condition[operator])) && can(length([for text in condition[operator] : trimspace(text)])))
          )])
          && (try(condition.begins_with, null) == null || can(trimspace(condition.begins_with)))
          && (try(condition.exists, null) == null || can(tobool(condition.exists)))
        )
      ]]))),
      "give equals and not_equals as lists of strings, begins_with as a string, exists as true or false.",
    ])
  }

  validation {
    condition = alltrue(flatten([for index in var.indices : [for condition in try(index.when, null)[*] :
      alltrue([
        for operator in ["begins_with", "equals", "not_equals"] : try(length(condition[operator]), 1) > 0
      ])
    ]]))
    error_message = join(" ", [
      "indices has conditions with nothing to compare with:",
      format("%s:", jsonencode(flatten([for index in var.indices : [
        for condition in try(index.when, null)[*] : condition if !(
          alltrue([
            for operator in ["begins_with", "equals", "not_equals"] : try(length(condition[operator]), 1) > 0
          ])
        )
      ]]))),
      "give equals and not_equals at least one value, and begins_with at least one character (exists = true holds for",
      "any value).",
    ])
  }

  validation {
    condition = alltrue(flatten([for index in var.indices : [for condition in try(index.when, null)[*] :
      !contains(
        [for key in compact([var.table.hash_key, var.table.range_key]) : key if strcontains(key, ".")],
        try(condition.attribute, "")
      )
    ]]))
    error_message = join(" ", [
      "indices has conditions on a key whose own name has a dot:",
      format("%s:", jsonencode(flatten([for index in var.indices : [
        for condition in try(index.when, null)[*] : condition if !(
          !contains(
            [for key in compact([var.table.hash_key, var.table.range_key]) : key if strcontains(key, ".")],
            try(condition.attribute, "")
          )
        )
      ]]))),
      "leave them out: a dot leads into a map, so a rule can't name such an attribute.",
    ])
  }

  validation {
    condition = alltrue([for index in var.indices : (
      alltrue([for name in concat(
        try(index.include, null)[*], try(index.exclude, null)[*], try(keys(index.rename), []),
      ) : try(length(name) > 0, true)])
    )])
    error_message = join(" ", [
      "indices has empty names in include, exclude or rename:",
      format("%s:", jsonencode({ for name, index in var.indices : name => [
        try(index.include, null), try(index.exclude, null), try(index.rename, null),
        ] if !(
        alltrue([for name in concat(
          try(index.include, null)[*], try(index.exclude, null)[*], try(keys(index.rename), []),
        ) : try(length(name) > 0, true)])
      ) })),
      "give names of attributes.",
    ])
  }

  validation {
    condition = alltrue([for index in var.indices : (
      try(index.include, null) == null
      || try(length(setsubtract(index.include, try(index.exclude, null)[*])) > 0, true)
    )])
    error_message = join(" ", [
      "indices has documents of nothing:",
      format("%s:", jsonencode({ for name, index in var.indices : name => {
        include = index.include
        exclude = try(index.exclude, null)
        } if !(
        try(index.include, null) == null
        || try(length(setsubtract(index.include, try(index.exclude, null)[*])) > 0, true)
      ) })),
      "include at least one attribute that exclude doesn't remove, or leave include out for all attributes.",
    ])
  }

  validation {
    condition = alltrue([for index in var.indices : (
      alltrue([
        for fields in [concat(try(values(index.rename), []), try(keys(index.constants), []))] :
        length(distinct(fields)) == length(fields)
      ])
    )])
    error_message = join(" ", [
      "indices has fields with two values:",
      format("%s:", jsonencode({ for name, index in var.indices : name => {
        rename = try(index.rename, null), constants = try(index.constants, null)
        } if !(
        alltrue([
          for fields in [concat(try(values(index.rename), []), try(keys(index.constants), []))] :
          length(distinct(fields)) == length(fields)
        ])
      ) })),
      "give each renamed attribute and each constant a field of its own.",
    ])
  }

  validation {
    condition = alltrue([for index in var.indices : (
      alltrue([for name in try(keys(index.rename), []) : (
        (try(index.include, null) == null || contains(try(index.include, null)[*], name))
        && !contains(try(index.exclude, null)[*], name)
      )])
    )])
    error_message = join(" ", [
      "indices renames attributes that its documents lack:",
      format("%s:", jsonencode({ for name, index in var.indices : name => {
        rename  = index.rename
        include = try(index.include, null)
        exclude = try(index.exclude, null)
        } if !(
        alltrue([for name in try(keys(index.rename), []) : (
          (try(index.include, null) == null || contains(try(index.include, null)[*], name))
          && !contains(try(index.exclude, null)[*], name)
        )])
      ) })),
      "name them in include and not in exclude, or don't rename them; include and exclude go by the item's own names.",
    ])
  }

  validation {
    condition = alltrue([for index in var.indices : (
      alltrue(flatten([
        for field in concat(try(values(index.rename), []), try(keys(index.constants), [])) : [
          can(regex("^[^_~]", field)), [for part in split(".", try(trimspace(field), "a")) : trimspace(part) != ""],
        ]
      ]))
    )])
    error_message = join(" ", [
      "indices has field names that OpenSearch reserves or refuses:",
      format("%s:", jsonencode({ for name, index in var.indices : name => {
        rename = try(index.rename, null), constants = try(index.constants, null)
        } if !(
        alltrue(flatten([
          for field in concat(try(values(index.rename), []), try(keys(index.constants), [])) : [
            can(regex("^[^_~]", field)), [for part in split(".", try(trimspace(field), "a")) : trimspace(part) != ""],
          ]
        ]))
      ) })),
      "give names that don't start with _ (metadata such as _id) or ~ (escaped names), and have no blank part between",
      "dots.",
    ])
  }

  validation {
    condition = alltrue([for index in var.indices : (
      try(index.transform, null) == null
      || can(regex("^[a-zA-Z_]\\w*(\\.[a-zA-Z_]\\w*)*:[a-zA-Z_]\\w*$", index.transform))
    )])
    error_message = join(" ", [
      "indices has the transforms",
      format("%s:", jsonencode({ for name, index in var.indices : name => index.transform if !(
        try(index.transform, null) == null
        || can(regex("^[a-zA-Z_]\\w*(\\.[a-zA-Z_]\\w*)*:[a-zA-Z_]\\w*$", index.transform))
      ) })),
      "give module:function, such as search.documents:transform, with the names of a Python module and of a function",
      "in it.",
    ])
  }

  validation {
    condition = alltrue([for index in var.indices : (
      try(index.transform, null) == null || length(var.layers) > 0
    )])
    error_message = join(" ", [
      "indices has transforms, but there are no layers:",
      format("%s:", jsonencode({ for name, index in var.indices : name => index.transform if !(
        try(index.transform, null) == null || length(var.layers) > 0
      ) })),
      "give layers with the layer that holds the code; jobs fetch it from there, to run the same.",
    ])
  }

  validation {
    condition = (
      length(var.indices) == 0 || anytrue([for index in var.indices : try(tobool(index.standby), null) != true])
    )
    error_message = join(" ", [
      "indices has only ${jsonencode(try(keys(var.indices), []))}, each with standby = true: leave standby out of at",
      "least one; it is for an index that is being filled beside one that is searched.",
    ])
  }
}

variable "kms_key_arn" {
  type        = string
  description = <<-EOT
    ARN of the customer managed KMS key that encrypts the function's environment variables. Null (default): AWS's own
    key; the variables hold no secrets.
  EOT
  default     = null

  validation {
    condition = var.kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = join(" ", [
      "kms_key_arn is ${jsonencode(var.kms_key_arn)}: give the ARN of a KMS key (arn:aws:kms:REGION:ACCOUNT:key/ID,",
      "not an alias), or null.",
    ])
  }
}

variable "layers" {
  type        = list(string)
  description = <<-EOT
    ARNs of layer versions for the function, at most 5: for a transform (indices), a CA file (opensearch_ca_file) or an
    extension.
  EOT
  default     = []
  nullable    = false

  validation {
    condition = (
      length(var.layers) <= 5
      && alltrue([
        for layer in var.layers : can(regex("^arn:[^:]+:lambda:[^:]+:[0-9]{12}:layer:[a-zA-Z0-9_-]+:[0-9]+$", layer))
      ])
    )
    error_message = join(" ", [
      "layers is ${jsonencode(var.layers)}: give at most 5 ARNs of layer versions",
      "(arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION).",
    ])
  }
}

variable "log_format" {
  type        = string
  description = "JSON (default: Lambda's own lines are JSON too, so Logs Insights can read all of them) or Text."
  default     = "JSON"
  nullable    = false

  validation {
    condition     = contains(["JSON", "Text"], var.log_format)
    error_message = "log_format is '${var.log_format}': give JSON or Text."
  }
}

variable "log_kms_key_arn" {
  type        = string
  description = <<-EOT
    ARN of the customer managed KMS key that encrypts the log group; its key policy must let CloudWatch Logs use it.
    Null (default): CloudWatch's own key; the log holds no item contents.
  EOT
  default     = null

  validation {
    condition = (
      var.log_kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", var.log_kms_key_arn))
    )
    error_message = join(" ", [
      "log_kms_key_arn is ${jsonencode(var.log_kms_key_arn)}: give the ARN of a KMS key",
      "(arn:aws:kms:REGION:ACCOUNT:key/ID, not an alias), or null.",
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
  description = "After how many days CloudWatch deletes log lines (default: 30); 0 keeps them forever."
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

variable "maximum_batching_window_in_seconds" {
  type        = number
  description = <<-EOT
    How long Lambda waits for a batch to fill, in seconds: 0 to 300 (default: 0, as with AWS: a change is searchable at
    once). No record waits longer than this, whatever batch_size is.
  EOT
  default     = 0
  nullable    = false

  validation {
    condition = (
      var.maximum_batching_window_in_seconds >= 0
      && var.maximum_batching_window_in_seconds <= 300
      && floor(var.maximum_batching_window_in_seconds) == var.maximum_batching_window_in_seconds
    )
    error_message = join(" ", [
      "maximum_batching_window_in_seconds is ${var.maximum_batching_window_in_seconds}: give a whole number from 0 to",
      "300.",
    ])
  }
}

variable "maximum_record_age_in_seconds" {
  type        = number
  description = <<-EOT
    After how many seconds Lambda gives up a record: 60 to 604800, or -1 (default) for never: Lambda then waits for
    OpenSearch as long as the stream holds the record, which is 24 hours.
  EOT
  default     = -1
  nullable    = false

  validation {
    condition = (
      floor(var.maximum_record_age_in_seconds) == var.maximum_record_age_in_seconds
      && var.maximum_record_age_in_seconds <= 604800
      && (var.maximum_record_age_in_seconds >= 60 || var.maximum_record_age_in_seconds == -1)
    )
    error_message = join(" ", [
      "maximum_record_age_in_seconds is ${var.maximum_record_age_in_seconds}: give a whole number from 60 to 604800,",
      "or -1 for never.",
    ])
  }

  validation {
    condition = (
      var.maximum_record_age_in_seconds < 60
      || var.maximum_record_age_in_seconds > var.maximum_batching_window_in_seconds + var.timeout
    )
    error_message = join(" ", [
      "maximum_record_age_in_seconds is ${var.maximum_record_age_in_seconds} with maximum_batching_window_in_seconds",
      "${var.maximum_batching_window_in_seconds} and timeout ${var.timeout}: give more than the two together",
      "(${var.maximum_batching_window_in_seconds + var.timeout}), or -1: a record that waited for its batch and then",
      "for one invocation that timed out would be given up without a second attempt.",
    ])
  }
}

variable "maximum_retry_attempts" {
  type        = number
  description = <<-EOT
    How often Lambda retries a batch before giving it up: 0 to 10000, or -1 (default) for as long as the stream holds
    it. A document that OpenSearch refuses never blocks its shard for that long: the function sets it aside as a dead
    letter. Retries only wait for a cluster that is down or busy, or for a configuration error to be fixed.
  EOT
  default     = -1
  nullable    = false

  validation {
    condition = (
      floor(var.maximum_retry_attempts) == var.maximum_retry_attempts
      && var.maximum_retry_attempts <= 10000
      && var.maximum_retry_attempts >= -1
    )
    error_message = join(" ", [
      "maximum_retry_attempts is ${var.maximum_retry_attempts}: give a whole number from 0 to 10000, or -1 for as long",
      "as the stream holds the record.",
    ])
  }
}

variable "memory_size" {
  type        = number
  description = "The function's memory in MB, and with it its share of a processor: 128 to 10240 (default: 512)."
  default     = 512
  nullable    = false

  validation {
    condition     = var.memory_size >= 128 && var.memory_size <= 10240 && floor(var.memory_size) == var.memory_size
    error_message = "memory_size is ${var.memory_size}: give a whole number from 128 to 10240 (MB)."
  }
}

variable "metrics" {
  type        = set(string)
  description = <<-EOT
    Metrics of the event source mapping: ["EventCount"] (default: only these show records that were filtered out, given
    up or not delivered) or [] for none.
  EOT
  default     = ["EventCount"]
  nullable    = false

  validation {
    condition = length(setsubtract(var.metrics, ["EventCount"])) == 0
    error_message = join(" ", [
      "metrics is ${jsonencode(var.metrics)}: give [\"EventCount\"], the only kind for DynamoDB",
      "streams, or [].",
    ])
  }
}

variable "name" {
  type        = string
  description = <<-EOT
    Name of the function, and the stem of the names of everything that belongs to it: 1 to 64 of a-z A-Z 0-9 _ -
    characters. Null (default): the table's name followed by -opensearch-sync; where it is too long or has dots, a hash
    of it keeps two tables apart. Two syncs of one table need different names. Another name is another function with
    another event source mapping, which starts at starting_position; see failure_destination_force_destroy for its
    queue.
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
    Start of the default name, such as team-prod-: up to 32 of a-z A-Z 0-9 _ - characters, followed by the table's name
    and -opensearch-sync (default: ""). Nothing random is added.
  EOT
  default     = ""
  nullable    = false

  validation {
    condition = can(regex("^[a-zA-Z0-9_-]{0,32}$", var.name_prefix))
    error_message = join(" ", [
      "name_prefix is ${jsonencode(var.name_prefix)}: give up to 32 characters, each of a-z A-Z 0-9 _ - (Lambda's rule",
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

variable "opensearch_auth" {
  type        = string
  description = <<-EOT
    How the function authenticates to OpenSearch: sigv4 (default: with its role; needs domain or collection), basic
    (user and password from opensearch_secret_arn) or none.
  EOT
  default     = "sigv4"
  nullable    = false

  validation {
    condition     = contains(["sigv4", "basic", "none"], var.opensearch_auth)
    error_message = "opensearch_auth is '${var.opensearch_auth}': give sigv4, basic or none."
  }

  validation {
    condition = var.opensearch_auth == "sigv4" || var.collection == null
    error_message = join(" ", [
      "opensearch_auth is '${var.opensearch_auth}' with a collection: OpenSearch Serverless accepts",
      "only sigv4.",
    ])
  }
}

variable "opensearch_ca_file" {
  type        = string
  description = <<-EOT
    Path of a PEM file, in the package or a layer (/opt/…), with the CA that signed OpenSearch's certificate. Null
    (default): the public CAs.
  EOT
  default     = null

  validation {
    condition = var.opensearch_ca_file == null || try(length(var.opensearch_ca_file) > 0, false)
    error_message = join(" ", [
      "opensearch_ca_file is ${jsonencode(var.opensearch_ca_file)}: give the path of a PEM file, such as /opt/ca.pem",
      "from a layer, or null.",
    ])
  }
}

variable "opensearch_endpoint" {
  type        = string
  description = <<-EOT
    URL of an OpenSearch that is neither a domain nor a collection of yours, with opensearch_auth basic or none. Give
    one of domain, collection and opensearch_endpoint.
  EOT
  default     = null

  validation {
    condition = length(concat(var.domain[*], var.collection[*], var.opensearch_endpoint[*])) == 1
    error_message = join(" ", [
      "domain is ${var.domain == null ? "null" : "given"}, collection is ${var.collection == null ? "null" : "given"},",
      "opensearch_endpoint is ${jsonencode(var.opensearch_endpoint)}: give exactly one of the three.",
    ])
  }

  validation {
    condition = var.opensearch_endpoint == null || var.opensearch_auth != "sigv4"
    error_message = join(" ", [
      "opensearch_endpoint is ${jsonencode(var.opensearch_endpoint)} with opensearch_auth sigv4: give domain or",
      "collection instead, so that the role can be allowed to write there, or set opensearch_auth to basic or none.",
    ])
  }

  validation {
    condition = (
      var.opensearch_endpoint == null || can(regex("^https?://[^/@\\s?#]+(/[^@\\s?#]*)?$", var.opensearch_endpoint))
    )
    error_message = join(" ", [
      "opensearch_endpoint is",
      "${can(regex("@", var.opensearch_endpoint)) ? "a URL with a user in it" : jsonencode(var.opensearch_endpoint)}:",
      "give a URL such as https://search.example.com:9200, without user or password (those belong in the secret of",
      "opensearch_secret_arn).",
    ])
  }

  validation {
    condition = (
      var.opensearch_endpoint == null
      || var.opensearch_auth != "basic"
      || try(startswith(var.opensearch_endpoint, "https://"), true)
    )
    error_message = join(" ", [
      "opensearch_endpoint is ${jsonencode(var.opensearch_endpoint)} with opensearch_auth basic: give an https:// URL,",
      "or the password is sent in plain text.",
    ])
  }
}

variable "opensearch_secret_arn" {
  type        = string
  description = "ARN of the Secrets Manager secret for opensearch_auth basic: JSON with username and password."
  default     = null

  validation {
    condition = (var.opensearch_secret_arn != null) == (var.opensearch_auth == "basic")
    error_message = join(" ", [
      "opensearch_secret_arn is ${jsonencode(var.opensearch_secret_arn)} with opensearch_auth",
      "'${var.opensearch_auth}': basic needs a secret's ARN, the others accept none.",
    ])
  }

  validation {
    condition = (
      var.opensearch_secret_arn == null
      || can(regex("^arn:[^:]+:secretsmanager:[^:]+:[0-9]{12}:secret:.+$", var.opensearch_secret_arn))
    )
    error_message = join(" ", [
      "opensearch_secret_arn is ${jsonencode(var.opensearch_secret_arn)}: give a secret's ARN",
      "(arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX).",
    ])
  }
}

variable "opensearch_secret_kms_key_arn" {
  type        = string
  description = "ARN of the customer managed KMS key that encrypts the secret. Null (default): AWS's own key."
  default     = null

  validation {
    condition = (
      var.opensearch_secret_kms_key_arn == null
      || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", var.opensearch_secret_kms_key_arn))
    )
    error_message = join(" ", [
      "opensearch_secret_kms_key_arn is ${jsonencode(var.opensearch_secret_kms_key_arn)}: give the ARN of a KMS key",
      "(arn:aws:kms:REGION:ACCOUNT:key/ID, not an alias), or null.",
    ])
  }

  validation {
    condition = var.opensearch_secret_kms_key_arn == null || var.opensearch_auth == "basic"
    error_message = join(" ", [
      "opensearch_secret_kms_key_arn is ${jsonencode(var.opensearch_secret_kms_key_arn)} with opensearch_auth",
      "'${var.opensearch_auth}': only basic has a secret to decrypt.",
    ])
  }
}

variable "parallelization_factor" {
  type        = number
  description = <<-EOT
    How many batches of one shard are processed at the same time: 1 to 10 (default: 1: a shard accepts at most 1,000
    writes a second, and one invocation writes more than that; a batch that holds several changes of an item also writes
    it less often). The order of an item's changes is kept in any case.
  EOT
  default     = 1
  nullable    = false

  validation {
    condition = (
      var.parallelization_factor >= 1
      && var.parallelization_factor <= 10
      && floor(var.parallelization_factor) == var.parallelization_factor
    )
    error_message = "parallelization_factor is ${var.parallelization_factor}: give a whole number from 1 to 10."
  }
}

variable "permissions_boundary" {
  type        = string
  description = "ARN of the policy that bounds the role created here. Null (default): none."
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

  validation {
    condition = var.permissions_boundary == null || var.role == null
    error_message = join(" ", [
      "permissions_boundary is ${jsonencode(var.permissions_boundary)} and role is given: the boundary of a role that",
      "you give is yours to set; leave one of the two out.",
    ])
  }
}

variable "publish" {
  type        = bool
  description = <<-EOT
    Whether each change of the function publishes a version, and the event source mapping invokes the newest by the
    alias live (default: false). Then one command goes back to an earlier version with its code and settings (output
    rollback_command), as long as its role, index, OpenSearch and failure destination are still the present ones;
    function_version keeps it so. Lambda keeps old versions; delete those that you don't need.
  EOT
  default     = false
  nullable    = false
}

variable "replace_security_groups_on_destroy" {
  type        = bool
  description = <<-EOT
    Whether a destroy first gives the function's network interfaces other security groups, so that those of vpc_config
    can be deleted at once: Lambda keeps the interfaces for up to 45 minutes (default: false).
  EOT
  default     = false
  nullable    = false

  validation {
    condition = !var.replace_security_groups_on_destroy || var.vpc_config != null
    error_message = join(" ", [
      "replace_security_groups_on_destroy is ${var.replace_security_groups_on_destroy} without vpc_config: only a",
      "function in a VPC has security groups; leave it out.",
    ])
  }
}

variable "replacement_security_group_ids" {
  type        = set(string)
  description = <<-EOT
    The security groups that replace_security_groups_on_destroy gives the function's network interfaces. Null (default):
    the VPC's default one.
  EOT
  default     = null

  validation {
    condition = (
      var.replacement_security_group_ids == null
      || try(
        var.replace_security_groups_on_destroy
        && length(var.replacement_security_group_ids) >= 1
        && length(var.replacement_security_group_ids) <= 5
        && alltrue([for id in var.replacement_security_group_ids : startswith(id, "sg-")]),
        false,
      )
    )
    error_message = join(" ", [
      "replacement_security_group_ids is ${jsonencode(var.replacement_security_group_ids)} with",
      "replace_security_groups_on_destroy ${var.replace_security_groups_on_destroy}: give 1 to 5 security group ids",
      "(sg-…) with replace_security_groups_on_destroy = true, or null.",
    ])
  }
}

variable "request_timeout_seconds" {
  type        = number
  description = <<-EOT
    How long the function waits for OpenSearch to answer a request, in seconds: 1 to 300, and less than timeout
    (default: 20).
  EOT
  default     = 20
  nullable    = false

  validation {
    condition = (
      var.request_timeout_seconds >= 1
      && var.request_timeout_seconds <= 300
      && floor(var.request_timeout_seconds) == var.request_timeout_seconds
    )
    error_message = "request_timeout_seconds is ${var.request_timeout_seconds}: give a whole number from 1 to 300."
  }

  validation {
    condition = var.request_timeout_seconds < var.timeout
    error_message = join(" ", [
      "request_timeout_seconds is ${var.request_timeout_seconds} with timeout ${var.timeout}: give less than timeout,",
      "or the function times out before it can report which records are done.",
    ])
  }
}

variable "reserved_concurrent_executions" {
  type        = number
  description = <<-EOT
    How many concurrent invocations are reserved for this function, which is also its limit; -1 (default) for no
    reservation, 0 stops the function. Lambda runs one invocation per shard and parallelization_factor.
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
    Name of the role created here: 1 to 64 of a-z A-Z 0-9 + = , . @ _ - characters. Null (default): the sync's name,
    completed by AWS, so that syncs of the same name fit into two Regions.
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
    Path of the role created here, such as /service/ (default: "/"). Another path is another role, which is created
    before the old one is deleted: let it into OpenSearch, too. With a role_name, IAM refuses that
    (EntityAlreadyExists): change both at once.
  EOT
  default     = "/"
  nullable    = false

  validation {
    condition = can(regex("^/([!-.0-~][!-~]*/)?$", var.role_path)) && length(var.role_path) <= 512
    error_message = join(" ", [
      "role_path is ${jsonencode(var.role_path)}: give / or a path that starts and ends with one, such",
      "as /service/.",
    ])
  }

  validation {
    condition = var.role_path == "/" || var.role == null
    error_message = join(" ", [
      "role_path is ${jsonencode(var.role_path)} and role is given: it is the path of the role that would be created;",
      "leave one of the two out.",
    ])
  }
}

variable "runtime" {
  type        = string
  description = <<-EOT
    The function's Python: python3.11, python3.12, python3.13 (default: each supported version of hashicorp/aws knows
    it) or python3.14 (needs a version of hashicorp/aws that knows it; 5.100.0 doesn't).
  EOT
  default     = "python3.13"
  nullable    = false

  validation {
    condition     = contains(["python3.11", "python3.12", "python3.13", "python3.14"], var.runtime)
    error_message = "runtime is '${var.runtime}': give python3.11, python3.12, python3.13 or python3.14."
  }
}

variable "s3_bucket" {
  type        = string
  description = <<-EOT
    Bucket of another package (zip) for the function, with s3_key. Null (default): the package that comes with this
    module.
  EOT
  default     = null

  validation {
    condition = (var.s3_bucket == null) == (var.s3_key == null)
    error_message = join(" ", [
      "s3_bucket is ${jsonencode(var.s3_bucket)} and s3_key is ${jsonencode(var.s3_key)}: give both or",
      "neither.",
    ])
  }
}

variable "s3_key" {
  type        = string
  description = "Key of the package in s3_bucket."
  default     = null
}

variable "s3_object_version" {
  type        = string
  description = "Version of the package in s3_bucket. Null (default): the newest at the time of deployment."
  default     = null

  validation {
    condition = var.s3_object_version == null || var.s3_bucket != null
    error_message = join(" ", [
      "s3_object_version is ${jsonencode(var.s3_object_version)} without s3_bucket: give s3_bucket and",
      "s3_key too.",
    ])
  }
}

variable "skip_unchanged" {
  type        = bool
  description = <<-EOT
    Whether a record that changes nothing in an index's document is left out there (default: false, it is written all
    the same). It saves writes where indices leave out what changes most. Needs the stream view type NEW_AND_OLD_IMAGES.
  EOT
  default     = false
  nullable    = false

  validation {
    condition = (
      !var.skip_unchanged || coalesce(var.table.stream_view_type, "NEW_AND_OLD_IMAGES") == "NEW_AND_OLD_IMAGES"
    )
    error_message = join(" ", [
      "skip_unchanged is ${var.skip_unchanged} and the stream of table '${var.table.name}' has the view type",
      "${jsonencode(var.table.stream_view_type)}: set stream_view_type = \"NEW_AND_OLD_IMAGES\" on the table, or leave",
      "skip_unchanged out; without both images nothing shows what a change leaves as it was.",
    ])
  }
}

variable "source_code_hash" {
  type        = string
  description = <<-EOT
    SHA-256 of the package in s3_bucket, in base64: a new value deploys the package again. Null (default): only a new
    s3_key or s3_object_version does. A local file is hashed here.
  EOT
  default     = null

  validation {
    condition = var.source_code_hash == null || var.s3_bucket != null
    error_message = join(" ", [
      "source_code_hash is ${jsonencode(var.source_code_hash)} without s3_bucket: it is for packages in S3 only; files",
      "are hashed here.",
    ])
  }
}

variable "starting_position" {
  type        = string
  description = <<-EOT
    Where in the stream a new event source mapping starts: TRIM_HORIZON (default, as AWS advises: with everything that
    the stream holds; LATEST would miss what is written while Lambda sets it up) or LATEST. A change replaces the event
    source mapping, which then starts there again, and so does another name: LATEST loses what is written between the
    end of the old one and the start of the new one.
  EOT
  default     = "TRIM_HORIZON"
  nullable    = false

  validation {
    condition = contains(["TRIM_HORIZON", "LATEST"], var.starting_position)
    error_message = join(" ", [
      "starting_position is '${var.starting_position}': give TRIM_HORIZON or LATEST (DynamoDB streams have no",
      "AT_TIMESTAMP).",
    ])
  }
}

variable "system_log_level" {
  type        = string
  description = <<-EOT
    What Lambda itself logs, with log_format JSON: DEBUG, INFO (default: start and report of each invocation) or WARN
    (neither).
  EOT
  default     = "INFO"
  nullable    = false

  validation {
    condition     = contains(["DEBUG", "INFO", "WARN"], var.system_log_level)
    error_message = "system_log_level is '${var.system_log_level}': give DEBUG, INFO or WARN."
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
    How long one invocation may take, in seconds: 2 to 900 (default: 120: enough to retry within the invocation while a
    busy cluster recovers, and short enough that a hung invocation does not block its shard).
  EOT
  default     = 120
  nullable    = false

  validation {
    condition     = var.timeout >= 2 && var.timeout <= 900 && floor(var.timeout) == var.timeout
    error_message = "timeout is ${var.timeout}: give a whole number from 2 to 900, Lambda's maximum."
  }
}

variable "tracing_mode" {
  type        = string
  description = "AWS X-Ray: PassThrough (default: off, because nothing upstream of a stream traces) or Active."
  default     = "PassThrough"
  nullable    = false

  validation {
    condition     = contains(["PassThrough", "Active"], var.tracing_mode)
    error_message = "tracing_mode is '${var.tracing_mode}': give PassThrough or Active."
  }
}

variable "tumbling_window_in_seconds" {
  type        = number
  description = <<-EOT
    Length of Lambda's aggregation windows, in seconds: 0 to 900 (default: 0, none: a sync aggregates nothing).
  EOT
  default     = 0
  nullable    = false

  validation {
    condition = (
      var.tumbling_window_in_seconds >= 0
      && var.tumbling_window_in_seconds <= 900
      && floor(var.tumbling_window_in_seconds) == var.tumbling_window_in_seconds
    )
    error_message = join(" ", [
      "tumbling_window_in_seconds is ${var.tumbling_window_in_seconds}: give a whole number from 0 to",
      "900.",
    ])
  }
}

variable "vpc_config" {
  type = object({
    subnet_ids                  = set(string)
    security_group_ids          = set(string)
    ipv6_allowed_for_dual_stack = optional(bool, false)
  })
  description = <<-EOT
    Subnets and security groups that the function runs in, to reach a domain or a self-managed OpenSearch in a VPC. From
    there it needs a route to DynamoDB, to the failure destination, with basic to Secrets Manager, and with indices that
    its environment is too small for to Systems Manager: VPC endpoints or a NAT gateway. Null (default): no VPC.
  EOT
  default     = null

  validation {
    condition = (
      var.vpc_config == null
      || try(
        length(var.vpc_config.subnet_ids) >= 1
        && length(var.vpc_config.subnet_ids) <= 16
        && alltrue([for id in var.vpc_config.subnet_ids : startswith(id, "subnet-")]),
        false,
      )
    )
    error_message = join(" ", [
      "vpc_config.subnet_ids is ${jsonencode(try(var.vpc_config.subnet_ids, null))}: give 1 to 16 subnet ids",
      "(subnet-…), or no vpc_config.",
    ])
  }

  validation {
    condition = (
      var.vpc_config == null
      || try(
        length(var.vpc_config.security_group_ids) >= 1
        && length(var.vpc_config.security_group_ids) <= 5
        && alltrue([for id in var.vpc_config.security_group_ids : startswith(id, "sg-")]),
        false,
      )
    )
    error_message = join(" ", [
      "vpc_config.security_group_ids is ${jsonencode(try(var.vpc_config.security_group_ids, null))}: give 1 to 5",
      "security group ids (sg-…), or no vpc_config.",
    ])
  }
}
