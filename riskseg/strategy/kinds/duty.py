"""`duty`: an action that must be taken in time. No strategy can have one yet."""

from __future__ import annotations

from collections.abc import Iterable

from riskseg.rules.keys import Days, Key
from riskseg.rules.rule import Entry, Rule

MUST = Key("must", str, "kept for later, with `duty`")
WITHIN = Key("within", Days, "kept for later, with `duty`")


class Duty(Rule):
    """Its keys are kept for later; an entry is a Problem, since nothing would carry it out."""

    kind = "duty"
    words = "kept for later; a Problem today"
    called = "duty"
    section = "duties"
    takes = (MUST, WITHIN)

    @classmethod
    def has_its_keys(cls, entry: Entry, besides: Iterable[str] = ()) -> bool:
        message = f'The duty "{entry.name}" would not be carried out: this version has no duties.'
        entry.tell("RS213", message, hint="Put the action on a path, or remove the duty.")
        return False
