# Two private subnets in two Availability Zones: no internet gateway, no NAT, no way out but the endpoints.

data "aws_availability_zones" "available" {
  #checkov:skip=CKV_AWS_394:the first two are taken, once: the subnets stay where they are when the list changes
  state = "available"

  # Without Local Zones: OpenSearch Service has no nodes there.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

resource "aws_vpc" "this" {
  #checkov:skip=CKV2_AWS_11:flow logs are billed by the gigabyte; add an aws_flow_log where your rules ask for them
  cidr_block           = var.cidr_block
  enable_dns_support   = true # with the hostnames: the function finds SQS's endpoint under SQS's public name
  enable_dns_hostnames = true
  tags                 = { Name = var.name }
}

resource "aws_subnet" "private" {
  count = 2

  vpc_id            = aws_vpc.this.id
  availability_zone = data.aws_availability_zones.available.names[count.index]
  cidr_block        = cidrsubnet(var.cidr_block, 2, count.index)
  tags              = { Name = "${var.name}-private-${count.index}" }

  lifecycle {
    ignore_changes = [availability_zone] # a zone that AWS adds, or closes for a while, moves no subnet
  }
}

resource "aws_route_table" "private" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = "${var.name}-private" }
}

resource "aws_route_table_association" "private" {
  count = 2

  subnet_id      = aws_subnet.private[count.index].id
  route_table_id = aws_route_table.private.id
}
