"""The command ``dynamodb-opensearch``: a thin skin over the jobs. Not in the function's package."""
