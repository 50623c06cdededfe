"""Reads the index of a trial. It shares no code with the sync, so it can't share its mistakes."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from botocore.exceptions import HTTPClientError

from demo.compare import Document, exact_json
from trial.account import Account
from trial.errors import NotProvenError, NotRunError
from trial.probe import send, signer


class Search:
    """One OpenSearch, asked with the credentials of the person who runs the trial."""

    def __init__(self, account: Account, endpoint: str, *, signed: bool) -> None:
        self._endpoint = endpoint
        self._signer = signer(account.session, account.region, "es") if signed else None

    def version(self) -> str:
        """Return OpenSearch's own version."""
        version = self._call("GET", "/")["version"]
        return f"{version.get('distribution', 'elasticsearch')} {version['number']}"

    def documents(self, index: str, ids: Sequence[str]) -> list[Document]:
        """Return the documents of these ids that are stored, even before a search finds them."""
        answer = self._call("POST", f"/{index}/_mget", {"ids": list(ids)})
        return [Document(each["_id"], each["_source"]) for each in answer["docs"] if each.get("found")]

    def delete(self, index: str, id_: str) -> None:
        """Delete a document behind the sync's back."""
        self._call("DELETE", f"/{index}/_doc/{quote(id_, safe='')}")

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        try:
            status, content = send(method, self._endpoint + path, body, signer=self._signer)
        except HTTPClientError as error:
            raise NotProvenError(f"OpenSearch doesn't answer: {type(error).__name__}") from error
        if status in (401, 403):
            raise NotRunError(
                f"OpenSearch answers {method} {path} with {status}: "
                "your own IAM policy must allow es:ESHttp* on the domain"
            )
        if status >= 300:
            raise NotProvenError(f"OpenSearch answers {method} {path} with {status}: {_reason(content)}")
        return exact_json(content)


def _reason(content: bytes) -> str:
    """Return the type of OpenSearch's error; its text may quote documents."""
    try:
        return str(json.loads(content)["error"]["type"])
    except (ValueError, KeyError, TypeError):
        return "an answer that isn't OpenSearch's"
