# Rules that some item can meet, and rules that none can. And the patterns that Lambda gets from rules about keys: one
# that is too narrow would lose changes, so each doubt means no pattern.

mock_provider "aws" {
  source = "./tests/terraform/sync/mocks"
}

variables {
  table = {
    name       = "shop"
    arn        = "arn:aws:dynamodb:eu-west-1:111122223333:table/shop"
    stream_arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/shop/stream/2025-01-01T00:00:00.000"
    hash_key   = "pk"
    range_key  = "sk"
    attribute  = [{ name = "pk", type = "S" }, { name = "sk", type = "S" }, { name = "type", type = "S" }]
  }
  domain = {
    arn      = "arn:aws:es:eu-west-1:111122223333:domain/search"
    endpoint = "search-x.eu-west-1.es.amazonaws.com"
  }
}

run "rules_that_some_item_meets" {
  command = plan

  variables {
    table = merge(var.table, { attribute = [{ name = "pk", type = "B" }, { name = "sk", type = "N" }] })
    indices = {
      keys = { when = [
        { attribute = "pk", not_equals = ["x"] },
        { attribute = "pk", exists = true },
        { attribute = "sk", equals = ["x", "7"] },
        { attribute = "sko.a", equals = ["x"] },
      ] }
      missing = { when = [
        { attribute = "a", exists = false },
        { attribute = "a", not_equals = ["x"] },
        { attribute = "a.b", exists = false },
        { attribute = "ab", exists = true },
        { attribute = "c.d", exists = false },
        { attribute = "c", exists = true },
      ] }
      prefixes = { when = [
        { attribute = "a", begins_with = "x" },
        { attribute = "a", begins_with = "xy" },
        { attribute = "a", equals = ["a", "xyz"] },
        { attribute = "a", not_equals = ["a", "xy"] },
        { attribute = "ab", begins_with = "z" },
      ] }
      # The string "7" differs from the string "7.0", but the number 7 equals both.
      numbers = { when = [
        { attribute = "a", equals = ["7"] },
        { attribute = "a", equals = ["7.0", "x"] },
        { attribute = "b", equals = ["7"] },
        { attribute = "b", not_equals = ["7.0"] },
      ] }
    }
  }

  assert {
    condition     = length(output.filters) == 0
    error_message = "The patterns are ${jsonencode(output.filters)}"
  }
}

run "no_item_has_a_key_that_is_missing" {
  command = plan

  variables {
    indices = { orders = { when = [{ attribute = "sk", exists = false }] }, everything = {} }
  }

  expect_failures = [aws_lambda_function.this]
}

run "no_item_has_a_key_that_is_a_map" {
  command = plan

  variables {
    indices = { orders = { when = [{ attribute = "sk.kind", exists = true }] }, everything = {} }
  }

  expect_failures = [aws_lambda_function.this]
}

run "no_item_has_a_number_key_that_begins_with_something" {
  command = plan

  variables {
    table   = merge(var.table, { attribute = [{ name = "sk", type = "N" }] })
    indices = { orders = { when = [{ attribute = "sk", begins_with = "1" }] }, everything = {} }
  }

  expect_failures = [aws_lambda_function.this]
}

run "no_item_has_a_number_key_that_equals_no_number" {
  command = plan

  variables {
    table   = merge(var.table, { attribute = [{ name = "sk", type = "N" }] })
    indices = { orders = { when = [{ attribute = "sk", equals = ["x", "y"] }] }, everything = {} }
  }

  expect_failures = [aws_lambda_function.this]
}

run "no_item_has_a_binary_key_that_equals_something" {
  command = plan

  variables {
    table   = merge(var.table, { attribute = [{ name = "sk", type = "B" }] })
    indices = { orders = { when = [{ attribute = "sk", equals = ["7"] }] }, everything = {} }
  }

  expect_failures = [aws_lambda_function.this]
}

run "no_item_has_an_attribute_that_is_missing_and_there" {
  command = plan

  variables {
    indices = { orders = { when = [
      { attribute = "a", exists = true },
      { attribute = "a", exists = false },
    ] }, everything = {} }
  }

  expect_failures = [aws_lambda_function.this]
}

run "no_item_has_an_attribute_that_is_missing_and_equals_something" {
  command = plan

  variables {
    indices = { orders = { when = [
      { attribute = "a", exists = false },
      { attribute = "a", equals = ["x"] },
    ] }, everything = {} }
  }

  expect_failures = [aws_lambda_function.this]
}

run "no_item_has_an_attribute_that_is_missing_and_begins_with_something" {
  command = plan

  variables {
    indices = { orders = { when = [
      { attribute = "a", begins_with = "x" },
      { attribute = "a", exists = false },
    ] }, everything = {} }
  }

  expect_failures = [aws_lambda_function.this]
}

