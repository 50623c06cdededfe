variable "page_topic_arns" {
  type        = list(string)
  description = <<-EOT
    ARNs of the standard SNS topics for pages: when the sync is stuck, or changes are lost or soon will be. At most 5.
  EOT
  nullable    = false

  validation {
    condition = alltrue([
      for arn in var.page_topic_arns : can(regex("^arn:[^:]+:sns:[^:]+:[0-9]{12}:[a-zA-Z0-9_-]{1,256}$", arn))
    ])
    error_message = join(" ", [
      "page_topic_arns is ${jsonencode(var.page_topic_arns)}: give ARNs of standard SNS topics",
      "(arn:aws:sns:REGION:ACCOUNT:NAME).",
    ])
  }

  validation {
    condition = (
      alltrue([for arn in var.page_topic_arns : try(split(":", arn)[3] == split(":", var.sync.function_arn)[3], true)])
    )
    error_message = join(" ", [
      "page_topic_arns is ${jsonencode(var.page_topic_arns)}: give topics of the sync's Region,",
      "${try(split(":", var.sync.function_arn)[3], "?")}; an alarm can notify no other.",
    ])
  }

  validation {
    condition = length(var.page_topic_arns) <= 5
    error_message = join(" ", [
      "page_topic_arns has ${length(var.page_topic_arns)} topics (${jsonencode(var.page_topic_arns)}): give at most 5,",
      "CloudWatch's limit for an alarm.",
    ])
  }

  validation {
    condition = (
      length(var.page_topic_arns) > 0
      || alltrue([
        for threshold in [
          var.cluster_red_minutes, var.dead_letters_age_seconds, var.delivery_failures, var.dropped_events,
          var.errors, var.iterator_age_page_seconds, var.not_polling_minutes, var.writes_blocked_minutes,
        ] : threshold == null
      ])
    )
    error_message = join(" ", [
      "page_topic_arns is ${jsonencode(var.page_topic_arns)}, but there are alarms that would notify no topic: give at",
      "least one topic, or null for each of cluster_red_minutes, dead_letters_age_seconds, delivery_failures,",
      "dropped_events, errors, iterator_age_page_seconds, not_polling_minutes, writes_blocked_minutes.",
    ])
  }
}

variable "sync" {
  type = object({
    event_source_mapping_uuid = string
    failure_destination_arn   = string
    failure_destination_type  = string
    function_arn              = string
    function_name             = string
    indices                   = list(string)
    log_group_name            = string
    metrics                   = set(string)
    stream_arn                = string
    timeout                   = number
    domain_arn                = optional(string)
  })
  description = "The sync to watch: the root module as a whole (sync = module.search)."
  nullable    = false

  validation {
    condition = can(regex("^arn:[^:]+:lambda:[^:]+:[0-9]{12}:function:[a-zA-Z0-9_-]+$", var.sync.function_arn))
    error_message = join(" ", [
      "sync.function_arn is ${jsonencode(var.sync.function_arn)}: give a function's ARN",
      "(arn:aws:lambda:REGION:ACCOUNT:function:NAME).",
    ])
  }

  validation {
    condition = can(regex("^arn:[^:]+:dynamodb:[^:]+:[0-9]{12}:table/[^/]+/stream/[^/]+$", var.sync.stream_arn))
    error_message = join(" ", [
      "sync.stream_arn is ${jsonencode(var.sync.stream_arn)}: give a stream's ARN",
      "(arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/LABEL).",
    ])
  }

  validation {
    condition = try(split(":", var.sync.failure_destination_arn)[2] == var.sync.failure_destination_type, false)
    error_message = join(" ", [
      "sync.failure_destination_arn is ${jsonencode(var.sync.failure_destination_arn)} and",
      "sync.failure_destination_type is ${jsonencode(var.sync.failure_destination_type)}: give the ARN of a queue",
      "(sqs), a topic (sns) or a bucket (s3), and its type.",
    ])
  }

  validation {
    condition = (
      contains(var.sync.metrics, "EventCount")
      || alltrue([
        for threshold in [var.dropped_events, var.failed_invokes, var.given_up_events, var.not_polling_minutes] :
        threshold == null
      ])
    )
    error_message = join(" ", [
      "sync.metrics is ${jsonencode(var.sync.metrics)}: set metrics = [\"EventCount\"] on the sync, without which its",
      "event source mapping reports nothing, or give null for each of dropped_events, failed_invokes, given_up_events,",
      "not_polling_minutes.",
    ])
  }
}

