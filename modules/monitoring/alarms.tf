# One alarm for each threshold that is set. docs/runbooks.md says what it means and which command fixes it.

locals {
  # A condition that may pass by itself, such as a busy minute, must last: 10 of 15 minutes by default. A loss, or a
  # failure that waits for an operator, raises its alarm at once. These metrics are only published while there is
  # something to report, so no data means that all is well.
  lasting = {
    period              = 300
    evaluation_periods  = var.evaluation_periods
    datapoints_to_alarm = var.datapoints_to_alarm
    missing             = "notBreaching"
  }
  at_once = { period = 300, evaluation_periods = 1, datapoints_to_alarm = 1, missing = "notBreaching" }

  # Minute by minute. A domain always publishes its state; without data it is unknown, and INSUFFICIENT_DATA says so.
  minutes = { for name, number in {
    cluster_red         = var.cluster_red_minutes
    free_storage_space  = 1
    jvm_memory_pressure = 3
    not_polling         = var.not_polling_minutes
    writes_blocked      = var.writes_blocked_minutes
  } : name => { period = 60, evaluation_periods = number, datapoints_to_alarm = number, missing = "missing" } }

  alarms = {
    iterator-age-warn = {
      severity  = "warn"
      runbook   = "behind"
      says      = "Changes wait in the stream longer than they should."
      source    = "function"
      metric    = "IteratorAge"
      statistic = "Maximum"
      threshold = try(var.iterator_age_warn_seconds * 1000, null)
      when      = local.lasting
    }
    iterator-age-page = {
      severity  = "page"
      runbook   = "behind"
      says      = "Changes wait so long that they are about to be lost: the stream keeps a record for 24 hours."
      source    = "function"
      metric    = "IteratorAge"
      statistic = "Maximum"
      threshold = try(var.iterator_age_page_seconds * 1000, null)
      when      = local.lasting
    }
    lag = {
      severity  = "warn"
      runbook   = "behind"
      says      = "Changes reach the ${local.noun} late."
      source    = "sync"
      metric    = "Lag"
      statistic = "Maximum"
      threshold = try(var.lag_seconds * 1000, null)
      when      = local.lasting
    }
    errors = {
      severity  = "page"
      runbook   = "errors"
      says      = "The function fails and the sync is stuck: a setting, a permission, an index or the code is wrong."
      source    = "function"
      metric    = "Errors"
      statistic = "Sum"
      threshold = var.errors
      when      = local.lasting
    }
    # Lambda reports a 0 for each empty read, so a quiet table still has data, and only missing data is a breach: with
    # data the number of samples is never below 1. An event source mapping that is disabled, deleted or not allowed to
    # read reports nothing.
    not-polling = {
      severity  = "page"
      runbook   = "not-polling"
      says      = "Lambda doesn't read the stream: the event source mapping (trigger) is disabled or gone."
      source    = "mapping"
      metric    = "PolledEventCount"
      statistic = "SampleCount"
      threshold = try(min(var.not_polling_minutes, 1), null)
      when      = merge(local.minutes.not_polling, { missing = "breaching" })
    }
    failed-invokes = {
      severity  = "warn"
      runbook   = "failed-invokes"
      says      = "Batches fail and are retried: OpenSearch is down or busy, or the function can't be invoked."
      source    = "mapping"
      metric    = "FailedInvokeEventCount"
      statistic = "Sum"
      threshold = var.failed_invokes
      when      = local.lasting
    }
    throttles = {
      severity  = "warn"
      runbook   = "throttles"
      says      = "Lambda has no concurrency left for the function."
      source    = "function"
      metric    = "Throttles"
      statistic = "Sum"
      threshold = var.throttles
      when      = local.lasting
    }
    duration = {
      severity  = "warn"
      runbook   = "duration"
      says      = "Invocations nearly time out: OpenSearch is slow, or the batches are too large for the timeout."
      source    = "function"
      metric    = "Duration"
      statistic = "Maximum"
      threshold = try(var.sync.timeout * 1000 * var.duration_percent / 100, null)
      when      = local.lasting
    }
    dropped-events = {
      severity  = "page"
      runbook   = "dropped-events"
      says      = "Lambda dropped changes without a failure record: until they are recovered, the ${local.lack} them."
      source    = "mapping"
      metric    = "DroppedEventCount"
      statistic = "Sum"
      threshold = var.dropped_events
      when      = local.at_once
    }
    delivery-failures = {
      severity  = "page"
      runbook   = "delivery-failures"
      says      = "Lambda gave up a batch, and the failure destination did not accept the failure record."
      source    = "function"
      metric    = "DestinationDeliveryFailures"
      statistic = "Sum"
      threshold = var.delivery_failures
      when      = local.at_once
    }
    given-up-events = {
      severity  = "warn"
      runbook   = "dead-letters"
      says      = "Lambda gave up changes. Their failure records point into the stream, which keeps them for 24 hours."
      source    = "mapping"
      metric    = "OnFailureDestinationDeliveredEventCount"
      statistic = "Sum"
      threshold = var.given_up_events
      when      = local.at_once
    }
    dead-letters = {
      severity  = "warn"
      runbook   = "dead-letters"
      says      = "OpenSearch permanently refuses documents; they were set aside as dead letters."
      source    = "sync"
      metric    = "DeadLetters"
      statistic = "Sum"
      threshold = var.dead_letters
      when      = local.at_once
    }
    dead-letters-waiting = {
      severity  = "warn"
      runbook   = "dead-letters"
      says      = "Failures wait in the queue for a redrive."
      source    = "queue"
      metric    = "ApproximateNumberOfMessagesVisible"
      statistic = "Maximum"
      threshold = var.dead_letters_waiting
      when      = local.at_once
    }
    dead-letters-age = {
      severity  = "page"
      runbook   = "dead-letters"
      says      = "Failures have waited in the queue for a long time without a redrive."
      source    = "queue"
      metric    = "ApproximateAgeOfOldestMessage"
      statistic = "Maximum"
      threshold = var.dead_letters_age_seconds
      when      = local.at_once
    }
    cluster-red = {
      severity  = "page"
      runbook   = "cluster-red"
      says      = "A shard of the domain has no copy left: part of its data can be neither read nor written."
      source    = "domain"
      metric    = "ClusterStatus.red"
      statistic = "Maximum"
      threshold = try(min(var.cluster_red_minutes, 1), null)
      when      = local.minutes.cluster_red
    }
    writes-blocked = {
      severity  = "page"
      runbook   = "writes-blocked"
      says      = "The domain accepts no writes, most often for lack of storage or memory."
      source    = "domain"
      metric    = "ClusterIndexWritesBlocked"
      statistic = "Maximum"
      threshold = try(min(var.writes_blocked_minutes, 1), null)
      when      = local.minutes.writes_blocked
    }
    jvm-memory-pressure = {
      severity  = "warn"
      runbook   = "jvm-memory-pressure"
      says      = "The domain is running out of memory; after half an hour at 92 % it accepts no more writes."
      source    = "domain"
      metric    = "JVMMemoryPressure"
      statistic = "Maximum"
      threshold = var.jvm_memory_pressure_percent
      when      = local.minutes.jvm_memory_pressure
    }
    free-storage-space = {
      severity  = "warn"
      runbook   = "free-storage-space"
      says      = "A node of the domain is running out of storage; then the domain accepts no more writes."
      source    = "domain"
      metric    = "FreeStorageSpace"
      statistic = "Minimum"
      threshold = var.free_storage_space_mib
      when      = local.minutes.free_storage_space
    }
  }

  # A metric that can get too high is watched by its maximum or sum, one that can get too low by its minimum.
  comparisons = { Minimum = "LessThanOrEqualToThreshold", SampleCount = "LessThanThreshold" }

  # Alarms are of the sync: all its indices share its function, its stream and its failure destination.
  noun = length(var.sync.indices) == 1 ? "index" : "indices"
  lack = length(var.sync.indices) == 1 ? "index lacks" : "indices lack"

  topic_arns = { page = var.page_topic_arns, warn = var.warn_topic_arns }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = { for name, alarm in local.alarms : name => alarm if alarm.threshold != null }

  alarm_name                = "${var.sync.function_name}-${each.key}"
  alarm_description         = "${each.value.says} Runbook: ${var.runbooks_url}#${each.value.runbook}"
  namespace                 = local.sources[each.value.source].namespace
  metric_name               = each.value.metric
  dimensions                = local.sources[each.value.source].dimensions
  statistic                 = each.value.statistic
  comparison_operator       = lookup(local.comparisons, each.value.statistic, "GreaterThanOrEqualToThreshold")
  threshold                 = each.value.threshold
  period                    = each.value.when.period
  evaluation_periods        = each.value.when.evaluation_periods
  datapoints_to_alarm       = each.value.when.datapoints_to_alarm
  treat_missing_data        = each.value.when.missing
  actions_enabled           = true
  alarm_actions             = local.topic_arns[each.value.severity]
  ok_actions                = local.topic_arns[each.value.severity] # says when it is over
  insufficient_data_actions = []
  tags                      = var.tags
}

# Not a validation of the variable: the thresholds' validations refer to the domain, and Terraform allows no cycle.
check "domain_is_watched" {
  assert {
    condition = (
      var.domain == null
      || anytrue([for name, alarm in local.alarms : alarm.source == "domain" && alarm.threshold != null])
    )
    error_message = join(" ", [
      "domain is ${jsonencode(try(var.domain.arn, null))}, but none of its alarms is on: give cluster_red_minutes,",
      "free_storage_space_mib, jvm_memory_pressure_percent or writes_blocked_minutes, or leave domain out.",
    ])
  }
}
