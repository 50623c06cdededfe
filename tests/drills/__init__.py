"""Drills: what an alarm wakes people for, made to happen on real engines of this machine, and mended by the runbook.

`python -m drills` lists them, `python -m drills NAME` runs one. See docs/guides/drills.md.
"""
