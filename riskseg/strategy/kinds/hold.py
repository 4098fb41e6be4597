"""`hold`: every action is forbidden while a condition holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from riskseg.rules.keys import ALWAYS, UNKNOWN, WHEN
from riskseg.rules.rule import Entry, Restriction


class Hold(Restriction):
    """Stops everything while `when` holds or is unknown."""

    kind = "hold"
    words = "its name: forbids all"
    called = "hold"
    needs = (WHEN,)
    takes = (UNKNOWN, *ALWAYS)
    in_packs = True
    stops_everything = True

    @classmethod
    def forbidden(cls, entry: Entry) -> Sequence[str]:
        return sorted(action.name for action in entry.scope.actions)

    @property
    def forbidden_text(self) -> str:
        return "everything"

    def parts(self) -> Mapping[str, object]:
        """A hold forbids whatever actions there are: a new action does not change it."""
        return {name: part for name, part in super().parts().items() if name != "never"}
