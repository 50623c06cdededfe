"""Proves the project on real AWS: applies an example under a throw-away name, tries it, destroys it, and reports."""
