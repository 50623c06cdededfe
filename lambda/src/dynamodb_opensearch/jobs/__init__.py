"""The jobs that create, fill, verify and repair an index. Their units may run anywhere, repeatedly and in parallel."""
