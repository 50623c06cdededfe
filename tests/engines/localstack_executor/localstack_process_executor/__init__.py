"""LocalStack plugins that run Lambda functions as local processes, and keep S3 objects in the run's folder."""
