"""A file of an object store that fsspec reaches: `s3://`, `abfs://`, `gs://`, others.

It is written in a folder of this machine first, and then sent as a whole: a store shows no file
that was sent in part.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from riskseg.domain.addresses import is_elsewhere, without_secrets
from riskseg.domain.problems import Problems, ProblemsError, problem
from riskseg.store.files import sha256_of
from riskseg.store.sinks.port import SINKS, Dated, FileSink, Sink, Written

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem


class RemoteFile(Sink):
    """Any form of file, in an object store."""

    @property
    def form(self) -> str:
        return "a URL such as s3://bucket/decisions.parquet"

    def accepts(self, target: str) -> bool:
        return is_elsewhere(target) and "#" not in target and _form(target) is not None

    def check(self, target: str, problems: Problems) -> None:
        """Whether the library of the store is there. What may be written shows when it is: a user
        who may write need not be allowed to look."""
        if "?" in target:
            problems.add(
                "RS010",
                "The URL of a file in an object store has no ? in it.",
                file=without_secrets(target),
                hint="End it with the file's name. Who may write is said in the environment.",
            )
            return
        try:
            _store(target)
        except ProblemsError as error:
            problems.extend(error.problems)

    def write(
        self,
        target: str,
        schema: pa.Schema,
        groups: Iterator[pa.Table],
        *,
        token: str,
        dated: Dated | None,
    ) -> Written:
        form = _form(target)
        assert form is not None
        with tempfile.TemporaryDirectory(prefix="riskseg-") as folder:
            file = Path(folder, f"rows{form.ending}")
            rows = form.write_file(file, schema, groups)
            digest = sha256_of(file)
            _send(file, target)
        return Written(self.without_secrets(target), rows, digest)

    def add_text(self, target: str, name_ending: str, text: str, *, token: str) -> None:
        with tempfile.TemporaryDirectory(prefix="riskseg-") as folder:
            file = Path(folder, "text")
            file.write_text(text, encoding="utf-8")
            _send(file, target + name_ending)

    def without_secrets(self, target: str) -> str:
        return without_secrets(target)


def _form(target: str) -> FileSink | None:
    name = target.partition("?")[0].rpartition("/")[2]
    return next((s for s in SINKS if isinstance(s, FileSink) and s.accepts(name)), None)


def _store(target: str) -> tuple[AbstractFileSystem, str]:
    """The store of a file, and its path there. Raises RS024 where its library is not installed,
    RS010 where there is no such store."""
    try:
        # Loaded where an output is in an object store, and not before.
        from fsspec.core import url_to_fs

        store, path = url_to_fs(target)
    except ImportError as error:
        raise problem(
            "RS024",
            f"{without_secrets(target)} cannot be reached: {error}".rstrip(".") + ".",
            hint="Install it with: pip install 'riskseg[remote]'.",
        ) from error
    except Exception as error:  # each store refuses in words of its own
        raise _refused(target, error) from error
    return store, path


def _send(file: Path, target: str) -> None:
    store, path = _store(target)
    try:
        store.put_file(str(file), path)
    except Exception as error:
        raise _refused(target, error) from error


def _refused(target: str, error: Exception) -> ProblemsError:
    said = without_secrets(f"{type(error).__name__}: {error}").split("\n")[0]
    return problem(
        "RS010",
        f"The object store refuses: {said.rstrip('.')}.",
        file=without_secrets(target),
        hint="Check the address, and the environment that says who may write.",
    )
