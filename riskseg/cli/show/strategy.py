"""How a strategy is shown: bands, tiers, segments, paths, guards, duties, properties, packs."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from riskseg.cli.show.tables import default_values, table
from riskseg.cli.terminal import stdout

if TYPE_CHECKING:
    from riskseg.results.strategy_shown import (
        ConstantShown,
        DutyShown,
        GuardShown,
        PackShown,
        PathShown,
        SchemeShown,
        StepShown,
        StrategyShown,
    )


# A constant in an expression whose value does not follow.
_CONSTANT = re.compile(r"\$([a-z][a-z0-9_]*)\b(?! \()")


def show_strategy(strategy: StrategyShown) -> None:
    """A strategy: its bands, tiers, segments, paths, guards, duties, properties and guard packs."""
    console, explained = stdout(), _explaining(strategy.constants)
    console.print(
        f"[bold]{strategy.name}[/] {strategy.version}\n"
        f"{escape(strategy.purpose)} (owner: {escape(strategy.owner)})\n"
    )
    for constant in strategy.constants:
        unit = f" {constant.unit}" if constant.unit else ""
        words = f": {constant.description}" if constant.description else ""
        console.print(escape(f"constant ${constant.name} = {constant.value}{unit}{words}"))
    for band in strategy.bands:
        low, cuts = Decimal(0), []
        for cut in band.cuts:
            cuts.append(f"{cut.level} {low:f} to {_number(cut.below, cut.constant)}")
            low = cut.below
        console.print(escape(f"band {band.name} of {band.of}: {', '.join(cuts)}; unscored"))
    for scheme in strategy.tiers:
        console.print(_tiers(scheme, explained))
    segment_table = table("row", *strategy.columns, "segment", "path", title="segments")
    for segment_row in strategy.rows:
        segment_paths = [path for path in strategy.paths if segment_row.segment in path.for_]
        in_order = sorted(segment_paths, key=lambda path: path.effective_from or date.min)
        segment_table.add_row(
            segment_row.id,
            *segment_row.cells,
            segment_row.segment,
            ", then ".join(path.name for path in in_order),
        )
    console.print(segment_table)
    _dated(
        console,
        "paths",
        ("path", "starts at", "steps", "then"),
        [
            (
                path,
                path.name,
                escape(explained(path.starts)),
                ", ".join(map(_step, path.steps)) or "–",
                _afterwards(path),
            )
            for path in strategy.paths
        ],
    )
    if strategy.guards:
        guard_columns = ("guard", "kind", "when", "never", "instead", "source")
        _dated(
            console,
            "guards",
            guard_columns,
            [
                (
                    guard,
                    guard.name,
                    guard.kind,
                    escape(explained(guard.condition)),
                    guard.forbids,
                    guard.instead or "",
                    escape(guard.source or ""),
                )
                for guard in strategy.guards
            ],
        )
    if strategy.duties:
        duty_columns = ("duty", "when", "action", "within", "source")
        _dated(
            console,
            "duties",
            duty_columns,
            [
                (
                    duty,
                    duty.name,
                    escape(explained(duty.when)),
                    " or ".join(duty.action),
                    f"{_number(duty.within, duty.constant)} days after "
                    f"{escape(explained(duty.since))}",
                    escape(duty.source or ""),
                )
                for duty in strategy.duties
            ],
        )
    if strategy.properties:
        property_table = table("property", "is to hold", "unknown", "source", title="to be proved")
        unknown_counts_as = {"match": "holds", "skip": "broken", None: ""}
        for declared in strategy.properties:
            where_unknown = unknown_counts_as[declared.unknown]
            property_table.add_row(
                declared.name, explained(declared.that), where_unknown, declared.source or ""
            )
        console.print(property_table)
    for pack in strategy.packs:
        guard_pack(console, pack)
    if strategy.defaults:
        console.print(f"[dim]{escape(default_values(strategy.defaults))}[/]")


def _dated(
    console: Console, title: str, columns: Sequence[str], dated_rows: Sequence[tuple[Any, ...]]
) -> None:
    """A table of what may have effective dates: each row begins with the thing itself."""
    dated = any(
        dated_item.effective_from or dated_item.effective_to for dated_item, *_ in dated_rows
    )
    dated_table = table(*columns, *(["in force"] if dated else []), title=title)
    for dated_item, *other_cells in dated_rows:
        dated_table.add_row(*other_cells, *([days(dated_item)] if dated else []))
    console.print(dated_table)


def days(item: PathShown | GuardShown | DutyShown) -> str:
    """The days on which something is in force, as a person says them."""
    first = f"from {item.effective_from}" if item.effective_from else ""
    last = f"until {item.effective_to}" if item.effective_to else ""
    return " ".join(filter(None, (first, last))) or "always"


def guard_pack(console: Console, pack: PackShown) -> None:
    """What a guard pack is, which of its rules do not apply, and what it does not cover."""
    console.print(f"[bold]guard pack {pack.name}[/]: {escape(pack.title)}")
    console.print(f"For {escape(pack.for_)}. {escape(pack.note)}")
    console.print(f"{len(pack.applying)} rules of it are among the guards above.")
    for idle in pack.idle:
        kinds_without_action = ", ".join(idle.kinds)
        console.print(f"  {idle.rule} does not apply: no action here means {kinds_without_action}.")
    for rule in pack.without:
        console.print(f"  {rule} is left out: {escape(pack.reason or '')}")
    console.print("It does not cover:")
    for duty in pack.not_covered:
        console.print(f"  - {escape(duty)}")
    console.print()


def _afterwards(path: PathShown) -> str:
    """What follows the last step of a path."""
    repeat = path.repeat
    if repeat is None:
        return path.then
    every = _number(repeat.every, repeat.constants.get("every"))
    again = f"from {repeat.start} every {every} days"
    if repeat.at_most is None:
        return again
    times = _number(repeat.at_most, repeat.constants.get("at_most"))
    return f"{again}, {times} ×, then {path.then}"


def _explaining(constants: Sequence[ConstantShown]) -> Callable[[str], str]:
    """What shows the value of each constant behind its name in an expression, unless the value
    stands there already."""
    values = {constant.name: constant.value for constant in constants}

    def explained(expression: str) -> str:
        return _CONSTANT.sub(
            lambda name: f"{name[0]} ({values[name[1]]})" if name[1] in values else name[0],
            expression,
        )

    return explained


def _number(number: Decimal | int, constant: str | None) -> str:
    digits = f"{number:f}" if isinstance(number, Decimal) else str(number)
    return digits if constant is None else f"${constant} ({digits})"


def _step(step: StepShown) -> str:
    waits = ""
    if step.after is not None:
        days = _number(step.after.days, step.after.constant)
        waits = f" ({days} days after {step.after.step})"
    return f"{_number(step.day, step.constant)}{waits}: {step.action}"


def _tiers(scheme: SchemeShown, explained: Callable[[str], str]) -> Table:
    if scheme.columns:
        tier_table = table(*scheme.columns, "tier", title=f"tiers: {scheme.name}")
        for tier in scheme.rows:
            tier_table.add_row(*tier.cells, tier.tier)
        return tier_table
    tier_table = table("tier", "when", "unknown", title=f"tiers: {scheme.name}")
    for tier in scheme.rows:
        tier_table.add_row(tier.tier, explained(tier.when or "otherwise"), tier.unknown or "")
    return tier_table
