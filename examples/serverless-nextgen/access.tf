# Who may do what with the index. IAM knows one action for all of it, aoss:APIAccessAll, which the module grants to the
# sync's role; an administrator needs it too.
resource "aws_opensearchserverless_access_policy" "search" {
  name        = var.collection.name
  type        = "data"
  description = "The sync writes; administrators create indexes and search."

  policy = jsonencode([
    {
      Description = "The sync writes its index, by POST /${module.sync.index}/_bulk, and no more."
      Principal   = [module.sync.role_arn]
      Rules = [{
        ResourceType = "index"
        Resource     = ["index/${var.collection.name}/${module.sync.index}"]
        Permission   = ["aoss:WriteDocument"]
      }]
    },
    {
      Description = "Administrators create, change and delete indexes, and search."
      Principal   = var.administrator_arns
      Rules = [
        # A NextGen collection asks for this too when an index is created in it.
        {
          ResourceType = "collection"
          Resource     = ["collection/${var.collection.name}"]
          Permission   = ["aoss:CreateCollectionItems", "aoss:DescribeCollectionItems"]
        },
        {
          ResourceType = "index"
          Resource     = ["index/${var.collection.name}/*"]
          Permission = [
            "aoss:CreateIndex", "aoss:DeleteIndex", "aoss:DescribeIndex", "aoss:ReadDocument", "aoss:UpdateIndex",
          ]
        },
      ]
    },
  ])
}

# Where requests may come from: anywhere, signed by AWS's keys all the same. In a VPC a NextGen collection is reached by
# an ordinary interface endpoint (com.amazonaws.REGION.aoss-data), whose id belongs into SourceVPCEs.
resource "aws_opensearchserverless_security_policy" "network" {
  name        = var.collection.name
  type        = "network"
  description = "From anywhere."

  policy = jsonencode([{
    Rules           = [{ ResourceType = "collection", Resource = ["collection/${var.collection.name}"] }]
    AllowFromPublic = true
  }])
}