variable "warn_topic_arns" {
  type        = list(string)
  description = <<-EOT
    ARNs of the standard SNS topics for warnings, which can wait until morning. May be the same as page_topic_arns. At
    most 5.
  EOT
  nullable    = false

  validation {
    condition = alltrue([
      for arn in var.warn_topic_arns : can(regex("^arn:[^:]+:sns:[^:]+:[0-9]{12}:[a-zA-Z0-9_-]{1,256}$", arn))
    ])
    error_message = join(" ", [
      "warn_topic_arns is ${jsonencode(var.warn_topic_arns)}: give ARNs of standard SNS topics",
      "(arn:aws:sns:REGION:ACCOUNT:NAME).",
    ])
  }

  validation {
    condition = (
      alltrue([for arn in var.warn_topic_arns : try(split(":", arn)[3] == split(":", var.sync.function_arn)[3], true)])
    )
    error_message = join(" ", [
      "warn_topic_arns is ${jsonencode(var.warn_topic_arns)}: give topics of the sync's Region,",
      "${try(split(":", var.sync.function_arn)[3], "?")}; an alarm can notify no other.",
    ])
  }

  validation {
    condition = length(var.warn_topic_arns) <= 5
    error_message = join(" ", [
      "warn_topic_arns has ${length(var.warn_topic_arns)} topics (${jsonencode(var.warn_topic_arns)}): give at most 5,",
      "CloudWatch's limit for an alarm.",
    ])
  }

  validation {
    condition = (
      length(var.warn_topic_arns) > 0
      || alltrue([
        for threshold in [
          var.dead_letters, var.dead_letters_waiting, var.duration_percent, var.failed_invokes,
          var.free_storage_space_mib, var.given_up_events, var.iterator_age_warn_seconds,
          var.jvm_memory_pressure_percent, var.lag_seconds, var.throttles,
        ] : threshold == null
      ])
    )
    error_message = join(" ", [
      "warn_topic_arns is ${jsonencode(var.warn_topic_arns)}, but there are alarms that would notify no topic: give at",
      "least one topic, or null for each of dead_letters, dead_letters_waiting, duration_percent, failed_invokes,",
      "free_storage_space_mib, given_up_events, iterator_age_warn_seconds, jvm_memory_pressure_percent, lag_seconds,",
      "throttles.",
    ])
  }
}

variable "cluster_red_minutes" {
  type        = number
  description = <<-EOT
    After how many minutes in which a shard of the domain has no copy (ClusterStatus.red) an alarm pages: 1 to 1440; AWS
    advises 1. Needs a domain. Null (default): no alarm.
  EOT
  default     = null

  validation {
    condition = try(
      var.cluster_red_minutes >= 1
      && var.cluster_red_minutes <= 1440
      && floor(var.cluster_red_minutes) == var.cluster_red_minutes,
      var.cluster_red_minutes == null,
    )
    error_message = join(" ", [
      "cluster_red_minutes is ${jsonencode(var.cluster_red_minutes)}: give a whole number from 1 to 1440, or null for",
      "no alarm.",
    ])
  }

  validation {
    condition = var.cluster_red_minutes == null || try(var.domain.arn, var.sync.domain_arn) != null
    error_message = join(" ", [
      "cluster_red_minutes is ${jsonencode(var.cluster_red_minutes)} without a domain: give domain (the sync has",
      "none), or null for no alarm.",
    ])
  }
}

variable "dashboard" {
  type        = bool
  description = "Whether to create a dashboard, named like the sync's function (default: true)."
  default     = true
  nullable    = false
}

