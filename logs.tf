# Created before the function: otherwise Lambda creates one that never expires and that no destroy removes. Its class
# is AWS's default, STANDARD, the only one that turns embedded-metric lines into metrics; some partitions accept none.
resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:log_retention_in_days is the caller's choice

  name              = "/aws/lambda/${local.name}"
  retention_in_days = var.log_retention_in_days
  kms_key_id        = var.log_kms_key_arn
  skip_destroy      = false
  tags              = var.tags
}
