"""LocalStack plugins: Lambda functions run as processes of this machine, and S3 objects lie in a folder of the run."""
