output "alarm_arns" {
  description = "Alarm -> its ARN, for example for a composite alarm."
  value       = { for name, alarm in aws_cloudwatch_metric_alarm.this : name => alarm.arn }
}

output "dashboard_name" {
  description = "Name of the dashboard; null if there is none."
  value       = one(aws_cloudwatch_dashboard.this[*].dashboard_name)
}
