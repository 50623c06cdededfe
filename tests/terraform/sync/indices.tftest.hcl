# indices: some good values, then one broken value per run. Terraform checks nothing of an `any`: the validations do.

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
  }
  domain = {
    arn      = "arn:aws:es:eu-west-1:111122223333:domain/search"
    endpoint = "search-x.eu-west-1.es.amazonaws.com"
  }
}

run "everything_good" {
  command = plan

  variables {
    table = merge(var.table, { stream_view_type = "NEW_AND_OLD_IMAGES", attribute = [{ name = "pk", type = "S" }] })
    indices = {
      ".orders-2025_@é" = {
        when = [
          { attribute = "sk", begins_with = "ORDER#" },
          { attribute = "state.paid", equals = [true] },
          { attribute = "state.items", not_equals = ["0"] },
          { attribute = "state", exists = true },
          { attribute = "deletedAt", exists = false },
        ]
        include   = ["sk", "ts", "a.b", "b"]
        exclude   = ["b"]
        rename    = { ts = "orderedAt", sk = "ts" }
        constants = { "kind.name" = "order", "a_" = 1 }
      }
      customers = {
        when      = [{ attribute = "type", equals = ["customer"] }]
        transform = "search.documents:customer_2"
        standby   = true
      }
      everything = {}
    }
    layers         = ["arn:aws:lambda:eu-west-1:111122223333:layer:transforms:7"]
    skip_unchanged = true
  }
}

# As a typed variable of the caller's gives it: with every member, most of them null.
run "a_typed_map" {
  command = plan

  variables {
    indices = {
      orders = {
        when = [{
          attribute = "sk", equals = null, not_equals = null, begins_with = "ORDER#", exists = null
        }]
        include = null, exclude = null, rename = null, constants = null, transform = null, standby = null
      }
    }
  }
}

run "unchanged_documents_of_a_stream_whose_view_type_is_unknown" {
  command = plan

  variables {
    indices        = { orders = {} }
    skip_unchanged = true
  }
}

run "refuses_neither_an_index_nor_indices" {
  command = plan

  variables {
  }

  expect_failures = [var.index]
}

run "refuses_an_index_beside_indices" {
  command = plan

  variables {
    indices = { orders = {} }
    index   = "products"
  }

  expect_failures = [var.index]
}

run "refuses_an_empty_map_of_indices" {
  command = plan

  variables {
    indices = {}
  }

  expect_failures = [var.index]
}

run "refuses_a_list_of_indices" {
  command = plan

  variables {
    indices = ["orders"]
  }

  expect_failures = [var.indices]
}

run "refuses_an_index_that_is_null" {
  command = plan

  variables {
    indices = { orders = null }
  }

  expect_failures = [var.indices]
}

run "refuses_an_index_that_is_a_list" {
  command = plan

  variables {
    indices = { orders = ["sk"] }
  }

  expect_failures = [var.indices]
}

run "refuses_a_misspelt_member" {
  command = plan

  variables {
    indices = { orders = { exlude = ["secret"] } }
  }

  expect_failures = [var.indices]
}

run "refuses_a_misspelt_operator" {
  command = plan

  variables {
    indices = { orders = { when = [{ attribute = "sk", starts_with = "ORDER#", exists = true }] } }
  }

  expect_failures = [var.indices]
}

run "refuses_an_include_that_is_a_string" {
  command = plan

  variables {
    indices = { orders = { include = "sk" } }
  }

  expect_failures = [var.indices]
}

run "refuses_an_exclude_with_a_null" {
  command = plan

  variables {
    indices = { orders = { exclude = ["sk", null] } }
  }

  expect_failures = [var.indices]
}

run "refuses_a_rename_that_is_a_list" {
  command = plan

  variables {
    indices = { orders = { rename = ["sk"] } }
  }

  expect_failures = [var.indices]
}

run "refuses_a_constant_that_is_a_list" {
  command = plan

  variables {
    indices = { orders = { constants = { kind = ["order"] } } }
  }

  expect_failures = [var.indices]
}

