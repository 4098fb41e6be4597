"""How an object store names a file, whichever way its URL is written."""

from __future__ import annotations


def whole_name(url: str) -> str:
    """A URL as its store names the file or the pattern, however it is written; as it is where there
    is no such store."""
    try:
        from fsspec.core import url_to_fs

        store, path = url_to_fs(url)
        return str(store.unstrip_protocol(path))
    except Exception:  # each store refuses in words of its own, and does so again when it is used
        return url
