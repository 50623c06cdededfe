# One run with every variable at a good value that is not its default, then one broken value per run: each validation is
# seen to refuse, and nothing else refuses with it.

mock_provider "aws" {}

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

run "everything_good" {
  command = plan

  variables {
    page_topic_arns = [for number in range(5) : "arn:aws-cn:sns:cn-north-1:111122223333:pager_${number}"]
    warn_topic_arns = ["arn:aws-cn:sns:cn-north-1:444455556666:Tickets-2"]
    sync = merge(var.sync, {
      domain_arn              = null
      failure_destination_arn = "arn:aws-cn:sqs:cn-north-1:111122223333:failures"
      function_arn            = "arn:aws-cn:lambda:cn-north-1:111122223333:function:Search_2"
      function_name           = "Search_2"
      log_group_name          = "/aws/lambda/Search_2"
      stream_arn              = "arn:aws-cn:dynamodb:cn-north-1:444455556666:table/products.v2/stream/2025-01-01"
      timeout                 = 900
    })
    cluster_red_minutes         = 1440
    dashboard                   = false
    datapoints_to_alarm         = 288
    dead_letters                = 100
    dead_letters_age_seconds    = 1209599
    dead_letters_waiting        = 100
    delivery_failures           = 100
    domain                      = { arn = "arn:aws-cn:es:cn-north-1:444455556666:domain/search" }
    dropped_events              = 100
    duration_percent            = 100
    errors                      = 100
    evaluation_periods          = 288
    failed_invokes              = 100
    free_storage_space_mib      = 0.5
    given_up_events             = 100
    iterator_age_page_seconds   = 86399
    iterator_age_warn_seconds   = 86398
    jvm_memory_pressure_percent = 100
    lag_seconds                 = 0.5
    not_polling_minutes         = 1440
    runbooks_url                = "http://wiki.example.com/search/runbooks"
    tags                        = { team = "search" }
    throttles                   = 100
    writes_blocked_minutes      = 1440
  }
}

run "no_topic_is_needed_where_no_alarm_is_on" {
  command = plan

  variables {
    page_topic_arns           = []
    dead_letters_age_seconds  = null
    delivery_failures         = null
    dropped_events            = null
    errors                    = null
    iterator_age_page_seconds = null
    not_polling_minutes       = null
  }
}

run "refuses_a_queue_as_topic_to_page" {
  command = plan

  variables {
    page_topic_arns = ["arn:aws:sqs:eu-west-1:111122223333:pager"]
  }

  expect_failures = [var.page_topic_arns]
}

run "refuses_a_fifo_topic_to_page" {
  command = plan

  variables {
    page_topic_arns = ["arn:aws:sns:eu-west-1:111122223333:pager.fifo"]
  }

  expect_failures = [var.page_topic_arns]
}

run "refuses_a_topic_to_page_in_another_region" {
  command = plan

  variables {
    page_topic_arns = ["arn:aws:sns:us-east-1:111122223333:pager"]
  }

  expect_failures = [var.page_topic_arns]
}

run "refuses_six_topics_to_page" {
  command = plan

  variables {
    page_topic_arns = [for number in range(6) : "arn:aws:sns:eu-west-1:111122223333:pager-${number}"]
  }

  expect_failures = [var.page_topic_arns]
}

run "refuses_alarms_without_a_topic_to_page" {
  command = plan

  variables {
    page_topic_arns = []
  }

  expect_failures = [var.page_topic_arns]
}

run "refuses_a_queue_as_topic_to_warn" {
  command = plan

  variables {
    warn_topic_arns = ["arn:aws:sqs:eu-west-1:111122223333:pager"]
  }

  expect_failures = [var.warn_topic_arns]
}

run "refuses_a_fifo_topic_to_warn" {
  command = plan

  variables {
    warn_topic_arns = ["arn:aws:sns:eu-west-1:111122223333:pager.fifo"]
  }

  expect_failures = [var.warn_topic_arns]
}

