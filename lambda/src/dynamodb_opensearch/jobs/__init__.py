"""What sets up, fills, proves and mends an index, in units of work that may run anywhere, again, and at once."""
