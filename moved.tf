# Before the first release the root called a module of its own, modules/sync. Its resources are kept, at new addresses.

moved {
  from = module.sync.aws_cloudwatch_log_group.this
  to   = aws_cloudwatch_log_group.this
}

moved {
  from = module.sync.aws_iam_role.this
  to   = aws_iam_role.this
}

moved {
  from = module.sync.aws_iam_role_policy.this
  to   = aws_iam_role_policy.this
}

moved {
  from = module.sync.aws_lambda_event_source_mapping.this
  to   = aws_lambda_event_source_mapping.this
}

moved {
  from = module.sync.aws_lambda_function.this
  to   = aws_lambda_function.this
}

moved {
  from = module.sync.aws_s3_bucket.failures
  to   = aws_s3_bucket.failures
}

moved {
  from = module.sync.aws_s3_bucket_lifecycle_configuration.failures
  to   = aws_s3_bucket_lifecycle_configuration.failures
}

moved {
  from = module.sync.aws_s3_bucket_policy.failures
  to   = aws_s3_bucket_policy.failures
}

moved {
  from = module.sync.aws_s3_bucket_public_access_block.failures
  to   = aws_s3_bucket_public_access_block.failures
}

moved {
  from = module.sync.aws_s3_bucket_server_side_encryption_configuration.failures
  to   = aws_s3_bucket_server_side_encryption_configuration.failures
}

moved {
  from = module.sync.aws_sns_topic.failures
  to   = aws_sns_topic.failures
}

moved {
  from = module.sync.aws_sqs_queue.failures
  to   = aws_sqs_queue.failures
}

moved {
  from = module.sync.aws_sqs_queue_redrive_policy.failures
  to   = aws_sqs_queue_redrive_policy.failures
}
