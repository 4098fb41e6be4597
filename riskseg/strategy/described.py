"""A checked strategy as a person or a machine reads it: its expressions as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskseg.results.strategies import IdleRule, PackInUse, StrategyVersion
from riskseg.results.strategy_shown import (
    ActionShown,
    AfterShown,
    BandShown,
    ConstantShown,
    DutyShown,
    ExamplePlace,
    GuardShown,
    Level,
    PackShown,
    PathShown,
    PropertyShown,
    RepeatShown,
    SchemeShown,
    SegmentRowShown,
    StepShown,
    StrategyShown,
    TierShown,
    UnknownCounts,
)
from riskseg.rules.cells import NumberRange
from riskseg.rules.elements import Action, Condition
from riskseg.rules.model import After, Cells, Path, Repeat, Scheme, Step, Strategy
from riskseg.rules.named_numbers import constant_of
from riskseg.rules.rule import Restriction
from riskseg.strategy.kinds import Included, Property


def version_of(strategy: Strategy) -> StrategyVersion:
    """The strategy's name and fingerprint."""
    return StrategyVersion(name=strategy.name, version=strategy.fingerprint)


def packs_in_use(strategy: Strategy) -> tuple[PackInUse, ...]:
    """The guard packs it includes."""
    return tuple(
        PackInUse(
            name=pack.name,
            applying=pack.applying,
            idle=tuple(IdleRule(rule=rule, kinds=kinds) for rule, kinds in pack.idle),
        )
        for pack in strategy.of(Included)
    )


def shown(strategy: Strategy, *, from_data: bool) -> StrategyShown:
    """The whole strategy."""
    priority = strategy.priority
    return StrategyShown(
        name=strategy.name,
        version=strategy.fingerprint,
        purpose=strategy.purpose,
        owner=strategy.owner,
        effective_from=strategy.effective_from,
        effective_to=strategy.effective_to,
        folder=strategy.folder,
        uses=strategy.uses,
        constants=tuple(map(ConstantShown.model_validate, strategy.constants)),
        bands=tuple(
            BandShown(
                name=band.name,
                of=band.of,
                cuts=tuple(
                    Level(level=level, below=cut, constant=constant_of(cut))
                    for level, cut in band.cuts
                ),
            )
            for band in strategy.bands
        ),
        tiers=tuple(map(_scheme, strategy.schemes)),
        columns=strategy.columns,
        rows=tuple(
            SegmentRowShown(
                id=row.id,
                match=_match(row.cells),
                cells=tuple(map(_in_words, row.cells)),
                segment=row.segment,
            )
            for row in strategy.rows
        ),
        actions=tuple(map(_action, strategy.actions)),
        protective=strategy.protective,
        special_category=strategy.special_category,
        paths=tuple(map(_path, strategy.paths)),
        guards=tuple(map(_guard, strategy.guards)),
        duties=tuple(
            DutyShown.model_validate(
                {
                    **duty.described(),
                    "unknown": _unknown(duty.when),
                    "constant": constant_of(duty.days_within),
                }
            )
            for duty in strategy.duties
        ),
        packs=tuple(map(_pack, strategy.of(Included))),
        properties=tuple(
            PropertyShown.model_validate(declared.described()) for declared in strategy.of(Property)
        ),
        priority=None if priority is None else priority.text,
        treat=strategy.treat,
        examples=tuple(map(ExamplePlace.model_validate, strategy.examples)),
        facts=tuple(sorted(strategy.facts)),
        defaults=strategy.default_values,
        notes=strategy.notes,
        from_data=from_data,
    )


def _match(cells: Cells) -> Any:
    return tuple(map(_cell, cells))


def _cell(cell: frozenset[str | bool] | None) -> Any:
    return "any" if cell is None else tuple(sorted(cell, key=str))


def _in_words(cell: frozenset[str | bool] | None) -> str:
    """A cell as a person reads it, with the names of constants beside their numbers."""
    if cell is None:
        return "any"
    ordered = sorted(cell, key=str)
    return ", ".join(
        level.explained if isinstance(level, NumberRange) else str(level) for level in ordered
    )


def _constants(numbers: Mapping[str, object]) -> dict[str, str]:
    """The constants that numbers are written as, by the names of those that are."""
    named = {name: constant_of(number) for name, number in numbers.items()}
    return {name: constant for name, constant in named.items() if constant is not None}


def _action(action: Action) -> ActionShown:
    return ActionShown.model_validate(action).model_copy(
        update={"constant": constant_of(action.cost)}
    )


def _unknown(condition: Condition | None) -> UnknownCounts | None:
    """What an unknown condition counts as; None where it is never unknown."""
    if condition is None or not condition.expression.type.nullable:
        return None
    return "match" if condition.unknown else "skip"


def _scheme(scheme: Scheme) -> SchemeShown:
    tier_rows = (
        TierShown(
            tier=row.tier,
            when=None if row.when is None else row.when.expression.text,
            unknown=None if scheme.columns else _unknown(row.when),
            match=None if row.cells is None else _match(row.cells),
            cells=() if row.cells is None else tuple(map(_in_words, row.cells)),
        )
        for row in scheme.rows
    )
    return SchemeShown(name=scheme.name, columns=scheme.columns, rows=tuple(tier_rows))


def _path(path: Path) -> PathShown:
    return PathShown(
        name=path.name,
        for_=path.segments,
        starts=path.starts.text,
        steps=tuple(map(_step, path.steps)),
        repeat=None if path.repeat is None else _repeat(path.repeat),
        then=path.then or "stay",
        ends_when=None if path.ends_when is None else path.ends_when.expression.text,
        due_for=path.due_for,
        backlog=path.backlog,
        on_change=path.on_change,
        hold_for=path.hold_for,
        constants=_constants({"due_for": path.due_for, "hold_for": path.hold_for}),
        at_once=path.at_once,
        effective_from=path.effective_from,
        effective_to=path.effective_to,
    )


def _step(step: Step) -> StepShown:
    return StepShown(
        day=step.day,
        constant=constant_of(step.day),
        action=step.action,
        template=step.template,
        must=step.must,
        when=None if step.when is None else step.when.expression.text,
        after=None if step.after is None else _after(step.after),
    )


def _repeat(repeat: Repeat) -> RepeatShown:
    constants = _constants({"every": repeat.every, "at_most": repeat.at_most})
    return RepeatShown.model_validate(repeat).model_copy(update={"constants": constants})


def _after(after: After) -> AfterShown:
    constant = constant_of(after.days)
    return AfterShown.model_validate(after).model_copy(update={"constant": constant})


def _guard(guard: Restriction) -> GuardShown:
    described_values = {
        key: sorted(value) if isinstance(value, frozenset) else value
        for key, value in guard.described().items()
    }
    return GuardShown.model_validate(
        {**described_values, "condition": guard.condition_text, "forbids": guard.forbidden_text}
    )


def _pack(pack: Included) -> PackShown:
    return PackShown.model_validate({**pack.described(), "for": pack.for_, "note": pack.note})
