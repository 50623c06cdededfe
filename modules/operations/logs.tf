# Created before the function: otherwise Lambda creates one that never expires and that no destroy removes.
resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:log_retention_in_days is the caller's choice

  name              = "/aws/lambda/${local.name}"
  log_group_class   = "STANDARD" # the only class that turns embedded-metric lines into metrics
  retention_in_days = var.log_retention_in_days
  kms_key_id        = local.settings.log_kms_key_arn
  skip_destroy      = false
  tags              = var.tags
}
