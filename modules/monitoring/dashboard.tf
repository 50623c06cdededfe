# One page from "is it well?" down to the causes. A graph is a title, a unit, its metrics, and lines where alarms begin.

locals {
  alarm_names = [for name in sort(keys(local.alarms)) : "${var.sync.function_name}-${name}" if local.alarms[name].threshold != null]

  graphs = [
    {
      when = true
      row = [
        {
          title = "Age of the change that Lambda reads (IteratorAge)"
          unit  = "ms"
          metrics = [
            { source = "function", metric = "IteratorAge", statistic = "Maximum", label = "oldest" },
          ]
          alarms = ["iterator-age-warn", "iterator-age-page"]
        },
        {
          title = "From a change to its document (Lag)"
          unit  = "ms"
          metrics = [
            { source = "sync", metric = "Lag", statistic = "Maximum", label = "longest" },
            { source = "sync", metric = "Lag", statistic = "p50", label = "half" },
          ]
          alarms = ["lag"]
        },
        {
          title = "Changes in the stream, and what Lambda makes of them"
          unit  = "changes"
          metrics = [
            { source = "stream", metric = "ReturnedRecordsCount", statistic = "Sum", label = "read from the stream, by all readers" },
            { source = "mapping", metric = "PolledEventCount", statistic = "Sum", label = "read by the mapping" },
            { source = "mapping", metric = "FilteredOutEventCount", statistic = "Sum", label = "filtered out" },
            { source = "mapping", metric = "InvokedEventCount", statistic = "Sum", label = "given to the function, retries too" },
          ]
          alarms = []
        },
      ]
    },
    {
      when = true
      row = [
        {
          title = "What the function does"
          unit  = "documents"
          metrics = [
            { source = "sync", metric = "Records", statistic = "Sum", label = "changes received" },
            { source = "sync", metric = "Coalesced", statistic = "Sum", label = "of a later change's document" },
            { source = "sync", metric = "Writes", statistic = "Sum", label = "written" },
            { source = "sync", metric = "Deletes", statistic = "Sum", label = "deleted" },
            { source = "sync", metric = "Superseded", statistic = "Sum", label = "newer in the index already" },
            { source = "sync", metric = "Settled", statistic = "Sum", label = "settled by reading the item" },
          ]
          alarms = []
        },
        {
          title = "Bulk requests"
          unit  = "requests"
          metrics = [
            { source = "sync", metric = "BulkRequests", statistic = "Sum", label = "requests" },
            { source = "sync", metric = "Retries", statistic = "Sum", label = "rounds of retries" },
          ]
          alarms = []
        },
        {
          title   = "Bytes sent"
          unit    = "bytes"
          metrics = [{ source = "sync", metric = "BulkBytes", statistic = "Sum", label = "bytes" }]
          alarms  = []
        },
      ]
    },
    {
      when = true
      row = [
        {
          title = "Failures of the function"
          unit  = "invocations"
          metrics = [
            { source = "function", metric = "Errors", statistic = "Sum", label = "failed" },
            { source = "function", metric = "Throttles", statistic = "Sum", label = "throttled" },
            { source = "function", metric = "DestinationDeliveryFailures", statistic = "Sum", label = "failure records not delivered" },
          ]
          alarms = []
        },
        {
          title = "Changes that aren't done"
          unit  = "changes"
          metrics = [
            { source = "sync", metric = "Unfinished", statistic = "Sum", label = "left for a retry by the function" },
            { source = "mapping", metric = "FailedInvokeEventCount", statistic = "Sum", label = "retried by Lambda" },
            { source = "mapping", metric = "OnFailureDestinationDeliveredEventCount", statistic = "Sum", label = "given up, recorded" },
            { source = "mapping", metric = "DroppedEventCount", statistic = "Sum", label = "dropped without a trace" },
          ]
          alarms = []
        },
        {
          title   = "Documents set aside (dead letters)"
          unit    = "documents"
          metrics = [{ source = "sync", metric = "DeadLetters", statistic = "Sum", label = "set aside" }]
          alarms  = []
        },
      ]
    },
    {
      when = var.sync.failure_destination_type == "sqs"
      row = [
        {
          title = "Failures in the queue"
          unit  = "messages"
          metrics = [
            { source = "queue", metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum", label = "waiting" },
            { source = "queue", metric = "ApproximateNumberOfMessagesNotVisible", statistic = "Maximum", label = "being redriven" },
          ]
          alarms = ["dead-letters-waiting"]
        },
        {
          title   = "Age of the oldest failure in the queue"
          unit    = "s"
          metrics = [{ source = "queue", metric = "ApproximateAgeOfOldestMessage", statistic = "Maximum", label = "oldest" }]
          alarms  = ["dead-letters-age"]
        },
      ]
    },
    {
      when = true
      row = [
        {
          title = "How long an invocation takes"
          unit  = "ms"
          metrics = [
            { source = "function", metric = "Duration", statistic = "Maximum", label = "longest" },
            { source = "function", metric = "Duration", statistic = "p50", label = "half" },
            { source = "sync", metric = "RemainingTime", statistic = "Minimum", label = "least time left" },
          ]
          alarms = ["duration"]
        },
        {
          title = "Invocations"
          unit  = "invocations"
          metrics = [
            { source = "function", metric = "Invocations", statistic = "Sum", label = "all" },
            { source = "function", metric = "ConcurrentExecutions", statistic = "Maximum", label = "at the same time" },
          ]
          alarms = []
        },
        {
          title = "How long OpenSearch takes to answer"
          unit  = "ms"
          metrics = [
            { source = "sync", metric = "BulkLatency", statistic = "Maximum", label = "longest" },
            { source = "sync", metric = "BulkLatency", statistic = "p50", label = "half" },
          ]
          alarms = []
        },
      ]
    },
    {
      when = local.domain_arn != null
      row = [
        {
          title = "The domain is red, yellow, blocked (1) or not (0)"
          unit  = ""
          metrics = [
            { source = "domain", metric = "ClusterStatus.red", statistic = "Maximum", label = "red" },
            { source = "domain", metric = "ClusterStatus.yellow", statistic = "Maximum", label = "yellow" },
            { source = "domain", metric = "ClusterIndexWritesBlocked", statistic = "Maximum", label = "takes no writes" },
          ]
          alarms = []
        },
        {
          title = "The domain's memory and processors"
          unit  = "%"
          metrics = [
            { source = "domain", metric = "JVMMemoryPressure", statistic = "Maximum", label = "memory" },
            { source = "domain", metric = "CPUUtilization", statistic = "Maximum", label = "processors" },
          ]
          alarms = ["jvm-memory-pressure"]
        },
        {
          title   = "Free storage of the domain's fullest node"
          unit    = "MiB"
          metrics = [{ source = "domain", metric = "FreeStorageSpace", statistic = "Minimum", label = "free" }]
          alarms  = ["free-storage-space"]
        },
        {
          title = "The domain's write queue"
          unit  = "requests"
          metrics = [
            { source = "domain", metric = "ThreadpoolWriteQueue", statistic = "Maximum", label = "waiting" },
            { source = "domain", metric = "ThreadpoolWriteRejected", statistic = "Sum", label = "rejected" },
          ]
          alarms = []
        },
      ]
    },
  ]
  rows = [for graph in local.graphs : graph.row if graph.when]

  head = [
    {
      type = "text", x = 0, y = 0, width = 12, height = 4
      properties = {
        markdown = join("\n", [
          "# ${split("/", var.sync.stream_arn)[1]} → ${var.sync.index}",
          "`dynamodb-opensearch status --function ${var.sync.function_name} --watch`",
          "",
          "What to do: ${startswith(var.runbooks_url, "http") ? "[runbooks](${var.runbooks_url})" : var.runbooks_url}",
        ])
      }
    },
  ]

  # CloudWatch takes no list without an alarm.
  verdict = [for names in [local.alarm_names] : {
    type = "alarm", x = 12, y = 0, width = 12, height = 4
    properties = {
      title  = "Is it well?"
      alarms = [for name in names : "arn:${local.home[1]}:cloudwatch:${local.region}:${local.home[4]}:alarm:${name}"]
    }
  } if length(names) > 0]

  body = flatten([for number, row in local.rows : [for position, graph in row : {
    type   = "metric"
    x      = position * 24 / length(row)
    y      = 4 + number * 6
    width  = 24 / length(row)
    height = 6
    properties = {
      title   = graph.title
      view    = "timeSeries"
      stacked = false
      region  = local.region
      period  = 60
      yAxis   = { left = { min = 0, label = graph.unit, showUnits = false } }
      metrics = [for one in graph.metrics : concat(
        [local.sources[one.source].namespace, one.metric],
        flatten([for name, value in local.sources[one.source].dimensions : [name, value]]),
        [{ stat = one.statistic, label = one.label }],
      )]
      annotations = {
        horizontal = [for name in graph.alarms : { label = name, value = local.alarms[name].threshold } if local.alarms[name].threshold != null]
      }
    }
  }]])

  foot = [{
    type = "log", x = 0, y = 4 + length(local.rows) * 6, width = 24, height = 6
    properties = {
      title  = "What the function reports"
      region = local.region
      view   = "table"
      query = join(" | ", [
        "SOURCE '${var.sync.log_group_name}'",
        "fields @timestamp, level, message, reason, error, delivery, documents, unfinished, first_sequence_number, last_sequence_number, request_id",
        "filter level in [\"WARNING\", \"ERROR\"]",
        "sort @timestamp desc",
        "limit 50",
      ])
    }
  }]
}

resource "aws_cloudwatch_dashboard" "this" {
  count = var.dashboard ? 1 : 0

  dashboard_name = var.sync.function_name
  dashboard_body = jsonencode({ widgets = concat(local.head, local.verdict, local.body, local.foot) })
}
