# Created before the function: otherwise Lambda creates one that never expires and that no destroy removes. Its class is
# CloudWatch's default, STANDARD: the only one that turns embedded-metric lines into metrics.
resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:log_retention_in_days is the caller's choice

  name              = "/aws/lambda/${local.name}"
  retention_in_days = var.log_retention_in_days
  kms_key_id        = local.settings.log_kms_key_arn
  skip_destroy      = false
  tags              = var.tags
}

# Below this prefix, CloudWatch Logs needs no resource policy for each group: an account may have ten of those.
resource "aws_cloudwatch_log_group" "state_machine" {
  #checkov:skip=CKV_AWS_338:log_retention_in_days is the caller's choice
  count = local.logs_executions ? 1 : 0

  name              = "/aws/vendedlogs/states/${local.name}"
  retention_in_days = var.log_retention_in_days
  kms_key_id        = local.settings.log_kms_key_arn
  skip_destroy      = false
  tags              = var.tags
}
