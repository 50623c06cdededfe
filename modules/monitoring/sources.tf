# Where metrics come from: each source is a namespace and the dimensions that AWS, or the function, gives its metrics.
# Alarms and dashboard name a source and a metric, nothing else, so a dimension can't be right in one and wrong in the
# other.

locals {
  # arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME also names the place of everything else.
  home   = split(":", var.sync.function_arn)
  region = local.home[3]

  domain_arn = try(var.domain.arn, var.sync.domain_arn)

  sources = merge(local.index_sources, {
    # See https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    function = { namespace = "AWS/Lambda", dimensions = { FunctionName = var.sync.function_name } }
    mapping = {
      namespace  = "AWS/Lambda"
      dimensions = { EventSourceMappingUUID = var.sync.event_source_mapping_uuid }
    }

    # The function's own metrics, from embedded-metric lines in its log.
    sync = { namespace = "DynamoDBOpenSearch", dimensions = { Sync = var.sync.function_name } }

    # arn:PARTITION:dynamodb:REGION:ACCOUNT:table/NAME/stream/LABEL
    # See https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
    stream = {
      namespace = "AWS/DynamoDB"
      dimensions = {
        TableName   = split("/", var.sync.stream_arn)[1]
        StreamLabel = split("/", var.sync.stream_arn)[3]
        Operation   = "GetRecords"
      }
    }

    # Not used when the failure destination is a topic or a bucket.
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    queue = { namespace = "AWS/SQS", dimensions = { QueueName = split(":", var.sync.failure_destination_arn)[5] } }

    # See https://docs.aws.amazon.com/opensearch-service/latest/developerguide/managedomains-cloudwatchmetrics.html
    domain = {
      namespace = "AWS/ES"
      dimensions = {
        DomainName = try(split("/", local.domain_arn)[1], null)
        ClientId   = try(split(":", local.domain_arn)[4], null)
      }
    }
  })

  # Of each index, the function counts its dead letters.
  index_sources = {
    for index in var.sync.indices : "index ${index}" => {
      namespace  = "DynamoDBOpenSearch"
      dimensions = { Sync = var.sync.function_name, Index = index }
    }
  }
}
