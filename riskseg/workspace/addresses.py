"""Addresses of databases as riskseg.toml writes them: `${NAME}` stands for what the environment
holds, so that no password has to stand in a file."""

from __future__ import annotations

import os
import re
from typing import Any

from riskseg.domain.problems import Problems

# What stands between the user and the host of an address, or is named a password in its query.
_PASSWORD = re.compile(
    r"://[^@/]*?:(?P<first>[^@/?]*)@|\bpassword=(?P<second>[^&]*)", re.IGNORECASE
)


def has_password(url: str) -> bool:
    """Whether a password stands in an address as it is."""
    found = (match["first"] or match["second"] or "" for match in _PASSWORD.finditer(url))
    return any(not re.fullmatch(r"(\$\{\w+\})*", password) for password in found)


def check_no_password(url: str | None, at: dict[str, Any], problems: Problems) -> None:
    """Add RS004 for an address in which a password stands as it is. `at` is the place of the
    address: its `file` and `line`."""
    if url is not None and has_password(url):
        problems.add(
            "RS004",
            "A password does not belong in a file: whoever reads the file knows it.",
            hint="Write ${NAME} in its place, and set NAME in the environment.",
            **at,
        )


def with_environment(url: str, at: dict[str, Any]) -> str:
    """The whole address, which is never to be shown. Raises RS004 where it needs something of the
    environment that is not there."""
    problems = Problems()

    def from_environment(match: re.Match[str]) -> str:
        value = os.environ.get(match[1])
        if value is None:
            problems.add(
                "RS004",
                f"{match[0]} stands for nothing: the environment has no {match[1]}.",
                hint=f"Set {match[1]} before riskseg is started.",
                **at,
            )
        return value or ""

    whole = re.sub(r"\$\{(\w+)\}", from_environment, url)
    problems.raise_if_any()
    return whole
