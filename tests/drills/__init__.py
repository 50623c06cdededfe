"""Drills: the failures that alarms page for, caused on real local engines and ended by their runbooks.

`python -m drills` lists them, `python -m drills NAME` runs one. See docs/guides/drills.md.
"""
