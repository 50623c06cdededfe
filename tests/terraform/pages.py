"""The data of examples/many-tables: an item of each table, and the document that its index holds of it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

ITEMS: Mapping[str, Mapping[str, Any]] = {
    "answers": {"questionId": "Q-1", "question": "Is the teapot safe to wash?", "answer": "Yes, by hand."},
    "articles": {
        "slug": "brewing",
        "headline": "How to brew",
        "body": "Warm the teapot first.",
        "url": "/articles/brewing",
    },
    "products": {
        "productId": "P-7",
        "name": "Teapot",
        "description": "Holds a litre.",
        "price": Decimal("19.90"),
    },
}
"""Table -> its item."""

IDS = {"answers": "Q-1", "articles": "brewing", "products": "P-7"}

DOCUMENTS: Mapping[str, Mapping[str, Any]] = {
    "answers": {
        "kind": "answers",
        "questionId": "Q-1",
        "title": "Is the teapot safe to wash?",
        "text": "Yes, by hand.",
    },
    "articles": {
        "kind": "articles",
        "slug": "brewing",
        "title": "How to brew",
        "text": "Warm the teapot first.",
        "url": "/articles/brewing",
    },
    "products": {
        "kind": "products",
        "productId": "P-7",
        "title": "Teapot",
        "text": "Holds a litre.",
        "price": Decimal("19.90"),
    },
}
"""Index -> the document of its table's item."""
