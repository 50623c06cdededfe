"""Everything that knows OpenSearch: requests, bulk answers, reading, index mappings."""
