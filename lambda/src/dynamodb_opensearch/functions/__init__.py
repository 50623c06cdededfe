"""The two Lambda handlers."""
