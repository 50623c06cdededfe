"""Failures that were set aside: their form, and the queue, topic or bucket that holds them."""