run "refuses_a_standby_that_is_no_bool" {
  command = plan

  variables {
    indices = { orders = { standby = "yes" } }
  }

  expect_failures = [var.indices]
}

run "refuses_a_transform_that_is_an_object" {
  command = plan

  variables {
    indices = { orders = { transform = { function = "a:b" } } }
  }

  expect_failures = [var.indices]
}

run "refuses_a_rule_that_is_a_string" {
  command = plan

  variables {
    indices = { orders = { when = "sk" } }
  }

  expect_failures = [var.indices]
}

run "refuses_a_rule_that_is_one_condition" {
  command = plan

  variables {
    indices = { orders = { when = { attribute = "sk", begins_with = "ORDER#" } } }
  }

  expect_failures = [var.indices]
}

run "refuses_an_index_name_in_upper_case" {
  command = plan

  variables {
    indices = { Orders = {} }
  }

  expect_failures = [var.indices]
}

run "refuses_an_index_name_with_a_wildcard" {
  command = plan

  variables {
    indices = { "orders-*" = {} }
  }

  expect_failures = [var.indices]
}

run "refuses_an_index_name_that_starts_with_an_underscore" {
  command = plan

  variables {
    indices = { _orders = {} }
  }

  expect_failures = [var.indices]
}

run "refuses_a_condition_without_attribute" {
  command = plan

  variables {
    indices = { orders = { when = [{ exists = true }] } }
  }

  expect_failures = [var.indices]
}

run "refuses_a_condition_on_an_empty_attribute" {
  command = plan

  variables {
    indices = { orders = { when = [{ attribute = "", exists = true }] } }
  }

  expect_failures = [var.indices]
}

run "refuses_a_condition_with_an_empty_step" {
  command = plan

  variables {
    indices = { orders = { when = [{ attribute = "a..b", exists = true }] } }
  }

  expect_failures = [var.indices]
}

run "refuses_a_condition_with_a_dot_at_the_end" {
  command = plan

  variables {
    indices = { orders = { when = [{ attribute = "a.", exists = true }] } }
  }

  expect_failures = [var.indices]
}

run "refuses_a_condition_without_operator" {
  command = plan

  variables {
    indices = { orders = { when = [{ attribute = "sk" }] } }
  }

  expect_failures = [var.indices]
}

run "refuses_a_condition_with_two_operators" {
  command = plan

  variables {
    indices = { orders = { when = [{ attribute = "a", equals = ["x"], exists = true }] } }
  }

  expect_failures = [var.indices]
}

run "refuses_a_condition_whose_values_are_no_list" {
  command = plan

  variables {
    indices = { orders = { when = [{ attribute = "a", equals = "x" }] } }
  }

  expect_failures = [var.indices]
}

run "refuses_a_condition_that_equals_null" {
  command = plan

  variables {
    indices = { orders = { when = [{ attribute = "a", not_equals = [null] }] } }
  }

  expect_failures = [var.indices]
}

run "refuses_a_prefix_that_is_a_list" {
  command = plan

  variables {
    indices = { orders = { when = [{ attribute = "a", begins_with = ["x"] }] } }
  }

  expect_failures = [var.indices]
}

run "refuses_an_exists_that_is_no_bool" {
  command = plan

  variables {
    indices = { orders = { when = [{ attribute = "a", exists = "no" }] } }
  }

  expect_failures = [var.indices]
}

run "refuses_a_condition_that_equals_nothing" {
  command = plan

  variables {
    indices = { orders = { when = [{ attribute = "a", equals = [] }] } }
  }

  expect_failures = [var.indices]
}

run "refuses_an_empty_prefix" {
  command = plan

  variables {
    indices = { orders = { when = [{ attribute = "a", begins_with = "" }] } }
  }

  expect_failures = [var.indices]
}

run "refuses_a_condition_on_a_key_with_a_dot" {
  command = plan

  variables {
    indices = { orders = { when = [{ attribute = "tenant.id", equals = ["x"] }] } }
    table   = merge(var.table, { hash_key = "tenant.id" })
  }

  expect_failures = [var.indices]
}

