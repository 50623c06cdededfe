"""Downloads layers' zip files and unpacks their code, as Lambda would: a later layer's file replaces an earlier one's.

What comes must have the hash that Lambda names. It may be anyone's code, so nothing is written outside of its folder.
"""

import base64
import hashlib
import os
import ssl
import stat
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, build_opener

from dynamodb_opensearch.core.errors import ConfigurationError

LARGEST_BYTES = 250 * 1024**2
"""Lambda's limit for a function and its layers together, unzipped.

See: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""
_NOTE = "sha256"  # the file beside python/ with the hash of all that is in it
_CHUNK_BYTES = 1024**2
_TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Layer:
    """One version of a layer."""

    arn: str
    sha256: str
    """Of its zip file, in base64, as Lambda gives it."""
    size_bytes: int
    url: str = field(repr=False)
    """Where its zip file is. It is signed: whoever has it may read the file for some minutes."""


def unpacked(layers: Sequence[Layer], fingerprint: str) -> Path:
    """Return the folder with the layers' ``python/`` folders merged. Download them unless it is there as it was made.

    Raises:
        ConfigurationError: a layer can't be downloaded, isn't what Lambda says, or can't be unpacked.
    """
    folders = _cache() / "layers"
    folder = folders / fingerprint
    try:
        if _is_whole(folder):
            return folder
        folders.mkdir(parents=True, exist_ok=True, mode=0o700)
        with TemporaryDirectory(dir=folders, prefix=".") as name:
            made = Path(name, "code")
            made.mkdir()
            for layer in layers:
                file = Path(name, "layer.zip")
                _download(layer, file)
                _unpack(layer, file, made)
            _check_inside(made)
            (made / _NOTE).write_text(_digest(made), encoding="utf-8")
            _put(made, folder, Path(name, "before"))
    except OSError as error:
        raise ConfigurationError(
            f"the cache folder {folders} can't be used ({error.strerror or error}): set XDG_CACHE_HOME to another"
        ) from None
    return folder


def _cache() -> Path:
    """Return our folder of the XDG base directory specification.

    See: https://specifications.freedesktop.org/basedir-spec/latest/
    """
    given = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(given) if given.startswith("/") else Path.home() / ".cache") / "dynamodb-opensearch"


def _is_whole(folder: Path) -> bool:
    """Whether it has all files as they were unpacked: some may have been edited, or swept away with other old files."""
    note = folder / _NOTE
    return note.is_file() and note.read_text(encoding="utf-8") == _digest(folder)


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted((folder / "python").rglob("*")):
        if "__pycache__" not in path.parts and (path.is_symlink() or path.is_file()):
            content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
            name = path.relative_to(folder).as_posix().encode()
            digest.update(b"%d %b %d %b" % (len(name), name, len(content), content))
    return digest.hexdigest()


def _put(made: Path, folder: Path, before: Path) -> None:
    if folder.exists() and not _is_whole(folder):
        folder.rename(before)
    try:
        made.rename(folder)
    except OSError:
        if not _is_whole(folder):  # else another run was faster
            raise


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Follow none: it could lead anywhere."""


def _download(layer: Layer, file: Path) -> None:
    """Write the zip file, and compare it with its hash.

    Raises:
        ConfigurationError: see ``unpacked``.
    """
    if layer.size_bytes > LARGEST_BYTES:
        raise ConfigurationError(f"the layer {layer.arn} has {layer.size_bytes:,} bytes, more than Lambda allows")
    if not _is_safe(layer.url):
        host = urlsplit(layer.url).hostname
        raise ConfigurationError(f"the layer {layer.arn}: Lambda gave a URL on {host} that isn't https://")
    opener = build_opener(
        _NoRedirect, HTTPSHandler(context=ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None))
    )
    digest, size = hashlib.sha256(), 0
    with file.open("wb") as target:
        try:
            with opener.open(layer.url, timeout=_TIMEOUT_SECONDS) as source:
                while (chunk := source.read(_CHUNK_BYTES)) and size <= layer.size_bytes:
                    digest.update(chunk)
                    size += len(chunk)
                    target.write(chunk)
        except OSError as error:  # the URL isn't in the message
            raise ConfigurationError(f"the layer {layer.arn} can't be downloaded: {error}") from None
    if size != layer.size_bytes or base64.b64encode(digest.digest()).decode() != layer.sha256:
        raise ConfigurationError(
            f"the layer {layer.arn}: what was downloaded isn't what Lambda describes ({size:,} bytes of "
            f"{layer.size_bytes:,}, SHA-256 {base64.b64encode(digest.digest()).decode()} instead of {layer.sha256})"
        )


def _is_safe(url: str) -> bool:
    parts = urlsplit(url)
    host = f".{parts.hostname or ''}"
    here = host in {".127.0.0.1", ".::1"} or host.endswith((".localhost", ".localhost.localstack.cloud"))
    return parts.scheme == "https" or (parts.scheme == "http" and here)


def _unpack(layer: Layer, file: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            entries = [entry for entry in archive.infolist() if entry.filename.startswith("python/")]
            if sum(entry.file_size for entry in entries) > LARGEST_BYTES:
                raise ConfigurationError(f"the layer {layer.arn} is larger than Lambda allows when it is unzipped")
            for entry in entries:
                _write(layer, archive, entry, folder)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise ConfigurationError(f"the layer {layer.arn} isn't a zip file that can be read: {error}") from None


def _write(layer: Layer, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path) -> None:
    """Write one entry, never through a link that leads outside, and never through one in its own place."""
    path = folder / entry.filename
    if ".." in PurePosixPath(entry.filename).parts or "\0" in entry.filename or not _is_inside(path.parent, folder):
        raise ConfigurationError(f"the layer {layer.arn} has a file outside of its folder: {entry.filename!r}")
    if entry.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if stat.S_ISLNK(entry.external_attr >> 16):
        path.symlink_to(archive.read(entry).decode())
        return
    with archive.open(entry) as source, path.open("xb") as target:
        while chunk := source.read(_CHUNK_BYTES):
            target.write(chunk)
    path.chmod(0o444)  # it is used again as it is


def _check_inside(folder: Path) -> None:
    """Check all links, now that everything is there which they may lead through.

    Raises:
        ConfigurationError: one leads outside.
    """
    for path in folder.rglob("*"):
        if path.is_symlink() and not _is_inside(path, folder):
            raise ConfigurationError(f"a layer has a link that leads outside: {path.relative_to(folder)}")


def _is_inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
