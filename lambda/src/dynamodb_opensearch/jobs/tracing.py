"""Finds the keys behind hashed ids, for documents that don't hold the key because of the shape or index mapping."""

from collections.abc import Collection

from dynamodb_opensearch.core.items import Item
from dynamodb_opensearch.jobs.sync import Sync


def trace(sync: Sync, ids: Collection[str]) -> dict[str, Item]:
    """Return the keys of the items that have these ids. It reads the whole table, and nothing if no id is given.

    An item that isn't found was missing at some moment of the scan. If it is written later, its document gets a new
    version, so a delete of the document with the version from before the scan can't remove that.

    Raises:
        ConfigurationError, OutOfTimeError: see ``Scan.page``.
    """
    wanted, found, start_key = set(ids), dict[str, Item](), None
    while len(found) < len(wanted):
        page = sync.scan.page(0, 1, start_key, keys_only=True)
        ids_and_keys = ((sync.settings.key_schema.id_of(keys), keys) for keys in page.items)
        found |= {document_id: keys for document_id, keys in ids_and_keys if document_id in wanted}
        start_key = page.next_key
        if start_key is None:
            break
    return found