variable "datapoints_to_alarm" {
  type        = number
  description = <<-EOT
    In how many of evaluation_periods a threshold must be breached before an alarm goes off, for conditions that may
    pass by themselves: 1 to evaluation_periods (default: 2, that is 10 of 15 minutes).
  EOT
  default     = 2
  nullable    = false

  validation {
    condition = (
      var.datapoints_to_alarm >= 1
      && var.datapoints_to_alarm <= var.evaluation_periods
      && floor(var.datapoints_to_alarm) == var.datapoints_to_alarm
    )
    error_message = join(" ", [
      "datapoints_to_alarm is ${var.datapoints_to_alarm}: give a whole number from 1 to evaluation_periods",
      "(${var.evaluation_periods}).",
    ])
  }
}

variable "dead_letters" {
  type        = number
  description = <<-EOT
    How many documents set aside within five minutes (DeadLetters) trigger a warning: a whole number of at least 1
    (default: 1). Null: no alarm.
  EOT
  default     = 1

  validation {
    condition = try(var.dead_letters >= 1 && floor(var.dead_letters) == var.dead_letters, var.dead_letters == null)
    error_message = join(" ", [
      "dead_letters is ${jsonencode(var.dead_letters)}: give a whole number of at least 1, or null for",
      "no alarm.",
    ])
  }
}

variable "dead_letters_age_seconds" {
  type        = number
  description = <<-EOT
    The age in seconds at which the oldest failure in the queue triggers a page: more than 0, and less than the 1209600
    (14 days) that SQS keeps a message (default: 43200, 12 hours: AWS's failure records point into the stream for 24).
    SQS does not count messages that were received three times. Null: no alarm.
  EOT
  default     = 43200

  validation {
    condition = try(
      var.dead_letters_age_seconds > 0 && var.dead_letters_age_seconds < 1209600, var.dead_letters_age_seconds == null
    )
    error_message = join(" ", [
      "dead_letters_age_seconds is ${jsonencode(var.dead_letters_age_seconds)}: give more than 0 and less than 1209600",
      "(14 days, after which SQS deletes), or null for no alarm.",
    ])
  }

  validation {
    condition = var.dead_letters_age_seconds == null || var.sync.failure_destination_type == "sqs"
    error_message = join(" ", [
      "dead_letters_age_seconds is ${jsonencode(var.dead_letters_age_seconds)}, but the sync's failure destination is",
      "of type ${var.sync.failure_destination_type}: only a queue (sqs) reports what waits in it; give null for no",
      "alarm.",
    ])
  }
}

variable "dead_letters_waiting" {
  type        = number
  description = <<-EOT
    How many failures in the queue trigger a warning: a whole number of at least 1 (default: 1). Null: no alarm. Only
    for a failure destination that is a queue.
  EOT
  default     = 1

  validation {
    condition = try(
      var.dead_letters_waiting >= 1 && floor(var.dead_letters_waiting) == var.dead_letters_waiting,
      var.dead_letters_waiting == null,
    )
    error_message = join(" ", [
      "dead_letters_waiting is ${jsonencode(var.dead_letters_waiting)}: give a whole number of at least 1, or null for",
      "no alarm.",
    ])
  }

  validation {
    condition = var.dead_letters_waiting == null || var.sync.failure_destination_type == "sqs"
    error_message = join(" ", [
      "dead_letters_waiting is ${jsonencode(var.dead_letters_waiting)}, but the sync's failure destination is of type",
      "${var.sync.failure_destination_type}: only a queue (sqs) reports what waits in it; give null for no alarm.",
    ])
  }
}

variable "delivery_failures" {
  type        = number
  description = <<-EOT
    How many failure records that the failure destination did not accept within five minutes
    (DestinationDeliveryFailures) trigger a page: a whole number of at least 1 (default: 1). Null: no alarm.
  EOT
  default     = 1

  validation {
    condition = try(
      var.delivery_failures >= 1 && floor(var.delivery_failures) == var.delivery_failures, var.delivery_failures == null
    )
    error_message = join(" ", [
      "delivery_failures is ${jsonencode(var.delivery_failures)}: give a whole number of at least 1, or null for no",
      "alarm.",
    ])
  }
}

variable "domain" {
  type = object({
    arn = string
  })
  description = <<-EOT
    The OpenSearch domain to watch too: an aws_opensearch_domain as a whole. Null (default): the sync's own domain, if
    it has one. Its alarms are those of cluster_red_minutes, free_storage_space_mib, jvm_memory_pressure_percent and
    writes_blocked_minutes that you set.
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
    condition = try(split(":", var.domain.arn)[3] == split(":", var.sync.function_arn)[3], true)
    error_message = join(" ", [
      "domain.arn is ${jsonencode(try(var.domain.arn, null))}: give one in the sync's Region,",
      "${try(split(":", var.sync.function_arn)[3], "?")}; an alarm only sees metrics of its own Region.",
    ])
  }
}

