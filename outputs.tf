output "alias_arn" {
  description = "ARN of the alias live; null without publish."
  value       = one(aws_lambda_alias.live[*].arn)
}

output "collection_arn" {
  description = "ARN of the collection that the function writes to; null for a domain or another OpenSearch."
  value       = try(var.collection.arn, null)
}

output "domain_arn" {
  description = "ARN of the domain that the function writes to; null for a collection or another OpenSearch."
  value       = try(var.domain.arn, null)
}

output "event_source_mapping_arn" {
  description = "ARN of the event source mapping."
  value       = aws_lambda_event_source_mapping.this.arn
}

output "event_source_mapping_uuid" {
  description = "UUID of the event source mapping: the dimension EventSourceMappingUUID of its metrics."
  value       = aws_lambda_event_source_mapping.this.uuid
}

output "failure_destination_arn" {
  description = "ARN of the queue, topic or bucket that holds dead letters and AWS's failure records."
  value       = local.failure_destination_arn
}

output "failure_destination_type" {
  description = "Type of the failure destination: sqs, sns or s3."
  value       = local.failure_destination_type
}

output "failure_destination_url" {
  description = "URL of the failure destination if it is a queue, else null."
  value       = local.failure_destination_url
}

output "filters" {
  description = <<-EOT
    The patterns of the event source mapping: those of filters, or, where that is [], those that the module makes when
    the rules of all indices look at nothing but string keys. Then Lambda passes on only what some index may hold.
  EOT
  value       = local.filters
}

output "function_arn" {
  description = "ARN of the function."
  value       = aws_lambda_function.this.arn
}

output "function_name" {
  description = "Name of the function, and the value of the dimension Sync of its own metrics."
  value       = aws_lambda_function.this.function_name
}

output "function_qualified_arn" {
  description = "ARN of what the event source mapping invokes: with publish the alias, else the function."
  value       = local.invoked_arn
}

output "function_qualifier" {
  description = <<-EOT
    With publish live, the name of the alias: the command then takes FUNCTION_NAME:live. Else null.
  EOT
  value       = one(aws_lambda_alias.live[*].name)
}

output "function_version" {
  description = "The published version that the event source mapping invokes; null without publish."
  value       = one(aws_lambda_alias.live[*].function_version)
}

output "index" {
  description = "The index, or alias, that the sync writes to; null if there are several."
  value       = length(local.indices) == 1 ? local.indices[0] : null
}

output "indices" {
  description = "The names of all indices, or aliases, that the sync writes to, sorted."
  value       = local.indices
}

output "log_group_arn" {
  description = "ARN of the function's log group."
  value       = aws_cloudwatch_log_group.this.arn
}

output "log_group_name" {
  description = "Name of the function's log group."
  value       = aws_cloudwatch_log_group.this.name
}

output "metrics" {
  description = "Metrics of the event source mapping that are enabled."
  value       = var.metrics
}

output "opensearch_endpoint" {
  description = "URL that the function writes to."
  value       = local.endpoint
}

output "policy" {
  description = "The IAM policy (JSON) that the function's role needs: attach it to a role of your own."
  value       = data.aws_iam_policy_document.this.json
}

output "role_arn" {
  description = <<-EOT
    ARN of the function's role, created here or given: for a domain's access policy, an OpenSearch role mapping, a
    collection's data access policy.
  EOT
  value       = local.role_arn
}

output "role_name" {
  description = "Name of the function's role, created here or given."
  value       = local.role_name
}

output "rollback_command" {
  description = <<-EOT
    With publish, the command that rolls the function back to an earlier VERSION, at once; null without. That version
    must have the present role, index, OpenSearch and failure destination. Then set function_version to it, or the next
    apply returns to the newest.
  EOT
  value = one([for alias in aws_lambda_alias.live : join(" ", [
    "aws lambda update-alias --region ${data.aws_region.current.id} --function-name ${alias.function_name}",
    "--name ${alias.name} --function-version VERSION",
  ])])
}

output "settings" {
  description = <<-EOT
    What modules/operations takes over from the sync, by sync = module.search. It includes environment_variables: if
    they hold a sensitive value, an output of the whole module must be sensitive, too.
  EOT
  value = {
    architectures                      = var.architectures
    code_signing_config_arn            = var.code_signing_config_arn
    environment_variables              = local.environment_variables
    failure_destination_kms_key_arn    = var.failure_destination_kms_key_arn
    filename                           = var.filename
    indices_parameter_arns             = local.indices_parameter_arns
    kms_key_arn                        = var.kms_key_arn
    layers                             = var.layers
    log_kms_key_arn                    = var.log_kms_key_arn
    opensearch_auth                    = var.opensearch_auth
    opensearch_secret_arn              = var.opensearch_secret_arn
    opensearch_secret_kms_key_arn      = var.opensearch_secret_kms_key_arn
    opensearch_service                 = local.environment.OPENSEARCH_SERVICE
    permissions_boundary               = var.permissions_boundary
    replace_security_groups_on_destroy = var.replace_security_groups_on_destroy
    replacement_security_group_ids     = var.replacement_security_group_ids
    request_timeout_seconds            = var.request_timeout_seconds
    role_path                          = var.role_path
    runtime                            = var.runtime
    s3_bucket                          = var.s3_bucket
    s3_key                             = var.s3_key
    s3_object_version                  = var.s3_object_version
    source_code_hash                   = var.source_code_hash
    table = {
      arn          = var.table.arn
      kms_key_arns = local.table_kms_key_arns
      name         = var.table.name
    }
    projected  = local.projected
    vpc_config = var.vpc_config
  }
}

output "stream_arn" {
  description = "ARN of the stream that Lambda reads."
  value       = var.table.stream_arn
}

output "timeout" {
  description = "How long one invocation may take, in seconds."
  value       = aws_lambda_function.this.timeout
}