run "refuses_a_topic_to_warn_in_another_region" {
  command = plan

  variables {
    warn_topic_arns = ["arn:aws:sns:us-east-1:111122223333:pager"]
  }

  expect_failures = [var.warn_topic_arns]
}

run "refuses_six_topics_to_warn" {
  command = plan

  variables {
    warn_topic_arns = [for number in range(6) : "arn:aws:sns:eu-west-1:111122223333:pager-${number}"]
  }

  expect_failures = [var.warn_topic_arns]
}

run "refuses_alarms_without_a_topic_to_warn" {
  command = plan

  variables {
    warn_topic_arns = []
  }

  expect_failures = [var.warn_topic_arns]
}

run "refuses_one_alarm_without_a_topic_to_page" {
  command = plan

  variables {
    page_topic_arns           = []
    dead_letters_age_seconds  = null
    delivery_failures         = null
    dropped_events            = null
    errors                    = 1
    iterator_age_page_seconds = null
    not_polling_minutes       = null
  }

  expect_failures = [var.page_topic_arns]
}

run "refuses_a_role_as_function" {
  command = plan

  variables {
    sync = merge(var.sync, { domain_arn = null, function_arn = "arn:aws:iam::111122223333:role/search" })
  }

  expect_failures = [var.sync]
}

run "refuses_an_alias_of_a_function" {
  command = plan

  variables {
    sync = merge(var.sync, {
      domain_arn   = null
      function_arn = "arn:aws:lambda:eu-west-1:111122223333:function:search:live"
    })
  }

  expect_failures = [var.sync]
}

