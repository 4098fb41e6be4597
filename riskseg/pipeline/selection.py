"""Which rows and columns of decisions, scores or a worklist are written: the same words, and the
same checks, wherever rows are written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from riskseg.domain.facts import folded
from riskseg.domain.problems import Problems, did_you_mean
from riskseg.domain.relations import literal, quoted
from riskseg.rules.elements import NO_ACTION
from riskseg.rules.model import Strategy


@dataclass(frozen=True, slots=True)
class Selection:
    """Rows of accounts that have an action `due`, that have one of some actions or channels, or
    are in one of some segments; and `columns`. What is empty leaves nothing out.

    Columns may be those that are written anyway, attributes of accounts and features. Where only
    attributes and features are named, they are added to the usual columns; else the columns that
    are named are written, in their order, and no others.
    """

    columns: tuple[str, ...] = ()
    due: bool = False
    actions: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        *,
        columns: Iterable[str] = (),
        due: bool = False,
        actions: Iterable[str] = (),
        channels: Iterable[str] = (),
        segments: Iterable[str] = (),
    ) -> Selection:
        """What is named; a name that is repeated counts once."""
        named = (tuple(dict.fromkeys(names)) for names in (columns, actions, channels, segments))
        chosen, of_actions, of_channels, of_segments = named
        return cls(chosen, due, of_actions, of_channels, of_segments)

    def __bool__(self) -> bool:
        return self != Selection()

    def as_json(self) -> dict[str, Any]:
        """What is selected, as plain values; what is empty is left out."""
        return {
            name: value if isinstance(value, bool) else list(value)
            for name, value in asdict(self).items()
            if value
        }

    def check_names(self, strategy: Strategy, problems: Problems) -> None:
        """Add a Problem for each action, channel and segment that the strategy does not have."""
        actions = [action.name for action in strategy.actions]
        for name in self.actions:
            if name not in actions:
                hint = did_you_mean(name, actions)
                problems.add("RS209", f'There is no action "{name}".', hint=hint)
        channels = sorted({action.channel for action in strategy.actions})
        for name in self.channels:
            if name not in channels:
                message = f'No action goes by the channel "{name}".'
                problems.add("RS209", message, hint=did_you_mean(name, channels))
        for name in self.segments:
            if name not in strategy.segments:
                hint = did_you_mean(name, strategy.segments)
                problems.add("RS201", f'There is no segment "{name}".', hint=hint)

    def check_columns(
        self, usual: Collection[str], facts: Collection[str], problems: Problems
    ) -> None:
        """Add RS501 for each column that is neither among the usual ones, nor an attribute of
        accounts, nor a feature."""
        known = [*usual, *facts]
        for name, meant in zip(self.columns, self._columns(usual), strict=True):
            if meant not in known:
                message = f'There is no column, attribute or feature "{name}".'
                problems.add("RS501", message, hint=did_you_mean(name, known))

    def more(self, usual: Collection[str]) -> list[str]:
        """The columns that have to be added to the usual ones: attributes and features."""
        return [name for name in self._columns(usual) if name not in usual]

    def _columns(self, usual: Collection[str]) -> list[str]:
        """The columns by their own names: names have no letter case."""
        by_name = {folded(name): name for name in usual}
        return [by_name.get(folded(name), folded(name)) for name in self.columns]

    def shown(self, usual: Sequence[str]) -> list[str]:
        """The columns that are written, in their order."""
        more = self.more(usual)
        return [*usual, *more] if len(more) == len(self.columns) else self._columns(usual)

    def condition(self, relation: str) -> str:
        """SQL of the rows that are written, over the columns `action`, `channel` and `segment` of a
        relation."""
        terms = [f"{relation}.action <> {literal(NO_ACTION)}"] if self.due else []
        for column, names in (
            ("action", self.actions),
            ("channel", self.channels),
            ("segment", self.segments),
        ):
            if names:
                listed = ", ".join(map(literal, names))
                terms.append(f"{relation}.{quoted(column)} in ({listed})")
        return " and ".join(terms) or "true"
