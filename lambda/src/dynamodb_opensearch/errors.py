"""What can go wrong for good. Whatever heals by itself (throttling, outages) is an outcome, not an error."""


class SyncError(Exception):
    """Base of this package's errors. A message never holds an item's content."""


class UndecodableError(SyncError):
    """One record or item isn't what DynamoDB documents. It becomes a dead letter; its neighbours go on."""


class ConfigurationError(SyncError):
    """Nothing can work until somebody changes a setting, a right or the index: the whole batch fails, and alarms."""


class OutOfTimeError(SyncError):
    """A side was busy or down for longer than a job may wait. Nothing is lost: what it did last can be done again."""
