"""Which dates a model is trained on and which it is validated on. Pure dates.

    first day of history ─ history ─ train_from … train_until ─ label ─ hold_from … hold_until
                                                                          ─ label ─ last day

A date is used only if its label is known by the last day of history, and training dates end
one full label before the hold-out begins, so that no outcome is on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from riskseg.domain.problems import Problems
from riskseg.learning.spec import HELD_SHARE, AuthoredSpec, HoldOut, ModelSpec, least_for

# Below these a shortened spec is no longer the question that was asked.
LEAST_HISTORY_DAYS = 30
LEAST_HORIZON_DAYS = 14


@dataclass(frozen=True, slots=True)
class Timeline:
    """As-of dates, both ends included. Where a share of the parties is held out instead of
    the last days, both windows are the same. `every` is None where accounts are observed
    once, or at the issue of each bill."""

    train_from: date
    train_until: date
    hold_from: date
    hold_until: date
    every: int | None


def days_needed(spec: ModelSpec) -> int:
    """Days of history, first and last included, that the spec needs."""
    return spec.observe.history + spec.observe.for_ + spec.label_days


def timeline(
    authored: AuthoredSpec, first_on: date, last_on: date, problems: Problems
) -> Timeline | None:
    """The dates for a target event, given the first and last day of history.

    Adds RS405 and returns None where the history is too short, saying what would fit.
    """
    spec = authored.spec
    if isinstance(spec.observe.at, date):
        return _single(authored, spec.observe.at, first_on, last_on, problems)
    history_days = (last_on - first_on).days + 1
    if days_needed(spec) > history_days:
        problems.add(
            "RS405",
            f"This spec needs {days_needed(spec)} days of history; there are {history_days} "
            f"({first_on} to {last_on}).",
            file=authored.file,
            line=authored.line("observe"),
            hint=_advice(spec, history_days),
        )
        return None
    hold_until = last_on - timedelta(days=spec.label_days)
    train_from = hold_until - timedelta(days=spec.observe.for_ - 1)
    every = None if spec.observe.at == "issue" else spec.observe.every
    if spec.hold_out_days is None:
        return Timeline(train_from, hold_until, train_from, hold_until, every)
    hold_from = hold_until - timedelta(days=spec.hold_out_days - 1)
    train_until = hold_from - timedelta(days=spec.label_days)
    return Timeline(train_from, train_until, hold_from, hold_until, every)


def observed_timeline(
    authored: AuthoredSpec,
    first_on: date,
    known_until: date,
    known_by: date | None,
    problems: Problems,
) -> Timeline | None:
    """The dates for a target column of rows observed from `first_on`, the outcomes of those up to
    `known_until` known.

    The outcome of a row is known `horizon_days` later, so training ends so many days before the
    hold-out. Whatever the file says, what was not known by `known_by` is not used.
    """
    spec = authored.spec
    hold_until = known_until
    if known_by is not None:
        hold_until = min(known_until, known_by - timedelta(days=spec.label_days))
    hold_from = train_from = first_on
    train_until = hold_until
    if spec.hold_out_days is not None:
        hold_from = hold_until - timedelta(days=spec.hold_out_days - 1)
        train_until = hold_from - timedelta(days=max(1, spec.label_days))
    if train_until >= train_from:
        return Timeline(train_from, train_until, hold_from, hold_until, None)
    problems.add(
        "RS405",
        f"Outcomes are known of rows observed from {first_on} to {hold_until}: before the days "
        f"held out and the {spec.label_days} until an outcome is known there is none to learn "
        "from.",
        file=authored.file,
        line=authored.line("hold_out"),
        hint="Hold out fewer days, or a share of the parties: `hold_out: {share: 0.25}`.",
    )
    return None


def _single(
    authored: AuthoredSpec, at: date, first_on: date, last_on: date, problems: Problems
) -> Timeline | None:
    earliest = first_on + timedelta(days=authored.spec.observe.history)
    latest = last_on - timedelta(days=authored.spec.label_days)
    if earliest <= at <= latest:
        return Timeline(at, at, at, at, None)
    problems.add(
        "RS405",
        f"The history ({first_on} to {last_on}) does not hold {authored.spec.observe.history} days "
        f"before {at} and {authored.spec.label_days} days after it.",
        file=authored.file,
        line=authored.line("observe", "at"),
        hint=f"Observe at a date from {earliest} to {latest}."
        if earliest <= latest
        else "No date fits: shorten `history` or the horizon.",
    )
    return None


def longest_that_fits(spec: ModelSpec, days: int) -> ModelSpec | None:
    """The spec, shortened as little as makes it fit into so many days of history.

    Gives way in this order: the days of observing, then the hold-out, then the history before
    the first date, then the horizon. None where even the shortest does not fit.
    """
    every, held_days = spec.observe.every, spec.hold_out_days
    history, horizon = spec.observe.history, spec.target.horizon
    label_wait = spec.label_days - horizon

    def over() -> int:
        """Days too many, with as few days of observing as the rest allows."""
        label_days = horizon + label_wait
        return max(0, history + least_for(every, held_days, label_days) + label_days - days)

    if held_days is not None:
        held_days -= min(held_days - every, over())
    history -= min(max(0, history - LEAST_HISTORY_DAYS), over())
    # Out of time a day of label costs two: one before the hold-out and one after it.
    too_long = over() if held_days is None else -(-over() // 2)
    horizon -= min(max(0, horizon - LEAST_HORIZON_DAYS), too_long)
    if over():
        return None
    window = min(spec.observe.for_, days - history - horizon - label_wait)
    return spec.model_copy(
        update={
            "target": spec.target.model_copy(update={"horizon_days": horizon}),
            "observe": spec.observe.model_copy(update={"for_": window, "history": history}),
            "hold_out": HoldOut.model_construct(last=held_days)
            if held_days is not None
            else spec.hold_out,
        }
    )


def _advice(spec: ModelSpec, days: int) -> str:
    """The longest spec that fits; and where days are held out, one that holds out a share of the
    parties instead, which needs neither those days nor an embargo, if it asks more of the same."""
    fitting, by_share = longest_that_fits(spec, days), None
    if spec.hold_out_days is not None:
        share_held_out = HoldOut.model_construct(last=None, share=HELD_SHARE)
        by_share = longest_that_fits(spec.model_copy(update={"hold_out": share_held_out}), days)
    if fitting is None and by_share is None:
        return "Not even the shortest useful spec fits: bring more history."
    if fitting is None and by_share is not None:
        return (
            f"No last days can be held out. By a share of the parties, {_written(by_share)} fits."
        )
    assert fitting is not None
    longest = f"The longest that fits: {_written(fitting)}."
    if by_share is None or by_share.target.horizon <= fitting.target.horizon:
        return longest
    return f"{longest} By a share of the parties instead: {_written(by_share)}."


def _written(fitting: ModelSpec) -> str:
    observe = fitting.observe
    observe_text = "at: issue" if observe.at == "issue" else f"every: {observe.every} days"
    spec_parts = [
        f"observe: {{{observe_text}, for: {observe.for_} days, history: {observe.history} days}}"
    ]
    if fitting.hold_out_days is not None:
        spec_parts.append(f"hold_out: {{last: {fitting.hold_out_days} days}}")
    elif fitting.hold_out is not None:
        spec_parts.append(f"hold_out: {{share: {fitting.hold_out.share}}}")
    spec_parts.append(f"horizon_days: {fitting.target.horizon}")
    return ", ".join(spec_parts)
