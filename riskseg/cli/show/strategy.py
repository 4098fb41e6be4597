"""How a strategy is shown: bands, tiers, segments, paths, guards, duties, properties, packs."""

from __future__ import annotations

from collections.abc import Sequence
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
        DutyShown,
        GuardShown,
        Match,
        PackShown,
        PathShown,
        SchemeShown,
        StepShown,
        StrategyShown,
    )


def show_strategy(strategy: StrategyShown) -> None:
    """A strategy: its bands, tiers, segments, paths, guards, duties, properties and guard packs."""
    console = stdout()
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
        console.print(_tiers(scheme))
    segment_table = table("row", *strategy.columns, "segment", "path", title="segments")
    for segment_row in strategy.rows:
        segment_paths = [path for path in strategy.paths if segment_row.segment in path.for_]
        in_order = sorted(segment_paths, key=lambda path: path.effective_from or date.min)
        segment_table.add_row(
            segment_row.id,
            *_cells(segment_row.match),
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
                escape(path.starts),
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
                    escape(guard.condition),
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
                    escape(duty.when),
                    " or ".join(duty.action),
                    f"{duty.within} days after {escape(duty.since)}",
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
                declared.name, declared.that, where_unknown, declared.source or ""
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
    again = f"from {repeat.start} every {repeat.every} days"
    return again if repeat.at_most is None else f"{again}, {repeat.at_most} ×, then {path.then}"


def _cells(match: Match) -> list[str]:
    return ["any" if levels == "any" else ", ".join(map(str, levels)) for levels in match]


def _number(number: Decimal | int, constant: str | None) -> str:
    return f"{number:f}" if constant is None else f"${constant} ({number})"


def _step(step: StepShown) -> str:
    return f"{_number(Decimal(step.day), step.constant)}: {step.action}"


def _tiers(scheme: SchemeShown) -> Table:
    if scheme.columns:
        tier_table = table(*scheme.columns, "tier", title=f"tiers: {scheme.name}")
        for tier in scheme.rows:
            tier_table.add_row(*_cells(tier.match or ()), tier.tier)
        return tier_table
    tier_table = table("tier", "when", "unknown", title=f"tiers: {scheme.name}")
    for tier in scheme.rows:
        tier_table.add_row(tier.tier, tier.when or "otherwise", tier.unknown or "")
    return tier_table
