# Who may talk to whom. Each connection is allowed at both ends, by the groups' ids.

locals {
  groups = {
    clients  = "Whoever searches: give it to your services, and to the shell that sets the domain up."
    domain   = "The domain: function and clients come in."
    function = "The function of the sync: goes out to the domain, to DynamoDB and to SQS."
    sqs      = "The endpoint of SQS: the function comes in."
  }

  # All of it HTTPS.
  ways = {
    "clients to domain"  = { from = "clients", to = "domain" }
    "function to domain" = { from = "function", to = "domain" }
    "function to sqs"    = { from = "function", to = "sqs" }
  }
}

resource "aws_security_group" "this" {
  #checkov:skip=CKV2_AWS_5:the group clients is for services that search, which are not part of this example
  for_each = local.groups

  name        = "${var.name}-${each.key}"
  description = each.value
  vpc_id      = aws_vpc.this.id
  tags        = { Name = "${var.name}-${each.key}" }
}

resource "aws_vpc_security_group_egress_rule" "this" {
  for_each = local.ways

  description                  = each.key
  security_group_id            = aws_security_group.this[each.value.from].id
  referenced_security_group_id = aws_security_group.this[each.value.to].id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each = local.ways

  description                  = each.key
  security_group_id            = aws_security_group.this[each.value.to].id
  referenced_security_group_id = aws_security_group.this[each.value.from].id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

# A gateway endpoint has no security group: DynamoDB is reached by its addresses, which AWS keeps in a prefix list.
resource "aws_vpc_security_group_egress_rule" "dynamodb" {
  description       = "function to DynamoDB"
  security_group_id = aws_security_group.this["function"].id
  prefix_list_id    = aws_vpc_endpoint.dynamodb.prefix_list_id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# The group that AWS creates with a VPC allows all outgoing traffic: without rules nothing can use it by mistake.
resource "aws_default_security_group" "unused" {
  vpc_id = aws_vpc.this.id
}
