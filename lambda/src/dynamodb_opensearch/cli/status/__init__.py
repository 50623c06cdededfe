"""Gathers and shows what ``status`` prints."""
