# One table with all of a shop's data, and three indices of it: each holds its own kind of item, in its own shape.

module "shop" {
  source = "../../modules/table"

  name      = var.name
  hash_key  = "pk"
  range_key = "sk"

  ttl_attribute_name = "expiresAt" # of sessions and locks

  # An example must be easy to destroy. Leave the protection on for a real table.
  deletion_protection_enabled = false
}

module "sync" {
  source = "../.."

  table  = module.shop
  domain = aws_opensearch_domain.search

  indices = {
    # All orders but drafts. The document's id is made of the key in any case.
    orders = {
      when = [
        { attribute = "sk", begins_with = "ORDER#" },
        { attribute = "status", not_equals = ["draft"] },
      ]
      exclude   = ["pk", "sk"]
      rename    = { ts = "orderedAt" }
      constants = { currency = "EUR" }
    }

    # Customers that aren't deleted. Only what is named here: an attribute that is added later stays out, too.
    customers = {
      when = [
        { attribute = "type", equals = ["customer"] },
        { attribute = "deletedAt", exists = false },
      ]
      include = ["customerId", "name", "email", "city", "createdAt"]
    }

    # All line items, without the numbers that only recommendations need.
    line-items = {
      when    = [{ attribute = "sk", begins_with = "LINE#" }]
      exclude = ["pk", "sk", "embedding"]
    }
  }

  # A customer's new password changes no document: nothing is written.
  skip_unchanged = true

  # An example must be easy to destroy, with the dead letters in its queue. Leave this out for a real sync.
  failure_destination_force_destroy = true
}
