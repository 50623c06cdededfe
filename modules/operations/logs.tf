# Made here, before the function: Lambda would otherwise make one that never expires and that no destroy removes.
resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:the caller's choice: log_retention_in_days

  name              = "/aws/lambda/${local.name}"
  log_group_class   = "STANDARD" # the only class that makes metrics of the function's embedded-metric lines
  retention_in_days = var.log_retention_in_days
  kms_key_id        = var.log_kms_key_arn
  skip_destroy      = false
  tags              = var.tags
}