run "no_item_has_a_step_into_an_attribute_that_is_missing" {
  command = plan

  variables {
    indices = { orders = { when = [
      { attribute = "a", exists = false },
      { attribute = "a.b.c", exists = true },
    ] }, everything = {} }
  }

  expect_failures = [aws_lambda_function.this]
}

run "no_item_has_a_step_into_a_string" {
  command = plan

  variables {
    indices = { orders = { when = [
      { attribute = "a.b", equals = ["x"] },
      { attribute = "a", begins_with = "x" },
    ] }, everything = {} }
  }

  expect_failures = [aws_lambda_function.this]
}

run "no_item_has_two_prefixes_that_exclude_each_other" {
  command = plan

  variables {
    indices = { orders = { when = [
      { attribute = "a", begins_with = "x" },
      { attribute = "a", begins_with = "y" },
    ] }, everything = {} }
  }

  expect_failures = [aws_lambda_function.this]
}

run "no_item_has_values_that_begin_otherwise" {
  command = plan

  variables {
    indices = { orders = { when = [
      { attribute = "a", equals = ["x", "y"] },
      { attribute = "a", begins_with = "z" },
    ] }, everything = {} }
  }

  expect_failures = [aws_lambda_function.this]
}

run "no_item_has_values_that_are_all_excluded" {
  command = plan

  variables {
    indices = { orders = { when = [
      { attribute = "a", equals = ["x", "y"] },
      { attribute = "a", not_equals = ["y", "z", "x"] },
    ] }, everything = {} }
  }

  expect_failures = [aws_lambda_function.this]
}

run "no_item_has_values_that_other_values_exclude" {
  command = plan

  variables {
    indices = { orders = { when = [
      { attribute = "a", equals = ["x", "7"] },
      { attribute = "a", equals = ["y", "7.01"] },
    ] }, everything = {} }
  }

  expect_failures = [aws_lambda_function.this]
}

run "no_item_has_values_that_two_conditions_exclude_together" {
  command = plan

  variables {
    indices = { orders = { when = [
      { attribute = "a", equals = ["x", "y"] },
      { attribute = "a", not_equals = ["x"] },
      { attribute = "a", begins_with = "x" },
    ] }, everything = {} }
  }

  expect_failures = [aws_lambda_function.this]
}

run "a_pattern_for_each_index_whose_rule_is_about_string_keys" {
  variables {
    indices = {
      orders = { when = [
        { attribute = "pk", equals = ["A", "B\"é<"] },
        { attribute = "sk", begins_with = "ORDER#" },
      ] }
      customers = { when = [{ attribute = "sk", equals = ["PROFILE"] }], transform = "a:b", standby = true }
      lines     = { when = [{ attribute = "sk", not_equals = ["PROFILE", "META"] }] }
      profiles  = { when = [{ attribute = "sk", equals = ["PROFILE"] }] }
    }
    layers = ["arn:aws:lambda:eu-west-1:111122223333:layer:transforms:7"]
  }

  # In the order of the indices' names; two of them have the same one.
  assert {
    condition = [for pattern in output.filters : jsondecode(pattern)] == [
      { dynamodb = { Keys = { sk = { S = ["PROFILE"] } } } },
      { dynamodb = { Keys = { sk = { S = [{ anything-but = ["PROFILE", "META"] }] } } } },
      { dynamodb = { Keys = { pk = { S = ["A", "B\"é<"] }, sk = { S = [{ prefix = "ORDER#" }] } } } },
    ]
    error_message = "The patterns are ${jsonencode(output.filters)}"
  }

  assert {
    condition = (
      toset(aws_lambda_event_source_mapping.this.filter_criteria[0].filter[*].pattern) == toset(output.filters)
    )
    error_message = "The event source mapping has ${jsonencode(aws_lambda_event_source_mapping.this.filter_criteria)}"
  }
}

run "filters_of_ones_own_take_the_place_of_those" {
  variables {
    indices = { orders = { when = [{ attribute = "sk", begins_with = "ORDER#" }] } }
    filters = ["{\"dynamodb\":{\"Keys\":{\"pk\":{\"S\":[{\"prefix\":\"p\"}]}}}}"]
  }

  assert {
    condition     = output.filters == tolist(var.filters)
    error_message = "The patterns are ${jsonencode(output.filters)}"
  }
}

run "no_pattern_where_an_index_needs_every_item" {
  command = plan

  variables {
    indices = { orders = { when = [{ attribute = "sk", begins_with = "ORDER#" }] }, everything = {} }
  }

  assert {
    condition = (
      length(output.filters) == 0 && length(aws_lambda_event_source_mapping.this.filter_criteria) == 0
    )
    error_message = "The patterns are ${jsonencode(output.filters)}"
  }
}

