# What a trial adds to its copy of an example: alarms, the operator, and a function with the sync's role that tries what
# the role may do. The example's sync is module.sync, its names start with var.name.

module "trial_monitoring" {
  source = "../../modules/monitoring"

  sync            = module.sync
  page_topic_arns = [aws_sns_topic.trial.arn]
  warn_topic_arns = [aws_sns_topic.trial.arn]
  dashboard       = false
}

module "trial_operations" {
  source = "../../modules/operations"

  sync            = module.sync
  max_concurrency = 2
}

# Without subscribers: an alarm of a trial notifies no one.
resource "aws_sns_topic" "trial" {
  #checkov:skip=CKV_AWS_26:it carries no messages to anyone, and lives for an hour
  name = "${var.name}-trial"
}

resource "aws_cloudwatch_log_group" "trial_probe" {
  #checkov:skip=CKV_AWS_158:lives for an hour
  #checkov:skip=CKV_AWS_338:lives for an hour
  name              = "/aws/lambda/${var.name}-trial-probe"
  retention_in_days = 1
}

resource "aws_lambda_function" "trial_probe" {
  #checkov:skip=CKV_AWS_50:lives for an hour
  #checkov:skip=CKV_AWS_115:lives for an hour
  #checkov:skip=CKV_AWS_116:it is only invoked synchronously
  #checkov:skip=CKV_AWS_117:it must reach what the sync reaches
  #checkov:skip=CKV_AWS_272:its code is made by the trial
  function_name    = "${var.name}-trial-probe"
  role             = module.sync.role_arn
  runtime          = "python3.13"
  handler          = "probe.handler"
  filename         = "${path.module}/probe.zip"
  source_code_hash = filebase64sha256("${path.module}/probe.zip")
  timeout          = 120
  memory_size      = 512

  # The role has its rights before. Without the log group, Lambda may make one that Terraform doesn't know.
  depends_on = [module.sync, aws_cloudwatch_log_group.trial_probe]
}

output "trial" {
  description = "What the trial needs to know."
  value = {
    dead_letter_url           = module.sync.failure_destination_url
    domain_arn                = module.sync.domain_arn
    event_source_mapping_uuid = module.sync.event_source_mapping_uuid
    function_name             = module.sync.function_name
    indices                   = module.sync.indices
    opensearch_endpoint       = module.sync.opensearch_endpoint
    probe_name                = aws_lambda_function.trial_probe.function_name
    state_machine_arn         = module.trial_operations.state_machine_arn
    stream_arn                = module.sync.stream_arn
  }
}
