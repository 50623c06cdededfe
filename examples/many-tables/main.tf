# Three tables, three indices, one search: each table's own names become the same fields, so one query fits them all.

locals {
  tables = {
    answers = {
      hash_key = "questionId"
      rename   = { question = "title", answer = "text" }
    }
    articles = {
      hash_key = "slug"
      rename   = { headline = "title", body = "text" }
    }
    products = {
      hash_key = "productId"
      rename   = { name = "title", description = "text" }
    }
  }
}

module "table" {
  source   = "../../modules/table"
  for_each = local.tables

  name     = "${var.name}-${each.key}"
  hash_key = each.value.hash_key

  # An example must be easy to destroy. Leave the protection on for real tables.
  deletion_protection_enabled = false
}

module "sync" {
  source   = "../.."
  for_each = local.tables

  table  = module.table[each.key]
  domain = aws_opensearch_domain.search

  indices = {
    (each.key) = {
      rename    = each.value.rename
      constants = { kind = each.key }
    }
  }

  # An example must be easy to destroy, with the dead letters in its queue. Leave this out for a real sync.
  failure_destination_force_destroy = true
}
