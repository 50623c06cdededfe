# Together these are what a sync needs: `table = module.products_table` passes all of them.

output "arn" {
  description = "ARN of the table."
  value       = aws_dynamodb_table.this.arn
}

output "attribute" {
  description = "The key attributes: name and type (S, N or B) of each."
  value       = aws_dynamodb_table.this.attribute
}

output "hash_key" {
  description = "Name of the partition key's attribute."
  value       = aws_dynamodb_table.this.hash_key
}

output "name" {
  description = "Name of the table."
  value       = aws_dynamodb_table.this.name
}

output "range_key" {
  description = "Name of the sort key's attribute; null if there is none."
  value       = aws_dynamodb_table.this.range_key
}

output "server_side_encryption" {
  description = <<-EOT
    How the table and its stream are encrypted; a sync reads from it which key its role must be allowed to use.
  EOT
  value       = aws_dynamodb_table.this.server_side_encryption
}

output "stream_arn" {
  description = "ARN of the table's stream."
  value       = aws_dynamodb_table.this.stream_arn
}

output "stream_enabled" {
  description = "Whether the table has a stream: always true here."
  value       = aws_dynamodb_table.this.stream_enabled
}

output "stream_view_type" {
  description = "What a stream record holds."
  value       = aws_dynamodb_table.this.stream_view_type
}
