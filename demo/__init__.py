"""The demo: applies examples/products on a local AWS, writes to the table, and shows what searches find."""