run "refuses_an_empty_name_to_exclude" {
  command = plan

  variables {
    indices = { orders = { exclude = [""] } }
  }

  expect_failures = [var.indices]
}

run "refuses_an_empty_name_to_rename" {
  command = plan

  variables {
    indices = { orders = { rename = { "" = "a" } } }
  }

  expect_failures = [var.indices]
}

run "refuses_an_include_of_nothing" {
  command = plan

  variables {
    indices = { orders = { include = [] } }
  }

  expect_failures = [var.indices]
}

run "refuses_an_include_that_is_all_excluded" {
  command = plan

  variables {
    indices = { orders = { include = ["a", "b"], exclude = ["b", "a", "c"] } }
  }

  expect_failures = [var.indices]
}

run "refuses_two_renames_to_one_name" {
  command = plan

  variables {
    indices = { orders = { rename = { a = "c", b = "c" } } }
  }

  expect_failures = [var.indices]
}

run "refuses_a_rename_to_a_constants_name" {
  command = plan

  variables {
    indices = { orders = { rename = { a = "kind" }, constants = { kind = "order" } } }
  }

  expect_failures = [var.indices]
}

run "refuses_a_rename_of_what_is_excluded" {
  command = plan

  variables {
    indices = { orders = { exclude = ["a"], rename = { a = "b" } } }
  }

  expect_failures = [var.indices]
}

run "refuses_a_rename_of_what_is_not_included" {
  command = plan

  variables {
    indices = { orders = { include = ["c"], rename = { a = "b" } } }
  }

  expect_failures = [var.indices]
}

run "refuses_a_rename_to_a_metadata_field" {
  command = plan

  variables {
    indices = { orders = { rename = { a = "_id" } } }
  }

  expect_failures = [var.indices]
}

run "refuses_a_constant_named_like_a_metadata_field" {
  command = plan

  variables {
    indices = { orders = { constants = { _routing = "x" } } }
  }

  expect_failures = [var.indices]
}

run "refuses_a_rename_to_an_escaped_name" {
  command = plan

  variables {
    indices = { orders = { rename = { a = "~b" } } }
  }

  expect_failures = [var.indices]
}

run "refuses_a_rename_to_a_blank_name" {
  command = plan

  variables {
    indices = { orders = { rename = { a = " " } } }
  }

  expect_failures = [var.indices]
}

run "refuses_a_constant_with_an_empty_part" {
  command = plan

  variables {
    indices = { orders = { constants = { "a..b" = "x" } } }
  }

  expect_failures = [var.indices]
}

run "refuses_a_transform_without_function" {
  command = plan

  variables {
    indices = { orders = { transform = "search.documents" } }
    layers  = ["arn:aws:lambda:eu-west-1:111122223333:layer:transforms:7"]
  }

  expect_failures = [var.indices]
}

run "refuses_a_transform_of_a_file" {
  command = plan

  variables {
    indices = { orders = { transform = "search/documents.py:order" } }
    layers  = ["arn:aws:lambda:eu-west-1:111122223333:layer:transforms:7"]
  }

  expect_failures = [var.indices]
}

run "refuses_a_transform_in_a_package_of_ones_own" {
  command = plan

  variables {
    indices  = { orders = { transform = "orders:document" } }
    filename = "./function.tf"
  }

  expect_failures = [var.indices]
}

run "refuses_a_transform_without_layers" {
  command = plan

  variables {
    indices = { orders = { transform = "search.documents:order" } }
  }

  expect_failures = [var.indices]
}

run "refuses_indices_that_are_all_standby" {
  command = plan

  variables {
    indices = { orders = { standby = true }, customers = { standby = true } }
  }

  expect_failures = [var.indices]
}

run "refuses_unchanged_documents_without_old_images" {
  command = plan

  variables {
    indices        = { orders = {} }
    skip_unchanged = true
    table          = merge(var.table, { stream_view_type = "NEW_IMAGE" })
  }

  expect_failures = [var.skip_unchanged]
}
