# Every argument as the real provider plans it: it checks them against its schema, which a mock does not do in full. The
# tests in tests/terraform/test_monitoring.py read these plans, too.

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

variables {
  page_topic_arns = ["arn:aws:sns:eu-west-1:111122223333:pager"]
  warn_topic_arns = ["arn:aws:sns:eu-west-1:111122223333:tickets"]
  sync = {
    domain_arn                = "arn:aws:es:eu-west-1:111122223333:domain/search"
    event_source_mapping_uuid = "14e0db71-5d35-4eb5-b481-8945cf9d10c2"
    failure_destination_arn   = "arn:aws:sqs:eu-west-1:111122223333:products-opensearch-sync-failures"
    failure_destination_type  = "sqs"
    function_arn              = "arn:aws:lambda:eu-west-1:111122223333:function:products-opensearch-sync"
    function_name             = "products-opensearch-sync"
    indices                   = ["products"]
    log_group_name            = "/aws/lambda/products-opensearch-sync"
    metrics                   = ["EventCount"]
    stream_arn                = "arn:aws:dynamodb:eu-west-1:111122223333:table/products/stream/2025-01-01T00:00:00.000"
    timeout                   = 120
  }
}

run "every_alarm" {
  command = plan

  variables {
    sync                        = merge(var.sync, { indices = ["orders", "products"] })
    cluster_red_minutes         = 1
    free_storage_space_mib      = 25600
    jvm_memory_pressure_percent = 90
    writes_blocked_minutes      = 5
  }

  assert {
    condition = {
      for name, alarm in aws_cloudwatch_metric_alarm.this : name => join(", ", [
        "${alarm.statistic} ${alarm.comparison_operator} ${alarm.threshold}",
        "${alarm.datapoints_to_alarm} of ${alarm.evaluation_periods} × ${alarm.period} s",
        alarm.treat_missing_data,
      ])
      } == {
      iterator-age-warn    = "Maximum GreaterThanOrEqualToThreshold 900000, 2 of 3 × 300 s, notBreaching"
      iterator-age-page    = "Maximum GreaterThanOrEqualToThreshold 43200000, 2 of 3 × 300 s, notBreaching"
      lag                  = "Maximum GreaterThanOrEqualToThreshold 300000, 2 of 3 × 300 s, notBreaching"
      errors               = "Sum GreaterThanOrEqualToThreshold 1, 2 of 3 × 300 s, notBreaching"
      not-polling          = "SampleCount LessThanThreshold 1, 15 of 15 × 60 s, breaching"
      failed-invokes       = "Sum GreaterThanOrEqualToThreshold 1, 2 of 3 × 300 s, notBreaching"
      throttles            = "Sum GreaterThanOrEqualToThreshold 1, 2 of 3 × 300 s, notBreaching"
      duration             = "Maximum GreaterThanOrEqualToThreshold 108000, 2 of 3 × 300 s, notBreaching"
      dropped-events       = "Sum GreaterThanOrEqualToThreshold 1, 1 of 1 × 300 s, notBreaching"
      delivery-failures    = "Sum GreaterThanOrEqualToThreshold 1, 1 of 1 × 300 s, notBreaching"
      given-up-events      = "Sum GreaterThanOrEqualToThreshold 1, 1 of 1 × 300 s, notBreaching"
      dead-letters         = "Sum GreaterThanOrEqualToThreshold 1, 1 of 1 × 300 s, notBreaching"
      dead-letters-waiting = "Maximum GreaterThanOrEqualToThreshold 1, 1 of 1 × 300 s, notBreaching"
      dead-letters-age     = "Maximum GreaterThanOrEqualToThreshold 43200, 1 of 1 × 300 s, notBreaching"
      cluster-red          = "Maximum GreaterThanOrEqualToThreshold 1, 1 of 1 × 60 s, missing"
      writes-blocked       = "Maximum GreaterThanOrEqualToThreshold 1, 5 of 5 × 60 s, missing"
      jvm-memory-pressure  = "Maximum GreaterThanOrEqualToThreshold 90, 3 of 3 × 60 s, missing"
      free-storage-space   = "Minimum LessThanOrEqualToThreshold 25600, 1 of 1 × 60 s, missing"
    }
    error_message = "The alarms are planned as ${jsonencode(aws_cloudwatch_metric_alarm.this)}."
  }

  assert {
    condition = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : (
      length(alarm.alarm_actions) == 1
      && alarm.alarm_actions == alarm.ok_actions
      && alarm.insufficient_data_actions == null
      && alarm.actions_enabled
    )])
    error_message = "An alarm has no action, or doesn't report when it is over."
  }

  assert {
    condition = sort([
      for name, alarm in aws_cloudwatch_metric_alarm.this : name if alarm.alarm_actions == toset(var.page_topic_arns)
      ]) == tolist([
      "cluster-red", "dead-letters-age", "delivery-failures", "dropped-events", "errors", "iterator-age-page",
      "not-polling", "writes-blocked",
    ])
    error_message = "Other alarms page: ${jsonencode(aws_cloudwatch_metric_alarm.this)}."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["errors"].alarm_name == "products-opensearch-sync-errors"
    error_message = "An alarm's name doesn't say which sync it belongs to."
  }

  assert {
    condition = (
      endswith(aws_cloudwatch_metric_alarm.this["errors"].alarm_description, " Runbook: docs/runbooks.md#errors")
    )
    error_message = "The description is ${aws_cloudwatch_metric_alarm.this["errors"].alarm_description}"
  }
}

