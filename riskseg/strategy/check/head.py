"""strategy.yaml: dates, bands, actions, protective facts, priority."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from riskseg.domain.facts import Kind
from riskseg.domain.problems import did_you_mean
from riskseg.domain.words import with_article
from riskseg.expressions import Expression
from riskseg.expressions.assumptions import can_be_written
from riskseg.rules.elements import NO_ACTION, Action, Constant
from riskseg.rules.model import UNSCORED, Band
from riskseg.rules.periods import Period
from riskseg.rules.rule import Restriction
from riskseg.strategy.check.calendars import check_calendar
from riskseg.strategy.check.scope import Scope
from riskseg.strategy.packs import is_help
from riskseg.strategy.shapes import AuthoredBand

_FILE = "strategy.yaml"


def check_dates(scope: Scope) -> None:
    if not (period := Period.of(scope.authored.head)):
        message = f"The strategy holds {period}: its last day is before its first."
        scope.add_problem("RS004", message, _FILE, "effective_to")


def check_constants(scope: Scope) -> tuple[Constant, ...]:
    """The constants: each a value that can be calculated with, and used by some expression. Which
    are used is known when every expression has been checked."""
    constants = []
    for name, constant in scope.authored.head.constants.items():
        value, path = constant.value, ("constants", name)
        if isinstance(value, int | Decimal) and not can_be_written(Decimal(value)):
            message = f"{value} is not a number that expressions can hold exactly."
            hint = "Write at most 18 digits, then at most 6 decimals."
            scope.add_problem("RS004", message, _FILE, *path, hint=hint)
        # An expression with a Problem of its own may be the one that misspells it.
        elif name not in scope.constants_named and not len(scope.problems):
            message = f'Nothing uses the constant "{name}".'
            hint = f"Write `${name}` where its value stands, or remove it."
            scope.add_problem("RS231", message, _FILE, *path, hint=hint)
        constants.append(Constant(name, value, constant.unit, constant.description))
    return tuple(constants)


def check_bands(scope: Scope) -> tuple[Band, ...]:
    bands = []
    head = scope.authored.head
    for band_name, band in head.bands.items():
        band_path = ("bands", band_name)
        if band.of not in head.uses:
            message = f'The band "{band_name}" is of "{band.of}", which `uses` does not define.'
            hint = did_you_mean(band.of, head.uses)
            scope.add_problem("RS201", message, _FILE, *band_path, "of", hint=hint)
        cut_by_level = _cuts(scope, band_name, band)
        if cut_by_level is None:
            levels = tuple((level, Decimal(1)) for level in band.cuts)
            bands.append(Band(band_name, band.of, levels))  # to check what names them
            continue
        cuts = tuple(cut_by_level.items())
        upper_ends = [cut for _, cut in cuts]
        if UNSCORED in band.cuts:
            message = f'"{UNSCORED}" is always there, for accounts without a probability.'
            scope.add_problem(
                "RS206", message, _FILE, *band_path, "cuts", UNSCORED, hint="Remove it."
            )
        elif not upper_ends or upper_ends[-1] != 1:
            message = (
                f'The cuts of "{band_name}" do not end at 1: some probabilities have no level.'
            )
            hint = "End the last level at 1."
            scope.add_problem("RS206", message, _FILE, *band_path, "cuts", hint=hint)
        for (level, lower_end), (next_level, upper_end) in pairwise(cuts):
            if upper_end <= lower_end:
                message = (
                    f'"{next_level}" ends at {upper_end}, not above "{level}", '
                    f"which ends at {lower_end}."
                )
                hint = "Write the levels from the lowest cut to the highest."
                scope.add_problem(
                    "RS206", message, _FILE, *band_path, "cuts", next_level, hint=hint
                )
        if upper_ends and upper_ends[0] <= 0:
            message = f'"{cuts[0][0]}" ends at {upper_ends[0]}: no probability is below that.'
            hint = "Begin with a cut above 0."
            scope.add_problem("RS206", message, _FILE, *band_path, "cuts", cuts[0][0], hint=hint)
        bands.append(Band(band_name, band.of, cuts))
    return tuple(bands)


def _cuts(scope: Scope, name: str, band: AuthoredBand) -> dict[str, Decimal] | None:
    """Where each level ends; None where a constant is at fault."""
    cuts = {
        level: scope.decimal(cut, _FILE, "bands", name, "cuts", level)
        for level, cut in band.cuts.items()
    }
    sound = {level: cut for level, cut in cuts.items() if cut is not None}
    return sound if len(sound) == len(cuts) else None


def _cost(scope: Scope, written: Decimal | str | None, number: int) -> Decimal | None:
    """What an action costs; None where nothing is said, or after a Problem."""
    if written is None:
        return None
    place = (_FILE, "actions", number, "cost")
    cost = scope.decimal(written, *place)
    if cost is not None and cost < 0:
        message = f'The cost "{written}" is {cost}: it is below 0.'
        scope.add_problem("RS004", message, *place, hint="Write what the action costs.")
        return None
    return cost


def check_actions(scope: Scope) -> tuple[Action, ...]:
    action_by_name: dict[str, Action] = {}
    means = scope.means
    strategy_calendar = check_calendar(scope, scope.authored.head.calendar, _FILE)
    for rank, action in enumerate(scope.authored.head.actions, start=1):
        if action.name in action_by_name or action.name == NO_ACTION:
            message = f'The action "{action.name}" is defined twice.'
            if action.name == NO_ACTION:
                message = f'The action "{NO_ACTION}" is always there.'
            scope.add_problem("RS202", message, _FILE, "actions", rank - 1, hint="Remove it.")
        action_by_name[action.name] = Action(
            action.name,
            action.channel,
            action.contact,
            action.significant,
            rank,
            helps=not action.significant and is_help(means[action.name]),
            cost=_cost(scope, action.cost, rank - 1),
            four_eyes=action.four_eyes,
            automatic=action.automatic,
            calendar=check_calendar(scope, action.calendar, _FILE, "actions", rank - 1)
            or strategy_calendar,
        )
        if action.automatic and (action.four_eyes or not action.significant):
            contradiction = "needs two approvers" if action.four_eyes else "needs no approval"
            message = f'"{action.name}" is automatic, but {contradiction}.'
            hint = "`automatic: true` is for a significant action that nobody approves."
            scope.add_problem("RS004", message, _FILE, "actions", rank - 1, "automatic", hint=hint)
        if action.four_eyes and not action.significant:
            message = f'"{action.name}" has `four_eyes: true`, but needs no approval.'
            hint = "Add `significant: true`, or remove `four_eyes`."
            scope.add_problem("RS004", message, _FILE, "actions", rank - 1, "four_eyes", hint=hint)
    return tuple(action_by_name.values())


def check_protective(scope: Scope, guards: Sequence[Restriction]) -> None:
    """Each protective fact is a flag, and a guard looks at it."""
    for i, written in enumerate(scope.authored.head.protective):
        protective_fact = scope.canonical(written)
        if protective_fact not in scope.facts:
            scope.unknown_fact(protective_fact, _FILE, "protective", i)
        elif scope.facts[protective_fact].kind is not Kind.BOOLEAN:
            kind = with_article(scope.facts[protective_fact].kind)
            message = f'"{protective_fact}" is {kind}; a protective fact is true or false.'
            scope.add_problem("RS304", message, _FILE, "protective", i)
        # A guard with a Problem of its own may be the one that looks at it.
        elif not len(scope.problems) and not any(
            protective_fact in guard.when.expression.names for guard in guards
        ):
            message = (
                f'"{protective_fact}" is protective, but no guard uses it, so it protects nobody.'
            )
            hint = "Write a guard with it in guards.yaml, or remove it from the list."
            scope.add_problem("RS216", message, _FILE, "protective", i, hint=hint)


def check_special_category(scope: Scope) -> tuple[str, ...]:
    """The facts of special categories, such as health: each a flag. Those that protect, where the
    strategy names none."""
    head = scope.authored.head
    if head.special_category is None:
        return tuple(map(scope.canonical, head.protective))
    names = tuple(map(scope.canonical, head.special_category))
    for i, special_fact in enumerate(names):
        if special_fact not in scope.facts:
            scope.unknown_fact(head.special_category[i], _FILE, "special_category", i)
        elif scope.facts[special_fact].kind is not Kind.BOOLEAN:
            kind = with_article(scope.facts[special_fact].kind)
            message = f'"{special_fact}" is {kind}; a fact of a special category is true or false.'
            scope.add_problem("RS304", message, _FILE, "special_category", i)
    return names


def check_priority(scope: Scope) -> Expression | None:
    priority_text = scope.authored.head.priority
    if priority_text is None:
        return None
    priority = scope.expression(priority_text, _FILE, "priority", value=True)
    if priority and not priority.type.kind.is_numeric:
        message = f"The priority is {with_article(priority.type.kind)}, not a number."
        scope.add_problem("RS304", message, _FILE, "priority")
    return priority
