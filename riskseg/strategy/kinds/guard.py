"""`guard`: some actions are forbidden while a condition holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskseg.rules.keys import ALWAYS, INSTEAD, UNKNOWN, WHEN, Key
from riskseg.rules.rule import Restriction

NEVER = Key("never", list[str], "guard: the actions it forbids")


class Guard(Restriction):
    """Forbids the actions of `never` while `when` holds or is unknown."""

    kind = "guard"
    words = "its name: forbids some actions"
    called = "guard"
    needs = (WHEN, NEVER)
    takes = (INSTEAD, UNKNOWN, *ALWAYS)
    in_packs = True

    @classmethod
    def named_actions(
        cls, values: Mapping[str, Any]
    ) -> Sequence[tuple[str, tuple[str | int, ...]]]:
        never = values.get(NEVER.name) or ()
        return [(action, (NEVER.name, n)) for n, action in enumerate(never)]
