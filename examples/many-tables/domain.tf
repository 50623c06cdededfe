# The smallest domain that is still encrypted everywhere: about 30 USD a month.
resource "aws_opensearch_domain" "search" {
  #checkov:skip=CKV_AWS_84:logs are billed by the gigabyte; add log_publishing_options where your rules ask for them
  #checkov:skip=CKV_AWS_137:it is reached from anywhere by signed requests; examples/vpc shows a private domain
  #checkov:skip=CKV_AWS_247:AWS's managed key encrypts; give kms_key_id if your rules ask for your own key
  #checkov:skip=CKV_AWS_248:a domain outside a VPC has no security group; examples/vpc shows one that has
  #checkov:skip=CKV_AWS_317:audit logs need fine-grained access control; examples/vpc shows it
  #checkov:skip=CKV_AWS_318:a single node has no masters to dedicate; examples/vpc says when to add them
  #checkov:skip=CKV2_AWS_52:IAM alone controls access; examples/vpc shows fine-grained access control
  #checkov:skip=CKV2_AWS_59:a single node has no elections to win; examples/vpc shows two nodes

  domain_name    = "${var.name}-search"
  engine_version = "OpenSearch_2.19"

  cluster_config {
    instance_type  = "t3.small.search"
    instance_count = 1 # a single node: no replica, so search is interrupted while the domain is updated
  }

  ebs_options {
    ebs_enabled = true
    volume_type = "gp3"
    volume_size = 10 # GB, gp3's minimum
  }

  encrypt_at_rest {
    enabled = true
  }

  node_to_node_encryption {
    enabled = true
  }

  domain_endpoint_options {
    enforce_https       = true
    tls_security_policy = "Policy-Min-TLS-1-2-PFS-2023-10"
  }
}

# Who is allowed in, besides principals whose own IAM policy allows it: each sync, and only to write its own index.
data "aws_iam_policy_document" "search" {
  dynamic "statement" {
    for_each = module.sync
    content {
      sid       = "SyncWrites${title(statement.key)}"
      actions   = ["es:ESHttpPost"]
      resources = ["${aws_opensearch_domain.search.arn}/${statement.value.index}/_bulk"]

      principals {
        type        = "AWS"
        identifiers = [statement.value.role_arn]
      }
    }
  }
}

# A resource of its own: the domain must be there before the syncs, the syncs' roles before this.
resource "aws_opensearch_domain_policy" "search" {
  domain_name     = aws_opensearch_domain.search.domain_name
  access_policies = data.aws_iam_policy_document.search.json
}