variable "dropped_events" {
  type        = number
  description = <<-EOT
    How many changes that Lambda dropped within five minutes (DroppedEventCount) trigger a page: a whole number of at
    least 1 (default: 1). Null: no alarm.
  EOT
  default     = 1

  validation {
    condition = (
      try(var.dropped_events >= 1 && floor(var.dropped_events) == var.dropped_events, var.dropped_events == null)
    )
    error_message = join(" ", [
      "dropped_events is ${jsonencode(var.dropped_events)}: give a whole number of at least 1, or null",
      "for no alarm.",
    ])
  }
}

variable "duration_percent" {
  type        = number
  description = <<-EOT
    How much of its timeout an invocation may use before it triggers a warning, in percent: more than 0, at most 100
    (default: 90; while OpenSearch is busy the function continues until 3 s before the end). Null: no alarm.
  EOT
  default     = 90

  validation {
    condition = try(var.duration_percent > 0 && var.duration_percent <= 100, var.duration_percent == null)
    error_message = join(" ", [
      "duration_percent is ${jsonencode(var.duration_percent)}: give more than 0 and at most 100, or null for no",
      "alarm.",
    ])
  }
}

variable "errors" {
  type        = number
  description = <<-EOT
    How many failed invocations within five minutes (Errors) trigger a page: a whole number of at least 1 (default: 1).
    Null: no alarm.
  EOT
  default     = 1

  validation {
    condition     = try(var.errors >= 1 && floor(var.errors) == var.errors, var.errors == null)
    error_message = "errors is ${jsonencode(var.errors)}: give a whole number of at least 1, or null for no alarm."
  }
}

variable "evaluation_periods" {
  type        = number
  description = <<-EOT
    How many periods of five minutes an alarm looks at, for conditions that may pass by themselves: 1 to 288, a day
    (default: 3).
  EOT
  default     = 3
  nullable    = false

  validation {
    condition = (
      var.evaluation_periods >= 1
      && var.evaluation_periods <= 288
      && floor(var.evaluation_periods) == var.evaluation_periods
    )
    error_message = join(" ", [
      "evaluation_periods is ${var.evaluation_periods}: give a whole number from 1 to 288, the five",
      "minutes of a day.",
    ])
  }
}

variable "failed_invokes" {
  type        = number
  description = <<-EOT
    How many unfinished changes that Lambda retries within five minutes (FailedInvokeEventCount) trigger a warning: a
    whole number of at least 1 (default: 1). Null: no alarm.
  EOT
  default     = 1

  validation {
    condition = (
      try(var.failed_invokes >= 1 && floor(var.failed_invokes) == var.failed_invokes, var.failed_invokes == null)
    )
    error_message = join(" ", [
      "failed_invokes is ${jsonencode(var.failed_invokes)}: give a whole number of at least 1, or null",
      "for no alarm.",
    ])
  }
}

