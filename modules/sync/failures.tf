# Where documents go that OpenSearch refuses for good, and AWS's own records of batches that were given up: one place, given
# or made. Which of the two is told by an object, not by its ARN: an ARN may be unknown while planning, and a count may not.

locals {
  make = var.failure_destination == null ? var.failure_destination_type : "nothing"

  failure_destination_arn = one(concat(
    var.failure_destination[*].arn,
    aws_sqs_queue.failures[*].arn,
    aws_sns_topic.failures[*].arn,
    aws_s3_bucket.failures[*].arn,
  ))
  failure_destination_url  = one(concat(var.failure_destination[*].url, aws_sqs_queue.failures[*].url))
  failure_destination_type = var.failure_destination == null ? var.failure_destination_type : split(":", local.failure_destination_arn)[2]
}

resource "aws_sqs_queue" "failures" {
  count = local.make == "sqs" ? 1 : 0

  name                              = "${local.name}-failures"
  fifo_queue                        = false   # Lambda delivers to standard queues only
  message_retention_seconds         = 1209600 # 14 days, SQS's maximum
  visibility_timeout_seconds        = 300     # enough to redrive what was received; then others see it again
  receive_wait_time_seconds         = 0
  delay_seconds                     = 0
  max_message_size                  = 262144
  sqs_managed_sse_enabled           = var.failure_destination_kms_key_arn == null ? true : null
  kms_master_key_id                 = var.failure_destination_kms_key_arn
  kms_data_key_reuse_period_seconds = var.failure_destination_kms_key_arn == null ? null : 300
  tags                              = var.tags
}

# A resource of its own: the queue's argument redrive_policy would stay as it was when it is taken out.
resource "aws_sqs_queue_redrive_policy" "failures" {
  count = local.make == "sqs" && var.failure_destination_redrive_policy != null ? 1 : 0

  queue_url = aws_sqs_queue.failures[0].id
  redrive_policy = jsonencode({
    deadLetterTargetArn = var.failure_destination_redrive_policy.dead_letter_target_arn
    maxReceiveCount     = var.failure_destination_redrive_policy.max_receive_count
  })
}

resource "aws_sns_topic" "failures" {
  count = local.make == "sns" ? 1 : 0

  name              = "${local.name}-failures"
  fifo_topic        = false # Lambda delivers to standard topics only
  kms_master_key_id = coalesce(var.failure_destination_kms_key_arn, "alias/aws/sns")
  tags              = var.tags
}

# A bucket's name is unique in the world, so AWS completes it; it must not start with a hyphen.
resource "aws_s3_bucket" "failures" {
  #checkov:skip=CKV_AWS_18:access logs need another bucket; who wants them gives a bucket of their own as failure_destination
  #checkov:skip=CKV_AWS_21:each object is written once, under a name of its own: there are no other versions to keep
  #checkov:skip=CKV_AWS_144:the truth is in the table, which settles every key that stands here
  #checkov:skip=CKV2_AWS_62:who wants to be told adds an aws_s3_bucket_notification for the output failure_destination_arn
  count = local.make == "s3" ? 1 : 0

  bucket_prefix = replace("${lower(replace(substr(local.name, 0, 27), "_", "-"))}-failures-", "/^-+/", "")
  force_destroy = var.failure_destination_force_destroy
  tags          = var.tags
}

resource "aws_s3_bucket_public_access_block" "failures" {
  count = local.make == "s3" ? 1 : 0

  bucket                  = aws_s3_bucket.failures[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "failures" {
  count = local.make == "s3" ? 1 : 0

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
  count = local.make == "s3" ? 1 : 0

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
  count = local.make == "s3" ? 1 : 0

  statement {
    sid       = "RefusePlainHttp"
    effect    = "Deny"
    actions   = ["s3:*"] # every request without TLS, whatever it asks for
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
  count = local.make == "s3" ? 1 : 0

  bucket = aws_s3_bucket.failures[0].id
  policy = data.aws_iam_policy_document.failures_bucket[0].json

  # S3 refuses to change a bucket's policy and its public access block at the same time.
  depends_on = [aws_s3_bucket_public_access_block.failures]
}
