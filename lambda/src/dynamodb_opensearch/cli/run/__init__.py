"""How a command runs a job: processes, checkpoint, progress, interruption."""
