"""What goes wrong with an engine, in words that can be shown to the user as they are."""


class EngineError(Exception):
    """Says what is wrong, the value, and what to do; ends with the tail of the log that tells the reason."""
