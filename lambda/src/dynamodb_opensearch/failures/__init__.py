"""What was set aside: its form, and the queue, topic or bucket that it is in."""
