"""What a drill ends with when it doesn't end well."""


class DrillError(Exception):
    """Something didn't happen as the drill says; the message says what, and with what it was compared."""
