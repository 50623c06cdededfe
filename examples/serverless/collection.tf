locals {
  collection = "${var.name}-search"
}

resource "aws_opensearchserverless_collection" "search" {
  name             = local.collection
  description      = "Search for the table ${var.name}-products."
  type             = "SEARCH"   # Classic's other types accept no document ids, which a sync needs
  standby_replicas = "DISABLED" # half the price; give ENABLED where search must outlive an Availability Zone

  # AWS only creates a collection if a policy already says how it is encrypted.
  depends_on = [aws_opensearchserverless_security_policy.encryption]
}

resource "aws_opensearchserverless_security_policy" "encryption" {
  name        = local.collection
  type        = "encryption"
  description = "With the key that AWS owns."

  policy = jsonencode({
    Rules       = [{ ResourceType = "collection", Resource = ["collection/${local.collection}"] }]
    AWSOwnedKey = true
  })
}
