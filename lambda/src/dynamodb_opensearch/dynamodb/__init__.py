"""Everything that knows DynamoDB: consistent reads, scans, exports."""
