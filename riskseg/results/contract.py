"""What `contract` gives: the data contract of a workspace's sources, as a file."""

from __future__ import annotations

from riskseg.results.base import Single


class DataContract(Single):
    """The data contract of the sources, in the Open Data Contract Standard."""

    place: str | None
    """The file it was written to; null where it was not written."""
    standard: str
    """The version of the standard."""
    objects: tuple[str, ...]
    """The tables that it describes."""
    sha256: str
    text: str
    """The contract, as YAML."""

    def _title(self) -> str:
        return f"{self.place or 'not written'}: {', '.join(self.objects)}."
