"""The command ``dynamodb-opensearch``: a thin layer over the jobs. The functions' zip doesn't contain it."""
