"""What ``status`` shows."""
