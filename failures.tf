# The failure destination, given or created here: dead letters (documents that OpenSearch permanently refuses) and AWS's
# failure records (batches that Lambda gave up) go to one place. A given one is an object, not an ARN: an ARN may be
# unknown while planning, but the resource's other arguments say what it is.

locals {
  created_type = var.failure_destination == null ? var.failure_destination_type : "none"

  failure_destination_arn = one(concat(
    var.failure_destination[*].arn,
    aws_sqs_queue.failures[*].arn,
    aws_sns_topic.failures[*].arn,
    aws_s3_bucket.failures[*].arn,
  ))
  failure_destination_url = one(concat(var.failure_destination[*].url, aws_sqs_queue.failures[*].url))
  failure_destination_type = (
    var.failure_destination == null ? var.failure_destination_type
    : var.failure_destination.fifo_queue != null ? "sqs"
    : var.failure_destination.fifo_topic != null ? "sns"
    : var.failure_destination.force_destroy != null ? "s3"
    : split(":", local.failure_destination_arn)[2]
  )

  # The same as the resources', but not references to them: see iam.tf. The account comes from the log group, so a
  # second configuration with the same names fails at that, before SQS would give it this one's queue.
  failures_name = "${local.name}-failures"
  failures_arn = (
    local.created_type == "s3" ? one(aws_s3_bucket.failures[*].arn)
    : "arn:${local.home[1]}:${local.created_type}:${local.home[3]}:${local.account}:${local.failures_name}"
  )
}

# The policy of the queue, topic or bucket itself.
data "aws_iam_policy_document" "failures" {
  count = local.created_type == "none" ? 0 : 1

  statement {
    sid    = "RefusePlainHttp"
    effect = "Deny"
    # Every request without TLS. A topic's policy knows no `*`.
    actions   = { sqs = ["sqs:*"], sns = ["sns:Publish"], s3 = ["s3:*"] }[local.created_type]
    resources = local.created_type == "s3" ? [local.failures_arn, "${local.failures_arn}/*"] : [local.failures_arn]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }

  # SQS deletes a queue with all that it holds. Here it refuses, whether a destroy asks, another name or another failure
  # destination. S3 itself keeps a bucket that isn't empty, and a topic holds nothing.
  dynamic "statement" {
    for_each = local.created_type == "sqs" && !var.failure_destination_force_destroy ? [local.failures_arn] : []
    content {
      sid       = "KeepFailures"
      effect    = "Deny"
      actions   = ["sqs:DeleteQueue"]
      resources = [statement.value]

      principals {
        type        = "*"
        identifiers = ["*"]
      }
    }
  }
}

resource "aws_sqs_queue" "failures" {
  count = local.created_type == "sqs" ? 1 : 0

  name                              = local.failures_name
  policy                            = data.aws_iam_policy_document.failures[0].json
  fifo_queue                        = false   # Lambda delivers to standard queues only
  message_retention_seconds         = 1209600 # 14 days, SQS's maximum
  visibility_timeout_seconds        = 300     # time to redrive what was received; then it is visible again
  receive_wait_time_seconds         = 0
  delay_seconds                     = 0
  max_message_size                  = 262144
  sqs_managed_sse_enabled           = var.failure_destination_kms_key_arn == null ? true : null
  kms_master_key_id                 = var.failure_destination_kms_key_arn
  kms_data_key_reuse_period_seconds = var.failure_destination_kms_key_arn == null ? null : 300
  tags                              = var.tags

  # The sync moves to another queue before this one is to go, and stays there if its policy refuses that.
  lifecycle {
    create_before_destroy = true
  }
}

# A separate resource: the queue's argument redrive_policy would keep its old value when it is removed.
resource "aws_sqs_queue_redrive_policy" "failures" {
  count = local.created_type == "sqs" && var.failure_destination_redrive_policy != null ? 1 : 0

  queue_url = aws_sqs_queue.failures[0].id
  redrive_policy = jsonencode({
    deadLetterTargetArn = var.failure_destination_redrive_policy.dead_letter_target_arn
    maxReceiveCount     = var.failure_destination_redrive_policy.max_receive_count
  })
}

resource "aws_sns_topic" "failures" {
  count = local.created_type == "sns" ? 1 : 0

  name              = local.failures_name
  policy            = data.aws_iam_policy_document.failures[0].json
  fifo_topic        = false # Lambda delivers to standard topics only
  kms_master_key_id = coalesce(var.failure_destination_kms_key_arn, "alias/aws/sns")
  tags              = var.tags
}

# A topic keeps nothing: without a subscriber, each failure would be lost.
resource "aws_sns_topic_subscription" "failures" {
  count = local.created_type == "sns" ? 1 : 0

  topic_arn                       = aws_sns_topic.failures[0].arn
  protocol                        = var.failure_destination_subscription.protocol
  endpoint                        = var.failure_destination_subscription.endpoint
  subscription_role_arn           = var.failure_destination_subscription.subscription_role_arn
  raw_message_delivery            = false # SNS's own envelope: a redrive reads it
  confirmation_timeout_in_minutes = 1
  endpoint_auto_confirms          = false
}

# A bucket's name must be globally unique, so AWS completes it. It must not start with a hyphen.
resource "aws_s3_bucket" "failures" {
  #checkov:skip=CKV_AWS_18:access logs need another bucket; to have them, give your own as failure_destination
  #checkov:skip=CKV_AWS_21:each object is written once, under its own name: there are no versions to keep
  #checkov:skip=CKV_AWS_144:the truth is in the table: a redrive settles each key by reading it there
  #checkov:skip=CKV2_AWS_62:for notifications, add an aws_s3_bucket_notification to failure_destination_arn
  count = local.created_type == "s3" ? 1 : 0

  bucket_prefix = replace("${lower(replace(substr(local.name, 0, 27), "_", "-"))}-failures-", "/^-+/", "")
  force_destroy = var.failure_destination_force_destroy
  tags          = var.tags
}

resource "aws_s3_bucket_public_access_block" "failures" {
  count = local.created_type == "s3" ? 1 : 0

  bucket                  = aws_s3_bucket.failures[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "failures" {
  count = local.created_type == "s3" ? 1 : 0

  bucket = aws_s3_bucket.failures[0].id

  rule {
    bucket_key_enabled = var.failure_destination_kms_key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.failure_destination_kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.failure_destination_kms_key_arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "failures" {
  count = local.created_type == "s3" ? 1 : 0

  bucket = aws_s3_bucket.failures[0].id

  rule {
    id     = "expire"
    status = "Enabled"

    filter {}

    expiration {
      days = var.failure_destination_expiration_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

resource "aws_s3_bucket_policy" "failures" {
  count = local.created_type == "s3" ? 1 : 0

  bucket = aws_s3_bucket.failures[0].id
  policy = data.aws_iam_policy_document.failures[0].json

  # S3 refuses to change a bucket's policy and its public access block at the same time.
  depends_on = [aws_s3_bucket_public_access_block.failures]
}
