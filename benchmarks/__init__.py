"""Measures how fast the function is, compared with other ways to do its work: ``make bench``."""