run "no_pattern_where_a_rule_looks_at_another_attribute" {
  command = plan

  variables {
    indices = {
      orders    = { when = [{ attribute = "sk", begins_with = "ORDER#" }] }
      customers = { when = [{ attribute = "type", equals = ["customer"] }] }
    }
  }

  assert {
    condition = (
      length(output.filters) == 0 && length(aws_lambda_event_source_mapping.this.filter_criteria) == 0
    )
    error_message = "The patterns are ${jsonencode(output.filters)}"
  }
}

run "no_pattern_where_a_rule_looks_at_another_attribute_too" {
  command = plan

  variables {
    indices = { orders = { when = [
      { attribute = "sk", begins_with = "ORDER#" },
      { attribute = "total", exists = true },
    ] } }
  }

  assert {
    condition = (
      length(output.filters) == 0 && length(aws_lambda_event_source_mapping.this.filter_criteria) == 0
    )
    error_message = "The patterns are ${jsonencode(output.filters)}"
  }
}

run "no_pattern_where_a_rule_looks_into_an_attribute" {
  command = plan

  variables {
    indices = { orders = { when = [{ attribute = "sk2.kind", equals = ["x"] }] } }
  }

  assert {
    condition = (
      length(output.filters) == 0 && length(aws_lambda_event_source_mapping.this.filter_criteria) == 0
    )
    error_message = "The patterns are ${jsonencode(output.filters)}"
  }
}

run "no_pattern_where_a_rule_asks_whether_a_key_exists" {
  command = plan

  variables {
    indices = { orders = { when = [{ attribute = "sk", exists = true }] } }
  }

  assert {
    condition = (
      length(output.filters) == 0 && length(aws_lambda_event_source_mapping.this.filter_criteria) == 0
    )
    error_message = "The patterns are ${jsonencode(output.filters)}"
  }
}

run "no_pattern_where_a_key_has_two_conditions" {
  command = plan

  variables {
    indices = { orders = { when = [
      { attribute = "sk", begins_with = "O" },
      { attribute = "sk", not_equals = ["O#1"] },
    ] } }
  }

  assert {
    condition = (
      length(output.filters) == 0 && length(aws_lambda_event_source_mapping.this.filter_criteria) == 0
    )
    error_message = "The patterns are ${jsonencode(output.filters)}"
  }
}

run "no_pattern_where_a_key_is_a_number" {
  command = plan

  variables {
    table   = merge(var.table, { attribute = [{ name = "pk", type = "S" }, { name = "sk", type = "N" }] })
    indices = { orders = { when = [{ attribute = "sk", equals = ["7"] }] } }
  }

  assert {
    condition = (
      length(output.filters) == 0 && length(aws_lambda_event_source_mapping.this.filter_criteria) == 0
    )
    error_message = "The patterns are ${jsonencode(output.filters)}"
  }
}

run "no_pattern_where_a_keys_type_is_unknown" {
  command = plan

  variables {
    table   = merge(var.table, { attribute = [{ name = "pk", type = "S" }] })
    indices = { orders = { when = [{ attribute = "sk", begins_with = "ORDER#" }] } }
  }

  assert {
    condition = (
      length(output.filters) == 0 && length(aws_lambda_event_source_mapping.this.filter_criteria) == 0
    )
    error_message = "The patterns are ${jsonencode(output.filters)}"
  }
}

run "no_pattern_where_the_tables_key_types_are_unknown" {
  command = plan

  variables {
    table   = merge(var.table, { attribute = null })
    indices = { orders = { when = [{ attribute = "sk", begins_with = "ORDER#" }] } }
  }

  assert {
    condition = (
      length(output.filters) == 0 && length(aws_lambda_event_source_mapping.this.filter_criteria) == 0
    )
    error_message = "The patterns are ${jsonencode(output.filters)}"
  }
}

run "no_pattern_where_there_are_six_of_them" {
  command = plan

  variables {
    indices = {
      for number in range(6) : "index-${number}" => { when = [{ attribute = "sk", begins_with = "${number}#" }] }
    }
  }

  assert {
    condition = (
      length(output.filters) == 0 && length(aws_lambda_event_source_mapping.this.filter_criteria) == 0
    )
    error_message = "The patterns are ${jsonencode(output.filters)}"
  }
}

run "no_pattern_where_one_of_them_is_too_long" {
  command = plan

  variables {
    indices = { orders = { when = [{ attribute = "sk", equals = [for number in range(512) : "ORDER#${number}"] }] } }
  }

  assert {
    condition = (
      length(output.filters) == 0 && length(aws_lambda_event_source_mapping.this.filter_criteria) == 0
    )
    error_message = "The patterns are ${jsonencode(output.filters)}"
  }
}
