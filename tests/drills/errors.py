"""The error of a drill that doesn't end well."""


class DrillError(Exception):
    """Something didn't happen as the drill expects; the message says what, and what was expected."""
