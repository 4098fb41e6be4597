"""From authored to checked: every Problem of every file at once, or a Strategy.

One module a subject, in the order in which one strategy goes through them: what may be named
(`scope`), the names a decision's columns take (`names`), strategy.yaml (`head`), `tiers`,
what actions are (`means`), `segments`, `paths`, `rules` of guards.yaml, `examples`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems
from riskseg.rules.elements import Action
from riskseg.rules.model import Path, Strategy
from riskseg.rules.placing import (
    PLACED,
    PLACED_PATH,
    entered_fact,
    of_placement,
    placement_facts,
)
from riskseg.rules.rule import Restriction, Rule
from riskseg.rules.step_facts import (
    instead_fact,
    issued_fact,
    occurrence_fact,
    outcome_fact,
)
from riskseg.strategy.authored import AuthoredStrategy
from riskseg.strategy.check.examples import check_examples
from riskseg.strategy.check.head import (
    check_actions,
    check_bands,
    check_constants,
    check_dates,
    check_priority,
    check_protective,
    check_special_category,
)
from riskseg.strategy.check.means import check_means
from riskseg.strategy.check.names import check_names, decided_facts, own_levels
from riskseg.strategy.check.paths import check_clock, check_entry, check_paths
from riskseg.strategy.check.rules import check_rules
from riskseg.strategy.check.scope import Scope
from riskseg.strategy.check.segments import check_segments
from riskseg.strategy.check.tiers import check_tiers
from riskseg.strategy.fingerprint import fingerprint
from riskseg.treatment.calendar import calendar_names
from riskseg.treatment.routes import route_steps, routes_by_first

__all__ = ["check_strategy"]


def check_strategy(
    authored: AuthoredStrategy,
    facts: Mapping[str, Fact],
    lacking: Mapping[str, str],
    models: Mapping[str, bool],
    problems: Problems,
    declared: Mapping[str, Fact] | None = None,
    *,
    data: bool = True,
    draft: bool = True,
) -> Strategy | None:
    """The checked strategy, or None after adding its Problems.

    `facts` are those the workspace has; `lacking` maps a known fact it cannot compute to the
    source it would need, and `declared` to what it would be. `models` are the workspace's models
    (the value is not looked at). Without `data`, `facts` are those of any workspace there could
    be, with all that the strategy expects among them. What only a `draft` is refused for is a note
    of a strategy that decides already: tonight's run goes on.
    """
    own_problems = Problems()
    strategy = _strategy(
        Scope(
            authored, facts, lacking, models, own_problems, declared or {}, data=data, draft=draft
        )
    )
    problems.extend(own_problems)
    if len(own_problems):
        return None
    return replace(strategy, fingerprint=fingerprint(strategy))


def _strategy(scope: Scope) -> Strategy:
    """The strategy as far as it is sound; with Problems added, not one to use."""
    authored, head = scope.authored, scope.authored.head
    check_dates(scope)
    check_names(scope)
    check_means(scope)
    bands = check_bands(scope)
    actions = check_actions(scope)
    levels = own_levels(authored, bands)
    scope.readable = {b.name: Fact(b.name, Kind.LEVEL, levels=b.levels) for b in bands}
    schemes = check_tiers(scope)
    columns, rows = check_segments(scope, levels)
    _read_segment(scope)
    paths = check_paths(scope, actions)
    scope.actions, scope.decided = actions, decided_facts(authored, levels, actions)
    rules = check_rules(scope)
    paths = check_clock(scope, check_entry(paths), rules)
    check_protective(scope, [rule for rule in rules if isinstance(rule, Restriction)])
    priority = check_priority(scope)
    state = _state(paths, actions, rules)
    examples = check_examples(scope, levels, actions, state)
    constants = check_constants(scope)
    protective = tuple(map(scope.canonical, head.protective))
    special = check_special_category(scope)
    named = scope.named | {*columns, *(band.of for band in bands), *protective, *special, "as_of"}
    return Strategy(
        name=head.name,
        purpose=head.purpose,
        owner=head.owner,
        effective_from=head.effective_from,
        effective_to=head.effective_to,
        uses=dict(head.uses),
        bands=bands,
        schemes=schemes,
        columns=columns,
        rows=rows,
        actions=actions,
        protective=protective,
        special_category=special,
        paths=paths,
        rules=rules,
        priority=priority,
        examples=examples,
        facts={
            fact_named: scope.facts[fact_named]
            for fact_named in sorted(named)
            if fact_named in scope.facts
        }
        | state,
        default_values={
            fact_named: default
            for fact_named, default in scope.default_values.items()
            if fact_named in named
        },
        fingerprint="",
        folder=authored.documents["strategy.yaml"].file.removesuffix("/strategy.yaml"),
        segments_file=authored.documents["segments.yaml"].file,
        expects={
            fact_named: (expected.type, expected.otherwise)
            for fact_named, expected in scope.expects.items()
            if fact_named in named
        },
        treat=head.treat,
        notes=tuple(scope.notes),
        constants=constants,
        read=tuple(sorted(scope.read)),
    )


def _read_segment(scope: Scope) -> None:
    """What comes after the table of segments may read the segment, and not what comes later."""
    segments = tuple(dict.fromkeys(row.segment for row in scope.authored.segments.rows))
    scope.readable["segment"] = Fact("segment", Kind.LEVEL, levels=segments)
    reads = "A condition reads facts, bands, tiers and the segment."
    scope.later = dict.fromkeys(("path", "path_day", "step", "action", "due_action"), reads)


def _state(
    paths: Iterable[Path], actions: Iterable[Action], rules: Iterable[Rule]
) -> dict[str, Fact]:
    """What was done for an account before, as facts: when each step was last issued, and which
    occurrence of it where it repeats; what calendars say of the day; and what holds the
    account, or held it."""
    state = {fact.name: fact for rule in rules for fact in rule.state_facts()}
    paths = tuple(paths)

    def dated(state_name: str, fact_words: str) -> None:
        state[state_name] = Fact(state_name, Kind.DATE, nullable=True, words=fact_words)

    for path in paths:
        for after in (step.after for step in path.steps if step.after is not None):
            replaced = f"another action in place of {after.step} of {path.name} on {{value}}"
            dated(instead_fact(path.name, after.step), replaced)
        answered = {step.after.step for step in path.steps if step.after and step.after.unanswered}
        for step in path.steps:
            issued = f"{step.key} of {path.name} issued on {{value}}"
            dated(issued_fact(path.name, step.key), issued)
        for key in answered:
            dated(outcome_fact(path.name, key), f"outcome of {key} of {path.name} on {{value}}")
        for step in path.repeated:
            state_name = occurrence_fact(path.name, step.key)
            fact_words = f"{step.key} of {path.name} last issued as number {{value}}"
            state[state_name] = Fact(
                state_name, Kind.INTEGER, nullable=True, lower=Decimal(1), words=fact_words
            )
    for walked in routes_by_first(paths).values():
        for of_route in route_steps(walked):
            action = of_route.step.action
            dated(of_route.elsewhere.issued, f"{action} issued on another path on {{value}}")
            afters = [step.after for step in of_route.path.steps if step.after]
            if any(a.unanswered and a.step == of_route.step.key for a in afters):
                answered_on = f"outcome of {action} on another path on {{value}}"
                dated(of_route.elsewhere.outcome, answered_on)
    expressions = [e for p in paths for e in (p.day_0, p.passes_over, p.stays) if e is not None]
    placing = {
        state_name for e in expressions for state_name in e.names if of_placement(state_name)
    }
    placing |= {entered_fact(p.name) for p in paths if p.passes_over is not None}
    of_paths = {
        state_name: fact for p in paths for state_name, fact in placement_facts(p.name).items()
    }
    state |= {
        state_name: PLACED if state_name == PLACED_PATH else of_paths[state_name]
        for state_name in placing
    }
    count_facts = {
        held.fact for p in paths for held in (p.held, p.held_since_entry) if held is not None
    }
    for state_name in calendar_names(paths, actions) | count_facts:
        held = "days on which the clock stood: {value}"
        fact_words = held if state_name in count_facts else f"{state_name}: {{value}}"
        state[state_name] = Fact(state_name, Kind.INTEGER, lower=Decimal(0), words=fact_words)
    return dict(sorted(state.items()))
