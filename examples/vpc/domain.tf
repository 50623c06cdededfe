# A domain that can be reached from the VPC only, with a node in each subnet and fine-grained access control: who may do
# what with which index is then OpenSearch's own business, with roles of its own (setup.sh.tftpl).
resource "aws_opensearch_domain" "search" {
  #checkov:skip=CKV_AWS_84:logs are billed by the gigabyte; add log_publishing_options where your rules ask for them
  #checkov:skip=CKV_AWS_247:AWS's managed key encrypts; give kms_key_id if your rules ask for your own key
  #checkov:skip=CKV_AWS_317:audit logs must be switched on inside OpenSearch as well, and are billed by the gigabyte
  #checkov:skip=CKV_AWS_318:dedicated master nodes would more than double the price; the README says when to add them
  #checkov:skip=CKV2_AWS_59:dedicated master nodes would more than double the price; the README says when to add them
  domain_name    = "${var.name}-search"
  engine_version = "OpenSearch_2.19"

  cluster_config {
    instance_type          = "t3.small.search"
    instance_count         = 2
    zone_awareness_enabled = true

    zone_awareness_config {
      availability_zone_count = 2
    }
  }

  ebs_options {
    ebs_enabled = true
    volume_type = "gp3"
    volume_size = 10 # GB, gp3's minimum
  }

  vpc_options {
    subnet_ids         = aws_subnet.private[*].id
    security_group_ids = [aws_security_group.this["domain"].id]
  }

  # No users and passwords: every request is signed with an IAM role. The administrator's is OpenSearch's master user.
  advanced_security_options {
    enabled                        = true
    anonymous_auth_enabled         = false
    internal_user_database_enabled = false

    master_user_options {
      master_user_arn = var.administrator_role_arn
    }
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

# IAM's part, before OpenSearch's: the sync may write its index, the administrator may ask for anything.
data "aws_iam_policy_document" "search" {
  statement {
    sid       = "SyncWritesProducts"
    actions   = ["es:ESHttpPost"]
    resources = ["${aws_opensearch_domain.search.arn}/${module.sync.index}/_bulk"]

    principals {
      type        = "AWS"
      identifiers = [module.sync.role_arn]
    }
  }

  # `*`: all HTTP methods, on all paths.
  statement {
    sid       = "AdministratorManages"
    actions   = ["es:ESHttp*"]
    resources = ["${aws_opensearch_domain.search.arn}/*"]

    principals {
      type        = "AWS"
      identifiers = [var.administrator_role_arn]
    }
  }
}

# A resource of its own: the domain must be there before the sync, the sync's role before this.
resource "aws_opensearch_domain_policy" "search" {
  domain_name     = aws_opensearch_domain.search.domain_name
  access_policies = data.aws_iam_policy_document.search.json
}
