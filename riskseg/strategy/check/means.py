"""`means` of actions: the kinds of action that guard packs speak of."""

from __future__ import annotations

from difflib import get_close_matches

from riskseg.domain.problems import did_you_mean
from riskseg.strategy.check.scope import Scope, listed
from riskseg.strategy.kinds.include import kinds_spoken_of
from riskseg.strategy.kinds.shape import values_of
from riskseg.strategy.packs import KINDS


def check_means(scope: Scope) -> None:
    """Each kind an action is said to be is one that packs speak of; and where a pack is included,
    each significant action is of such a kind, or its rules could not apply to it."""
    packs = scope.authored.packs.values()
    rules = [values_of(rule) for pack in packs for rule in pack.rules]
    known_kinds = {*KINDS, *(kind for rule in rules for kind in kinds_spoken_of(rule))}
    for i, action in enumerate(scope.authored.head.actions):
        for kind in listed(action.means):
            if kind not in known_kinds:
                message = f'There is no kind of action "{kind}".'
                means_path = ("actions", i, "means")
                scope.add_problem(
                    "RS201",
                    message,
                    "strategy.yaml",
                    *means_path,
                    hint=did_you_mean(kind, known_kinds),
                )
        is_known = action.means is not None or action.name in known_kinds
        if packs and action.significant and not is_known:
            close = get_close_matches(action.name, sorted(known_kinds - {"other"}), n=1)
            meant = f"Did you mean `means: {close[0]}`? " if close else ""
            scope.add_problem(
                "RS225",
                f'"{action.name}" is significant, and no included pack knows what kind of action '
                "it is: none of their rules about kinds of action applies to it.",
                "strategy.yaml",
                *("actions", i),
                hint=f"{meant}Say it with `means`: one of {', '.join(sorted(known_kinds))}; "
                "`other` says that it is none of the rest.",
            )