run "several_indices" {
  command = plan

  variables {
    sync = merge(var.sync, { indices = ["orders", "products"] })
  }

  assert {
    condition = (
      strcontains(aws_cloudwatch_dashboard.this[0].dashboard_body, "# products → orders, products")
      && aws_cloudwatch_metric_alarm.this["lag"].alarm_description == join(" ", [
        "Changes reach the indices late. Runbook: docs/runbooks.md#behind",
      ])
      && length(aws_cloudwatch_metric_alarm.this) == 14
    )
    error_message = "Several indices are shown as one: ${aws_cloudwatch_dashboard.this[0].dashboard_body}"
  }
}

run "the_shortest_call" {
  command = plan

  assert {
    condition     = length([for alarm in aws_cloudwatch_metric_alarm.this : alarm if alarm.namespace == "AWS/ES"]) == 0
    error_message = "Alarms of the domain are on without a threshold."
  }

  assert {
    condition = length(aws_cloudwatch_metric_alarm.this) == 14 && length(aws_cloudwatch_dashboard.this) == 1
    error_message = join(" ", [
      "${length(aws_cloudwatch_metric_alarm.this)} alarms and ${length(aws_cloudwatch_dashboard.this)} dashboards are",
      "planned.",
    ])
  }

  assert {
    condition = (
      !strcontains(aws_cloudwatch_dashboard.this[0].dashboard_body, "\"Index\"")
      && aws_cloudwatch_metric_alarm.this["lag"].alarm_description == join(" ", [
        "Changes reach the index late. Runbook: docs/runbooks.md#behind",
      ])
    )
    error_message = "One index is shown as several: ${aws_cloudwatch_dashboard.this[0].dashboard_body}"
  }

  # The domain's metrics are on the dashboard, even without alarms.
  assert {
    condition     = strcontains(aws_cloudwatch_dashboard.this[0].dashboard_body, "ClusterStatus.red")
    error_message = "The dashboard lacks the sync's domain."
  }
}

run "a_collection_and_a_topic" {
  command = plan

  variables {
    sync = merge(var.sync, {
      domain_arn               = null
      failure_destination_arn  = "arn:aws:sns:eu-west-1:111122223333:products-opensearch-sync-failures"
      failure_destination_type = "sns"
    })
    dead_letters_age_seconds = null
    dead_letters_waiting     = null
    runbooks_url             = "https://example.com/runbooks.md"
    tags                     = { team = "search" }
  }

  assert {
    condition = (
      !strcontains(aws_cloudwatch_dashboard.this[0].dashboard_body, "AWS/SQS")
      && !strcontains(aws_cloudwatch_dashboard.this[0].dashboard_body, "AWS/ES")
    )
    error_message = "The dashboard shows a queue or a domain that isn't there."
  }

  assert {
    condition = (
      endswith(
        aws_cloudwatch_metric_alarm.this["lag"].alarm_description, " Runbook: https://example.com/runbooks.md#behind"
      )
      && aws_cloudwatch_metric_alarm.this["lag"].tags == tomap({ team = "search" })
    )
    error_message = join(" ", [
      "The description is ${aws_cloudwatch_metric_alarm.this["lag"].alarm_description}, the tags are",
      "${jsonencode(aws_cloudwatch_metric_alarm.this["lag"].tags)}.",
    ])
  }
}

run "a_domain_that_the_sync_reaches_by_its_url" {
  command = plan

  variables {
    sync = merge(var.sync, {
      domain_arn = null
      stream_arn = "arn:aws:dynamodb:eu-west-1:444455556666:table/products/stream/2025-01-01T00:00:00.000"
    })
    domain              = { arn = "arn:aws:es:eu-west-1:444455556666:domain/shared" }
    cluster_red_minutes = 1
  }

  assert {
    condition = aws_cloudwatch_metric_alarm.this["cluster-red"].dimensions == tomap({
      ClientId   = "444455556666"
      DomainName = "shared"
    })
    error_message = "The alarm watches ${jsonencode(aws_cloudwatch_metric_alarm.this["cluster-red"].dimensions)}."
  }
}

run "a_domain_without_a_threshold_is_warned_of" {
  command = plan

  variables {
    domain = { arn = "arn:aws:es:eu-west-1:111122223333:domain/search" }
  }

  expect_failures = [check.domain_is_watched]
}

run "everything_off" {
  command = plan

  variables {
    page_topic_arns           = []
    warn_topic_arns           = []
    dashboard                 = false
    dead_letters              = null
    dead_letters_age_seconds  = null
    dead_letters_waiting      = null
    delivery_failures         = null
    dropped_events            = null
    duration_percent          = null
    errors                    = null
    failed_invokes            = null
    given_up_events           = null
    iterator_age_page_seconds = null
    iterator_age_warn_seconds = null
    lag_seconds               = null
    not_polling_minutes       = null
    throttles                 = null
  }

  assert {
    condition = (
      length(aws_cloudwatch_metric_alarm.this) == 0
      && length(aws_cloudwatch_dashboard.this) == 0
      && output.dashboard_name == null
    )
    error_message = "Something is made though everything is off."
  }
}