run "refuses_a_table_as_stream" {
  command = plan

  variables {
    sync = merge(var.sync, { domain_arn = null, stream_arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/products" })
  }

  expect_failures = [var.sync]
}

run "refuses_a_topic_that_is_called_a_queue" {
  command = plan

  variables {
    sync = merge(var.sync, {
      domain_arn              = null
      failure_destination_arn = "arn:aws:sns:eu-west-1:111122223333:failures"
    })
  }

  expect_failures = [var.sync]
}

run "refuses_a_sync_without_metrics_of_its_event_source_mapping" {
  command = plan

  variables {
    sync = merge(var.sync, { domain_arn = null, metrics = [] })
  }

  expect_failures = [var.sync]
}

run "refuses_0_dead_letters" {
  command = plan

  variables {
    dead_letters = 0
  }

  expect_failures = [var.dead_letters]
}

run "refuses_0_delivery_failures" {
  command = plan

  variables {
    delivery_failures = 0
  }

  expect_failures = [var.delivery_failures]
}

run "refuses_0_dropped_events" {
  command = plan

  variables {
    dropped_events = 0
  }

  expect_failures = [var.dropped_events]
}

run "refuses_0_errors" {
  command = plan

  variables {
    errors = 0
  }

  expect_failures = [var.errors]
}

run "refuses_0_failed_invokes" {
  command = plan

  variables {
    failed_invokes = 0
  }

  expect_failures = [var.failed_invokes]
}

run "refuses_0_given_up_events" {
  command = plan

  variables {
    given_up_events = 0
  }

  expect_failures = [var.given_up_events]
}

run "refuses_0_throttles" {
  command = plan

  variables {
    throttles = 0
  }

  expect_failures = [var.throttles]
}

run "refuses_0_dead_letters_waiting" {
  command = plan

  variables {
    dead_letters_waiting = 0
  }

  expect_failures = [var.dead_letters_waiting]
}

run "refuses_minus_1_errors" {
  command = plan

  variables {
    errors = -1
  }

  expect_failures = [var.errors]
}

run "refuses_half_an_error" {
  command = plan

  variables {
    errors = 0.5
  }

  expect_failures = [var.errors]
}

run "refuses_cluster_red_minutes_of_0" {
  command = plan

  variables {
    cluster_red_minutes = 0
  }

  expect_failures = [var.cluster_red_minutes]
}

run "refuses_cluster_red_minutes_of_1441" {
  command = plan

  variables {
    cluster_red_minutes = 1441
  }

  expect_failures = [var.cluster_red_minutes]
}

run "refuses_cluster_red_minutes_without_a_domain" {
  command = plan

  variables {
    sync                = merge(var.sync, { domain_arn = null })
    cluster_red_minutes = 1
  }

  expect_failures = [var.cluster_red_minutes]
}

run "refuses_writes_blocked_minutes_of_0" {
  command = plan

  variables {
    writes_blocked_minutes = 0
  }

  expect_failures = [var.writes_blocked_minutes]
}

run "refuses_writes_blocked_minutes_of_1441" {
  command = plan

  variables {
    writes_blocked_minutes = 1441
  }

  expect_failures = [var.writes_blocked_minutes]
}

run "refuses_writes_blocked_minutes_without_a_domain" {
  command = plan

  variables {
    sync                   = merge(var.sync, { domain_arn = null })
    writes_blocked_minutes = 1
  }

  expect_failures = [var.writes_blocked_minutes]
}

run "refuses_half_a_minute_of_a_red_cluster" {
  command = plan

  variables {
    cluster_red_minutes = 0.5
  }

  expect_failures = [var.cluster_red_minutes]
}

run "refuses_more_datapoints_than_periods" {
  command = plan

  variables {
    datapoints_to_alarm = 4
  }

  expect_failures = [var.datapoints_to_alarm]
}

run "refuses_0_datapoints" {
  command = plan

  variables {
    datapoints_to_alarm = 0
  }

  expect_failures = [var.datapoints_to_alarm]
}

run "refuses_half_a_datapoint" {
  command = plan

  variables {
    datapoints_to_alarm = 1.5
  }

  expect_failures = [var.datapoints_to_alarm]
}

run "refuses_0_evaluation_periods" {
  command = plan

  variables {
    evaluation_periods  = 0
    datapoints_to_alarm = 1
  }

  expect_failures = [var.evaluation_periods]
}

run "refuses_289_evaluation_periods" {
  command = plan

  variables {
    evaluation_periods = 289
  }

  expect_failures = [var.evaluation_periods]
}

run "refuses_half_an_evaluation_period" {
  command = plan

  variables {
    evaluation_periods = 2.5
  }

  expect_failures = [var.evaluation_periods]
}

run "refuses_a_negative_age_of_dead_letters" {
  command = plan

  variables {
    dead_letters_age_seconds = -1
  }

  expect_failures = [var.dead_letters_age_seconds]
}

run "refuses_an_age_of_dead_letters_that_sqs_deletes" {
  command = plan

  variables {
    dead_letters_age_seconds = 1209600
  }

  expect_failures = [var.dead_letters_age_seconds]
}

run "refuses_an_age_of_dead_letters_in_a_topic" {
  command = plan

  variables {
    sync = merge(var.sync, {
      domain_arn               = null
      failure_destination_arn  = "arn:aws:sns:eu-west-1:111122223333:failures"
      failure_destination_type = "sns"
    })
    dead_letters_waiting = null
  }

  expect_failures = [var.dead_letters_age_seconds]
}

run "refuses_dead_letters_waiting_in_a_topic" {
  command = plan

  variables {
    sync = merge(var.sync, {
      domain_arn               = null
      failure_destination_arn  = "arn:aws:sns:eu-west-1:111122223333:failures"
      failure_destination_type = "sns"
    })
    dead_letters_age_seconds = null
  }

  expect_failures = [var.dead_letters_waiting]
}

run "refuses_dead_letters_waiting_in_a_bucket" {
  command = plan

  variables {
    sync = merge(var.sync, {
      domain_arn               = null
      failure_destination_arn  = "arn:aws:s3:::failures"
      failure_destination_type = "s3"
    })
    dead_letters_age_seconds = null
  }

  expect_failures = [var.dead_letters_waiting]
}

run "refuses_a_collection_as_domain" {
  command = plan

  variables {
    domain = { arn = "arn:aws:aoss:eu-west-1:111122223333:collection/abc123" }
  }

  expect_failures = [var.domain]
}

run "refuses_a_domain_in_another_region" {
  command = plan

  variables {
    domain = { arn = "arn:aws:es:us-east-1:111122223333:domain/search" }
  }

  expect_failures = [var.domain]
}

run "refuses_0_percent_of_the_timeout" {
  command = plan

  variables {
    duration_percent = 0
  }

  expect_failures = [var.duration_percent]
}

run "refuses_101_percent_of_the_timeout" {
  command = plan

  variables {
    duration_percent = 101
  }

  expect_failures = [var.duration_percent]
}

run "refuses_0_mib_of_free_storage" {
  command = plan

  variables {
    free_storage_space_mib = 0
  }

  expect_failures = [var.free_storage_space_mib]
}

run "refuses_free_storage_space_without_a_domain" {
  command = plan

  variables {
    sync                   = merge(var.sync, { domain_arn = null })
    free_storage_space_mib = 20480
  }

  expect_failures = [var.free_storage_space_mib]
}

run "refuses_an_iterator_age_to_page_of_24_hours" {
  command = plan

  variables {
    iterator_age_page_seconds = 86400
  }

  expect_failures = [var.iterator_age_page_seconds]
}

run "refuses_a_negative_iterator_age_to_page" {
  command = plan

  variables {
    iterator_age_page_seconds = -1
    iterator_age_warn_seconds = null
  }

  expect_failures = [var.iterator_age_page_seconds]
}

run "refuses_an_iterator_age_to_warn_of_24_hours" {
  command = plan

  variables {
    iterator_age_warn_seconds = 86400
    iterator_age_page_seconds = null
  }

  expect_failures = [var.iterator_age_warn_seconds]
}

run "refuses_an_iterator_age_to_warn_of_0" {
  command = plan

  variables {
    iterator_age_warn_seconds = 0
  }

  expect_failures = [var.iterator_age_warn_seconds]
}

run "refuses_a_warning_not_before_the_page" {
  command = plan

  variables {
    iterator_age_warn_seconds = 43200
  }

  expect_failures = [var.iterator_age_warn_seconds]
}

run "refuses_0_percent_of_memory" {
  command = plan

  variables {
    jvm_memory_pressure_percent = 0
  }

  expect_failures = [var.jvm_memory_pressure_percent]
}

run "refuses_101_percent_of_memory" {
  command = plan

  variables {
    jvm_memory_pressure_percent = 101
  }

  expect_failures = [var.jvm_memory_pressure_percent]
}

run "refuses_jvm_memory_pressure_without_a_domain" {
  command = plan

  variables {
    sync                        = merge(var.sync, { domain_arn = null })
    jvm_memory_pressure_percent = 90
  }

  expect_failures = [var.jvm_memory_pressure_percent]
}

run "refuses_a_lag_of_0" {
  command = plan

  variables {
    lag_seconds = 0
  }

  expect_failures = [var.lag_seconds]
}

run "refuses_a_lag_of_24_hours" {
  command = plan

  variables {
    lag_seconds = 86400
  }

  expect_failures = [var.lag_seconds]
}

run "refuses_4_minutes_without_polling" {
  command = plan

  variables {
    not_polling_minutes = 4
  }

  expect_failures = [var.not_polling_minutes]
}

run "refuses_1441_minutes_without_polling" {
  command = plan

  variables {
    not_polling_minutes = 1441
  }

  expect_failures = [var.not_polling_minutes]
}

run "refuses_runbooks_that_are_no_url" {
  command = plan

  variables {
    runbooks_url = "runbooks"
  }

  expect_failures = [var.runbooks_url]
}

run "refuses_runbooks_with_a_section" {
  command = plan

  variables {
    runbooks_url = "https://example.com/runbooks.md#errors"
  }

  expect_failures = [var.runbooks_url]
}
