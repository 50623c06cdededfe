"""The error that an engine raises, whose text can be shown to the user."""


class EngineError(Exception):
    """Says what is wrong, the value, and what to do; ends with the tail of a log if that has the reason."""
