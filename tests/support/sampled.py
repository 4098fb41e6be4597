"""Some cases of a family in the default run, and all of them in the slow one."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def one_in(every: int, cases: Iterable[Any], *, always: Collection[Any] = ()) -> list[Any]:
    """The cases as parameters of a test, of which one in `every`, the first among them, and those
    of `always` run by default. The others are marked slow."""
    return [
        case
        if index % every == 0 or case in always
        else pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.slow)
        for index, case in enumerate(cases)
    ]


def only(case: Any, cases: Iterable[Any]) -> list[Any]:
    """The cases as parameters of a test, of which one runs by default, and the others are slow."""
    return one_in(10**9, [case, *(other for other in cases if other != case)])
