# Where requests may come from; who may send them is up to access.tf. Without a VPC from anywhere, signed by AWS's keys
# all the same; with one only through its endpoint.

resource "aws_opensearchserverless_vpc_endpoint" "search" {
  count = var.vpc == null ? 0 : 1

  name               = local.collection
  vpc_id             = var.vpc.id
  subnet_ids         = var.vpc.subnet_ids
  security_group_ids = var.vpc.security_group_ids
}

resource "aws_opensearchserverless_security_policy" "network" {
  name        = local.collection
  type        = "network"
  description = var.vpc == null ? "From anywhere." : "From the VPC ${var.vpc.id}."

  policy = jsonencode([
    {
      for argument, value in {
        Rules           = [{ ResourceType = "collection", Resource = ["collection/${local.collection}"] }]
        AllowFromPublic = var.vpc == null
        SourceVPCEs     = var.vpc == null ? null : aws_opensearchserverless_vpc_endpoint.search[*].id
      } : argument => value if value != null
    }
  ])
}
