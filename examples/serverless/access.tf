# Who may do what with the index. IAM knows one action for all of it, aoss:APIAccessAll, which the module grants to the
# sync's role; an administrator needs it too.
resource "aws_opensearchserverless_access_policy" "search" {
  name        = local.collection
  type        = "data"
  description = "The sync writes; administrators create indexes and search."

  policy = jsonencode([
    {
      Description = "The sync writes its index, by POST /${module.sync.index}/_bulk, and no more."
      Principal   = [module.sync.role_arn]
      Rules = [{
        ResourceType = "index"
        Resource     = ["index/${local.collection}/${module.sync.index}"]
        Permission   = ["aoss:WriteDocument"]
      }]
    },
    {
      Description = "Administrators create, change and delete indexes, and search."
      Principal   = var.administrator_arns
      Rules = [{
        ResourceType = "index"
        Resource     = ["index/${local.collection}/*"]
        Permission = [
          "aoss:CreateIndex", "aoss:DeleteIndex", "aoss:DescribeIndex", "aoss:ReadDocument", "aoss:UpdateIndex",
        ]
      }]
    },
  ])
}