variable "free_storage_space_mib" {
  type        = number
  description = <<-EOT
    The free storage of the domain's fullest node at which it triggers a warning, in MiB: more than 0; AWS advises a
    quarter of a node's storage. Needs a domain. Null (default): no alarm.
  EOT
  default     = null

  validation {
    condition = try(var.free_storage_space_mib > 0, var.free_storage_space_mib == null)
    error_message = join(" ", [
      "free_storage_space_mib is ${jsonencode(var.free_storage_space_mib)}: give more than 0 (a quarter of a node's",
      "storage, in MiB), or null for no alarm.",
    ])
  }

  validation {
    condition = var.free_storage_space_mib == null || try(var.domain.arn, var.sync.domain_arn) != null
    error_message = join(" ", [
      "free_storage_space_mib is ${jsonencode(var.free_storage_space_mib)} without a domain: give domain (the sync has",
      "none), or null for no alarm.",
    ])
  }
}

variable "given_up_events" {
  type        = number
  description = <<-EOT
    How many changes that Lambda gave up and recorded within five minutes (OnFailureDestinationDeliveredEventCount)
    trigger a warning: a whole number of at least 1 (default: 1). Null: no alarm.
  EOT
  default     = 1

  validation {
    condition = (
      try(var.given_up_events >= 1 && floor(var.given_up_events) == var.given_up_events, var.given_up_events == null)
    )
    error_message = join(" ", [
      "given_up_events is ${jsonencode(var.given_up_events)}: give a whole number of at least 1, or",
      "null for no alarm.",
    ])
  }
}

variable "iterator_age_page_seconds" {
  type        = number
  description = <<-EOT
    The age of a change on reaching the function (IteratorAge) that triggers a page, in seconds: more than 0, less than
    the 86400 (24 hours) that the stream keeps it (default: 43200, 12 hours: half the time is left). Null: no alarm.
  EOT
  default     = 43200

  validation {
    condition = try(
      var.iterator_age_page_seconds > 0 && var.iterator_age_page_seconds < 86400, var.iterator_age_page_seconds == null
    )
    error_message = join(" ", [
      "iterator_age_page_seconds is ${jsonencode(var.iterator_age_page_seconds)}: give more than 0 and less than 86400",
      "(24 hours, after which the stream loses a change), or null for no alarm.",
    ])
  }
}

variable "iterator_age_warn_seconds" {
  type        = number
  description = <<-EOT
    The age of a change on reaching the function (IteratorAge) that triggers a warning, in seconds: more than 0, less
    than iterator_age_page_seconds (default: 900, 15 minutes). Null: no alarm.
  EOT
  default     = 900

  validation {
    condition = try(
      var.iterator_age_warn_seconds > 0 && var.iterator_age_warn_seconds < 86400, var.iterator_age_warn_seconds == null
    )
    error_message = join(" ", [
      "iterator_age_warn_seconds is ${jsonencode(var.iterator_age_warn_seconds)}: give more than 0 and less than 86400",
      "(24 hours, after which the stream loses a change), or null for no alarm.",
    ])
  }

  validation {
    condition = try(var.iterator_age_warn_seconds < var.iterator_age_page_seconds, true)
    error_message = join(" ", [
      "iterator_age_warn_seconds is ${jsonencode(var.iterator_age_warn_seconds)} with iterator_age_page_seconds",
      "${jsonencode(var.iterator_age_page_seconds)}: give less, or the page comes before the warning.",
    ])
  }
}

variable "jvm_memory_pressure_percent" {
  type        = number
  description = <<-EOT
    The domain's memory pressure (JVMMemoryPressure, for 3 minutes) that triggers a warning, in percent: more than 0, at
    most 100. AWS advises 95, but blocks writes after half an hour at 92: 90 is early enough. Needs a domain. Null
    (default): no alarm.
  EOT
  default     = null

  validation {
    condition = try(
      var.jvm_memory_pressure_percent > 0 && var.jvm_memory_pressure_percent <= 100,
      var.jvm_memory_pressure_percent == null,
    )
    error_message = join(" ", [
      "jvm_memory_pressure_percent is ${jsonencode(var.jvm_memory_pressure_percent)}: give more than 0 and at most",
      "100, or null for no alarm.",
    ])
  }

  validation {
    condition = var.jvm_memory_pressure_percent == null || try(var.domain.arn, var.sync.domain_arn) != null
    error_message = join(" ", [
      "jvm_memory_pressure_percent is ${jsonencode(var.jvm_memory_pressure_percent)} without a domain: give domain",
      "(the sync has none), or null for no alarm.",
    ])
  }
}

