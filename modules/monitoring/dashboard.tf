# One page, from "is it well?" down to the causes. A graph has a title, a unit, metrics, and a line at each threshold.

locals {
  alarm_names = [
    for name in sort(keys(local.alarms)) : "${var.sync.function_name}-${name}" if local.alarms[name].threshold != null
  ]

  graphs = [
    {
      when = true
      row = [
        {
          title = "Age of the change that Lambda reads (IteratorAge)"
          unit  = "ms"
          metrics = [
            { source = "function", name = "IteratorAge", stat = "Maximum", label = "oldest" },
          ]
          alarms = ["iterator-age-warn", "iterator-age-page"]
        },
        {
          title = "From a change to its document (Lag)"
          unit  = "ms"
          metrics = [
            { source = "sync", name = "Lag", stat = "Maximum", label = "longest" },
            { source = "sync", name = "Lag", stat = "p50", label = "median" },
          ]
          alarms = ["lag"]
        },
        {
          title = "Changes in the stream, and what Lambda does with them"
          unit  = "changes"
          metrics = [
            { source = "stream", name = "ReturnedRecordsCount", stat = "Sum", label = "read by all consumers" },
            { source = "mapping", name = "PolledEventCount", stat = "Sum", label = "read by Lambda" },
            { source = "mapping", name = "FilteredOutEventCount", stat = "Sum", label = "filtered out" },
            { source = "mapping", name = "InvokedEventCount", stat = "Sum", label = "passed on, with retries" },
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
            { source = "sync", name = "Records", stat = "Sum", label = "changes received" },
            { source = "sync", name = "Coalesced", stat = "Sum", label = "coalesced with a later change" },
            { source = "sync", name = "Dropped", stat = "Sum", label = "of no document of an index" },
            { source = "sync", name = "Skipped", stat = "Sum", label = "unchanged documents, left out" },
            { source = "sync", name = "Writes", stat = "Sum", label = "written" },
            { source = "sync", name = "Deletes", stat = "Sum", label = "deleted" },
            { source = "sync", name = "Superseded", stat = "Sum", label = "already newer in the index" },
            { source = "sync", name = "Settled", stat = "Sum", label = "settled by reading the item" },
          ]
          alarms = []
        },
        {
          title = "Bulk requests"
          unit  = "requests"
          metrics = [
            { source = "sync", name = "BulkRequests", stat = "Sum", label = "requests" },
            { source = "sync", name = "Retries", stat = "Sum", label = "rounds of retries" },
          ]
          alarms = []
        },
        {
          title   = "Bytes sent"
          unit    = "bytes"
          metrics = [{ source = "sync", name = "BulkBytes", stat = "Sum", label = "bytes" }]
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
            { source = "function", name = "Errors", stat = "Sum", label = "failed" },
            { source = "function", name = "Throttles", stat = "Sum", label = "throttled" },
            { source = "function", name = "DestinationDeliveryFailures", stat = "Sum", label = "undelivered records" },
          ]
          alarms = []
        },
        {
          title = "Unfinished changes"
          unit  = "changes"
          metrics = [
            { source = "sync", name = "Unfinished", stat = "Sum", label = "left for a retry by the function" },
            { source = "mapping", name = "FailedInvokeEventCount", stat = "Sum", label = "retried by Lambda" },
            { source = "mapping", name = "OnFailureDestinationDeliveredEventCount", stat = "Sum", label = "given up" },
            { source = "mapping", name = "DroppedEventCount", stat = "Sum", label = "dropped, no record" },
          ]
          alarms = []
        },
        {
          title = "Documents set aside (dead letters)"
          unit  = "documents"
          metrics = concat(
            [
              { source = "sync", name = "DeadLetters", stat = "Sum", label = "set aside" },
              { source = "sync", name = "Missed", stat = "Sum", label = "missed by a standby index" },
            ],
            [
              for index in var.sync.indices : {
                source = "index ${index}", name = "DeadLetters", stat = "Sum", label = "set aside, of ${index}"
              } if length(var.sync.indices) > 1
            ],
          )
          alarms = []
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
            { source = "queue", name = "ApproximateNumberOfMessagesVisible", stat = "Maximum", label = "waiting" },
            { source = "queue", name = "ApproximateNumberOfMessagesNotVisible", stat = "Maximum", label = "received" },
          ]
          alarms = ["dead-letters-waiting"]
        },
        {
          title   = "Age of the oldest failure in the queue"
          unit    = "s"
          metrics = [{ source = "queue", name = "ApproximateAgeOfOldestMessage", stat = "Maximum", label = "oldest" }]
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
            { source = "function", name = "Duration", stat = "Maximum", label = "longest" },
            { source = "function", name = "Duration", stat = "p50", label = "median" },
            { source = "sync", name = "RemainingTime", stat = "Minimum", label = "least time left" },
          ]
          alarms = ["duration"]
        },
        {
          title = "Invocations"
          unit  = "invocations"
          metrics = [
            { source = "function", name = "Invocations", stat = "Sum", label = "all" },
            { source = "function", name = "ConcurrentExecutions", stat = "Maximum", label = "at the same time" },
          ]
          alarms = []
        },
        {
          title = "How long OpenSearch takes to answer"
          unit  = "ms"
          metrics = [
            { source = "sync", name = "BulkLatency", stat = "Maximum", label = "longest" },
            { source = "sync", name = "BulkLatency", stat = "p50", label = "median" },
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
            { source = "domain", name = "ClusterStatus.red", stat = "Maximum", label = "red" },
            { source = "domain", name = "ClusterStatus.yellow", stat = "Maximum", label = "yellow" },
            { source = "domain", name = "ClusterIndexWritesBlocked", stat = "Maximum", label = "accepts no writes" },
          ]
          alarms = []
        },
        {
          title = "The domain's memory and processors"
          unit  = "%"
          metrics = [
            { source = "domain", name = "JVMMemoryPressure", stat = "Maximum", label = "memory" },
            { source = "domain", name = "CPUUtilization", stat = "Maximum", label = "processors" },
          ]
          alarms = ["jvm-memory-pressure"]
        },
        {
          title   = "Free storage of the domain's fullest node"
          unit    = "MiB"
          metrics = [{ source = "domain", name = "FreeStorageSpace", stat = "Minimum", label = "free" }]
          alarms  = ["free-storage-space"]
        },
        {
          title = "The domain's write queue"
          unit  = "requests"
          metrics = [
            { source = "domain", name = "ThreadpoolWriteQueue", stat = "Maximum", label = "waiting" },
            { source = "domain", name = "ThreadpoolWriteRejected", stat = "Sum", label = "rejected" },
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
          "# ${split("/", var.sync.stream_arn)[1]} → ${join(", ", var.sync.indices)}",
          "`dynamodb-opensearch status --function ${var.sync.function_name} --watch`",
          "",
          "What to do: ${startswith(var.runbooks_url, "http") ? "[runbooks](${var.runbooks_url})" : var.runbooks_url}",
        ])
      }
    },
  ]

  # CloudWatch refuses an empty list of alarms.
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
        [local.sources[one.source].namespace, one.name],
        flatten([for name, value in local.sources[one.source].dimensions : [name, value]]),
        [{ stat = one.stat, label = one.label }],
      )]
      annotations = {
        horizontal = [
          for name in graph.alarms :
          { label = name, value = local.alarms[name].threshold } if local.alarms[name].threshold != null
        ]
      }
    }
  }]])

  log_fields = [
    "@timestamp", "level", "message", "reason", "error", "delivery", "documents", "index",
    "unfinished", "first_sequence_number", "last_sequence_number", "request_id",
  ]
  foot = [{
    type = "log", x = 0, y = 4 + length(local.rows) * 6, width = 24, height = 6
    properties = {
      title  = "What the function reports"
      region = local.region
      view   = "table"
      query = join(" | ", [
        "SOURCE '${var.sync.log_group_name}'",
        "fields ${join(", ", local.log_fields)}",
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
