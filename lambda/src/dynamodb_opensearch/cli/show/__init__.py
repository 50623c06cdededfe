"""Shows what a command did or found."""
