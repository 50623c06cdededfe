"""Runs a command's job: processes, checkpoint, progress, interruption."""
