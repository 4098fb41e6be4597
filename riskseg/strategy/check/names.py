"""The names of what a strategy decides, and the levels those can have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from riskseg.domain import decision
from riskseg.domain.facts import Fact, Kind, folded
from riskseg.rules.elements import NO_ACTION, Action
from riskseg.rules.model import Band
from riskseg.strategy.authored import AuthoredStrategy
from riskseg.strategy.check.scope import Scope

Levels = Mapping[str, tuple[str, ...]]


def check_names(scope: Scope) -> None:
    """Probabilities, bands and schemes stand side by side in a decision, and beside facts in
    rules: each has a name that nothing else has, in any letter case."""
    authored = scope.authored
    taken_names = dict.fromkeys(scope.fact_names, "a fact of accounts")
    taken_names |= dict.fromkeys(decision.NAMES, "a column of every decision")
    for kind, file, keys, new_names in (
        ("a probability", "strategy.yaml", ("uses",), authored.head.uses),
        ("a band", "strategy.yaml", ("bands",), authored.head.bands),
        ("a tier scheme", "tiers.yaml", (), authored.tiers.root),
    ):
        for new_name in new_names:
            if (taken_by := taken_names.get(folded(new_name))) is not None:
                message = f'"{new_name}" cannot be {kind}: it is {taken_by} already.'
                scope.add_problem(
                    "RS202", message, file, *keys, new_name, hint="Give it another name."
                )
            taken_names[folded(new_name)] = kind


def own_levels(authored: AuthoredStrategy, bands: Sequence[Band]) -> Levels:
    """Levels of bands and schemes as written, whatever is wrong with a row's condition."""
    return {band.name: band.levels for band in bands} | authored.tiers.levels


def decided(authored: AuthoredStrategy, levels: Levels, actions: Sequence[Action]) -> Levels:
    """The levels of everything decided that has some: bands, schemes, segment, path, action."""
    return {
        **levels,
        "segment": tuple(dict.fromkeys(row.segment for row in authored.segments.rows)),
        "path": tuple(authored.paths.root),
        **dict.fromkeys(
            ("due_action", "action"), (NO_ACTION, *(action.name for action in actions))
        ),
    }


def decided_facts(
    authored: AuthoredStrategy, levels: Levels, actions: Sequence[Action]
) -> dict[str, Fact]:
    """What is decided of an account, as names an expression may use."""
    channels = tuple(dict.fromkeys(action.channel for action in actions))
    facts = {
        decided_name: Fact(decided_name, Kind.LEVEL, levels=level_names)
        for decided_name, level_names in decided(authored, levels, actions).items()
    }
    facts["channel"] = Fact("channel", Kind.LEVEL, nullable=True, levels=channels)
    for decided_name in ("path_day", "step"):
        facts[decided_name] = Fact(decided_name, Kind.INTEGER, nullable=True)
    return facts
