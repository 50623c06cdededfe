"""The data of examples/single-table: items as its table holds them, and documents as its indices do."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

Values = Mapping[str, Any]
Documents = dict[str, dict[str, Any]]
"""Index -> document id -> document."""

CUSTOMER: Values = {
    "pk": "CUSTOMER#C-1",
    "sk": "PROFILE",
    "type": "customer",
    "customerId": "C-1",
    "name": "Ada Park",
    "email": "ada@example.com",
    "city": "Ghent",
    "createdAt": "2026-03-01T09:00:00Z",
    "passwordHash": "$argon2id$v=19$c2FsdA$aGFzaA",
}
OTHER_CUSTOMER: Values = {
    "pk": "CUSTOMER#C-2",
    "sk": "PROFILE",
    "type": "customer",
    "customerId": "C-2",
    "name": "Ben Ito",
    "passwordHash": "$argon2id$v=19$c2FsdA$b3RoZXI",
}
GUEST: Values = {"pk": "CUSTOMER#C-3", "sk": "PROFILE", "type": "guest", "customerId": "C-3", "name": "Cleo Ruiz"}
ORDER: Values = {
    "pk": "CUSTOMER#C-1",
    "sk": "ORDER#O-1",
    "type": "order",
    "orderId": "O-1",
    "customerId": "C-1",
    "customerName": "Ada Park",
    "status": "placed",
    "total": Decimal("39.80"),
    "ts": "2026-03-02T10:00:00Z",
}
DRAFT: Values = {**ORDER, "sk": "ORDER#O-2", "orderId": "O-2", "status": "draft", "total": Decimal(0)}
LINE: Values = {
    "pk": "ORDER#O-1",
    "sk": "LINE#1",
    "type": "line-item",
    "orderId": "O-1",
    "productId": "P-7",
    "title": "Teapot",
    "quantity": 2,
    "embedding": [Decimal("0.25"), Decimal("-0.5"), Decimal("0.125")],
}
OTHER_LINE: Values = {**LINE, "sk": "LINE#2", "productId": "P-8", "title": "Tea cosy", "quantity": 1}
UNSEARCHED: tuple[Values, ...] = (
    {"pk": "CUSTOMER#C-1", "sk": "SESSION#8f2c", "type": "session", "expiresAt": 4102444800},
    {"pk": "LOCK#O-1", "sk": "LOCK", "type": "lock", "owner": "worker-3", "expiresAt": 4102444800},
    {"pk": "COUNTER", "sk": "orders", "next": 3},
)

FIRST: tuple[Values, ...] = (
    CUSTOMER,
    OTHER_CUSTOMER,
    GUEST,
    ORDER,
    DRAFT,
    LINE,
    OTHER_LINE,
    *UNSEARCHED,
)
"""All that is put first."""

ORDER_DOCUMENT: Values = {
    "type": "order",
    "orderId": "O-1",
    "customerId": "C-1",
    "customerName": "Ada Park",
    "status": "placed",
    "total": Decimal("39.80"),
    "orderedAt": "2026-03-02T10:00:00Z",
    "currency": "EUR",
}
LINE_DOCUMENT: Values = {
    "type": "line-item",
    "orderId": "O-1",
    "productId": "P-7",
    "title": "Teapot",
    "quantity": 2,
}


def first_documents() -> Documents:
    """What the indices hold once all of ``FIRST`` is put."""
    return {
        "customers": {
            "CUSTOMER#C-1|PROFILE": {
                "customerId": "C-1",
                "name": "Ada Park",
                "email": "ada@example.com",
                "city": "Ghent",
                "createdAt": "2026-03-01T09:00:00Z",
            },
            "CUSTOMER#C-2|PROFILE": {"customerId": "C-2", "name": "Ben Ito"},
        },
        "line-items": {
            "ORDER#O-1|LINE#1": dict(LINE_DOCUMENT),
            "ORDER#O-1|LINE#2": {**LINE_DOCUMENT, "productId": "P-8", "title": "Tea cosy", "quantity": 1},
        },
        "orders": {"CUSTOMER#C-1|ORDER#O-1": dict(ORDER_DOCUMENT)},
    }


CHANGES: tuple[tuple[Values, Values | None], ...] = (
    (CUSTOMER, {**CUSTOMER, "passwordHash": "another"}),  # changes no document
    (ORDER, {**ORDER, "status": "draft"}),  # leaves its index
    (DRAFT, {**DRAFT, "status": "placed", "total": Decimal("12.50")}),  # enters it
    (OTHER_CUSTOMER, {**OTHER_CUSTOMER, "deletedAt": "2026-03-03T08:00:00Z"}),  # goes
    (GUEST, {**GUEST, "type": "customer", "city": "Lima"}),  # comes
    (LINE, {**LINE, "embedding": [Decimal("0.75")]}),  # changes no document
    (OTHER_LINE, None),  # is deleted
    (UNSEARCHED[0], {**UNSEARCHED[0], "expiresAt": 4102448400}),
    (UNSEARCHED[1], None),
    (UNSEARCHED[2], {**UNSEARCHED[2], "next": 4}),
)
"""Items before and after; None where an item is deleted.

A change that no document shows comes before one of the same partition that is seen, so that a test can wait for both.
"""

UNCHANGED = {("customers", "CUSTOMER#C-1|PROFILE"), ("line-items", "ORDER#O-1|LINE#1")}
"""Documents that ``CHANGES`` leave alone, although their items change."""


def changed_documents() -> Documents:
    """What the indices hold once ``CHANGES`` are done."""
    documents = first_documents()
    return {
        "customers": {
            "CUSTOMER#C-1|PROFILE": documents["customers"]["CUSTOMER#C-1|PROFILE"],
            "CUSTOMER#C-3|PROFILE": {"customerId": "C-3", "name": "Cleo Ruiz", "city": "Lima"},
        },
        "line-items": {"ORDER#O-1|LINE#1": documents["line-items"]["ORDER#O-1|LINE#1"]},
        "orders": {"CUSTOMER#C-1|ORDER#O-2": {**ORDER_DOCUMENT, "orderId": "O-2", "total": Decimal("12.50")}},
    }


RETURNS: tuple[Values, ...] = (ORDER, OTHER_CUSTOMER)
"""The draft is placed again, the customer restored: both items are as they were first."""


def returned_documents() -> Documents:
    """What the indices hold once ``RETURNS`` are put."""
    first, documents = first_documents(), changed_documents()
    documents["orders"] |= first["orders"]
    documents["customers"]["CUSTOMER#C-2|PROFILE"] = first["customers"]["CUSTOMER#C-2|PROFILE"]
    return documents
