# The failure destination, given or created here: dead letters (documents that OpenSearch permanently refuses) and AWS's
# failure records (batches that Lambda gave up) go to one place. A given one is an object, not an ARN: an ARN may be
# unknown while planning, and then a count would be too.

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
    var.failure_destination == null ? var.failure_destination_type : split(":", local.failure_destination_arn)[2]
  )
}

resource "aws_sqs_queue" "failures" {
  count = local.created_type == "sqs" ? 1 : 0

  name                              = "${local.name}-failures"
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

  name              = "${local.name}-failures"
  fifo_topic        = false # Lambda delivers to standard topics only
  kms_master_key_id = coalesce(var.failure_destination_kms_key_arn, "alias/aws/sns")
  tags              = var.tags
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

data "aws_iam_policy_document" "failures_bucket" {
  count = local.created_type == "s3" ? 1 : 0

  statement {
    sid       = "RefusePlainHttp"
    effect    = "Deny"
    actions   = ["s3:*"] # every request without TLS
    resources = [aws_s3_bucket.failures[0].arn, "${aws_s3_bucket.failures[0].arn}/*"]

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
}

resource "aws_s3_bucket_policy" "failures" {
  count = local.created_type == "s3" ? 1 : 0

  bucket = aws_s3_bucket.failures[0].id
  policy = data.aws_iam_policy_document.failures_bucket[0].json

  # S3 refuses to change a bucket's policy and its public access block at the same time.
  depends_on = [aws_s3_bucket_public_access_block.failures]
}
