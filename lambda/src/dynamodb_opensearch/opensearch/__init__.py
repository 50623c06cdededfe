"""All that is known of OpenSearch: requests, answers in bulk, reading, index mappings."""