variable "lag_seconds" {
  type        = number
  description = <<-EOT
    The time from a change to its document (Lag) that triggers a warning, in seconds: more than 0, less than 86400
    (default: 300; about 1 is usual). Null: no alarm.
  EOT
  default     = 300

  validation {
    condition = try(var.lag_seconds > 0 && var.lag_seconds < 86400, var.lag_seconds == null)
    error_message = join(" ", [
      "lag_seconds is ${jsonencode(var.lag_seconds)}: give more than 0 and less than 86400, or null",
      "for no alarm.",
    ])
  }
}

variable "not_polling_minutes" {
  type        = number
  description = <<-EOT
    After how many minutes without a read of the stream (PolledEventCount) an alarm pages: 5 to 1440 (default: 15; an
    event source mapping that is created or changed takes some minutes). Null: no alarm, for example while the event
    source mapping is disabled on purpose.
  EOT
  default     = 15

  validation {
    condition = try(
      var.not_polling_minutes >= 5
      && var.not_polling_minutes <= 1440
      && floor(var.not_polling_minutes) == var.not_polling_minutes,
      var.not_polling_minutes == null,
    )
    error_message = join(" ", [
      "not_polling_minutes is ${jsonencode(var.not_polling_minutes)}: give a whole number from 5 to 1440, or null for",
      "no alarm.",
    ])
  }
}

variable "runbooks_url" {
  type        = string
  description = <<-EOT
    Where docs/runbooks.md can be read: each alarm's description points to its section there (default: its path in this
    repository; give the URL where your team reads it).
  EOT
  default     = "docs/runbooks.md"
  nullable    = false

  validation {
    condition = (
      can(regex("^(https?://\\S+[^#/]|docs/runbooks\\.md)$", var.runbooks_url)) && !strcontains(var.runbooks_url, "#")
    )
    error_message = join(" ", [
      "runbooks_url is '${var.runbooks_url}': give a URL (https://…) without a # and a section, which",
      "this module adds.",
    ])
  }
}

variable "tags" {
  type        = map(string)
  description = "Tags of the alarms."
  default     = {}
  nullable    = false
}

variable "throttles" {
  type        = number
  description = <<-EOT
    How many throttled invocations within five minutes (Throttles) trigger a warning: a whole number of at least 1
    (default: 1). Null: no alarm.
  EOT
  default     = 1

  validation {
    condition = try(var.throttles >= 1 && floor(var.throttles) == var.throttles, var.throttles == null)
    error_message = join(" ", [
      "throttles is ${jsonencode(var.throttles)}: give a whole number of at least 1, or null for no",
      "alarm.",
    ])
  }
}

variable "writes_blocked_minutes" {
  type        = number
  description = <<-EOT
    After how many minutes in which the domain accepts no writes (ClusterIndexWritesBlocked) an alarm pages: 1 to 1440;
    AWS advises 5. Needs a domain. Null (default): no alarm.
  EOT
  default     = null

  validation {
    condition = try(
      var.writes_blocked_minutes >= 1
      && var.writes_blocked_minutes <= 1440
      && floor(var.writes_blocked_minutes) == var.writes_blocked_minutes,
      var.writes_blocked_minutes == null,
    )
    error_message = join(" ", [
      "writes_blocked_minutes is ${jsonencode(var.writes_blocked_minutes)}: give a whole number from 1 to 1440, or",
      "null for no alarm.",
    ])
  }

  validation {
    condition = var.writes_blocked_minutes == null || try(var.domain.arn, var.sync.domain_arn) != null
    error_message = join(" ", [
      "writes_blocked_minutes is ${jsonencode(var.writes_blocked_minutes)} without a domain: give domain (the sync has",
      "none), or null for no alarm.",
    ])
  }
}
