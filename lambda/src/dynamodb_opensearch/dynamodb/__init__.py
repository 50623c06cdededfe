"""All that is known of DynamoDB: consistent reads, scans, exports."""
