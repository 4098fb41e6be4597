"""Twenty mutants of each starter strategy: each is a mistake that `strategy check` cannot see, and
breaks one property that `strategy prove` then refutes.

Of the claims a proof makes, some no file can break that check lets pass: that every account
reaches one row, that every segment leads to one path and every path ends are refused before (see
planted.py), and what a guard or a hold forbids the compiled rules withhold by their making.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

# An account's facts and what is decided for it, by name.
Seen = Mapping[str, Any]


@dataclass(frozen=True)
class Edit:
    """A text of a file, which stands there once, and what it is changed to. Without one, the new
    text is added at the end."""

    file: str
    old: str
    new: str

    def make(self, folder: Path) -> None:
        path = folder / self.file
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if not self.old:
            path.write_text(text + self.new, encoding="utf-8")
            return
        found = text.count(self.old)
        assert found == 1, f"{self.old!r} stands {found} times in {self.file}"
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")


@dataclass(frozen=True)
class Mutant:
    """`claim` of `subject` must be refuted. `shows` is what its counterexamples must be seen to
    be: all in one list, in the order the result gives them. A claim that some account is so has
    none to show: then `reported` is part of what is said to be wrong."""

    name: str
    edits: tuple[Edit, ...]
    claim: str
    subject: str
    shows: Callable[..., bool] | None = None
    reported: str = ""

    def make(self, folder: Path) -> None:
        for edit in self.edits:
            edit.make(folder)


def _guards(old: str, new: str) -> tuple[Edit, ...]:
    return (Edit("guards.yaml", old, new),)


def _tiers(old: str, new: str) -> tuple[Edit, ...]:
    return (Edit("tiers.yaml", old, new),)


def _rows(old: str, new: str) -> tuple[Edit, ...]:
    return (Edit("segments.yaml", old, new),)


def _paths(old: str, new: str) -> tuple[Edit, ...]:
    return (Edit("paths.yaml", old, new),)


def _head(old: str, new: str) -> tuple[Edit, ...]:
    return (Edit("strategy.yaml", old, new),)


_MILD_TO_HARSH = (
    *("none", "email", "sms", "support_review", "letter", "call", "final_notice"),
    *("visit", "agency"),
)


def _harsher(one: Seen, other: Seen) -> bool:
    return _MILD_TO_HARSH.index(one["action"]) > _MILD_TO_HARSH.index(other["action"])


def _breathing(account: Mapping[str, Any]) -> bool:
    """A start that nobody ended goes on; no dates at all are no breathing space."""
    first, last = account["breathing_space_from"], account["breathing_space_until"]
    if first is last is None:
        return False
    day = account["as_of"]
    return (first is None or first <= day) and (last is None or day <= last)


_ENFORCED = ("visit", "agency")
_CALLS_FORBIDDEN = (
    *("disputed_not_chased", "three_a_week", "peace_after_a_conversation"),
    "less_where_nobody_answers",
)
_SMALL_DEBT = """\
- guard: small_debt_not_enforced
  when: balance_overdue < $small_debt and not has_quarantined_rows   # of those, no letter either
  never: [visit, agency]
  instead: letter
  source: house policy

"""
_LASTS = "    and coalesce(as_of <= breathing_space_until, true)\n"
_DEFAULTED = (
    "  - {id: defaulted,   match: [any, in_arrears, any, in_default, any], segment: recovery}\n"
)
_WRITTEN_OFF = (
    "  - {id: written_off, match: [written_off,    any,        any, any, any], "
    "segment: closed_book}\n"
)

HOUSEHOLD: tuple[Mutant, ...] = (
    # Guards
    Mutant(
        "a guard removed",
        _guards(_SMALL_DEBT, ""),
        "declared",
        "small_debts_are_not_enforced",
        lambda a: a["action"] in _ENFORCED and a["balance_overdue"] < 50,
    ),
    Mutant(
        "an action taken off a guard's never",
        _guards("never: [call, final_notice, visit, agency]", "never: [call, visit, agency]"),
        "declared",
        "a_dispute_is_settled_first",
        lambda a: a["action"] == "final_notice" and a["open_disputes"] > 0,
    ),
    Mutant(
        "an unknown flag no longer protects",
        _guards("when: is_vulnerable\n", "when: is_vulnerable\n  unknown: skip\n"),
        "declared",
        "only_the_surely_not_vulnerable_are_visited",
        lambda a: a["action"] in _ENFORCED and a["is_vulnerable"] is None,
    ),
    Mutant(
        "one dispute is not counted as one",
        _guards("when: open_disputes > 0", "when: open_disputes > 1"),
        "declared",
        "a_dispute_is_settled_first",
        lambda a: a["action"] in ("call", "final_notice", *_ENFORCED) and a["open_disputes"] == 1,
    ),
    Mutant(
        "a requirement loosened by an `or`",
        _guards(
            "needs: days_past_due >= $old_debt",
            "needs: days_past_due >= $old_debt or open_disputes = 0",
        ),
        "declared",
        "agency_is_for_old_debts",
        lambda a: a["action"] == "agency" and a["days_past_due"] < 60,
    ),
    Mutant(
        "a hold whose dates ended",
        _guards(_LASTS, _LASTS + "  effective_to: 2025-12-31\n"),
        "declared",
        "nothing_in_a_breathing_space",
        lambda a: a["action"] != "none" and a["as_of"] > date(2025, 12, 31) and _breathing(a),
    ),
    Mutant(
        "a hold that a start without an end does not begin",
        _guards(_LASTS, "    and coalesce(as_of <= breathing_space_until, false)\n"),
        "declared",
        "nothing_in_a_breathing_space",
        lambda a: a["action"] != "none" and a["breathing_space_until"] is None and _breathing(a),
    ),
    Mutant(
        "a hold that ends a day early",
        _guards(_LASTS, _LASTS.replace("<=", "<")),
        "declared",
        "nothing_in_a_breathing_space",
        lambda a: a["action"] != "none" and a["as_of"] == a["breathing_space_until"],
    ),
    Mutant(
        "a hold with `and not` a protective flag",
        _guards(_LASTS, _LASTS + "    and not is_vulnerable\n"),
        "protection",
        "is_vulnerable",
        lambda a, b: (
            a["is_vulnerable"] is not True
            and b["is_vulnerable"] is True
            and a["action"] == "none" != b["action"]
            and _breathing(b)
        ),
    ),
    Mutant(
        "a promise that is not waited for",
        _guards("- {hold: promise_open, when: open_promise, source: house policy}\n", ""),
        "declared",
        "a_promise_is_waited_for",
        lambda a: a["action"] != "none" and a["open_promise"] is True,
    ),
    Mutant(
        "a promise that is waited for only where much is owed",
        _guards("when: open_promise,", "when: open_promise and balance_overdue > 100,"),
        "declared",
        "a_promise_is_waited_for",
        lambda a: a["action"] != "none" and a["open_promise"] and a["balance_overdue"] <= 100,
    ),
    Mutant(
        "an `instead` that another guard forbids",
        _guards("instead: letter", "instead: call"),
        "instead-lawful",
        "small_debt_not_enforced",
        lambda a: (
            a["balance_overdue"] < 50
            and a["action"] not in ("call", *_ENFORCED)
            and len({"small_debt_not_enforced", *_CALLS_FORBIDDEN} & set(a["guards"].split(";")))
            > 1
        ),
    ),
    Mutant(
        "a guard turned round, so that it protects nobody",
        _guards("when: open_disputes > 0", "when: open_disputes < 0"),
        "guard-used",
        "disputed_not_chased",
        reported="No possible account is affected by it.",
    ),
    # Tables
    Mutant(
        "a row moved up: written off, and yet recovered",
        (
            Edit("segments.yaml", _DEFAULTED, ""),
            Edit("segments.yaml", _WRITTEN_OFF, _DEFAULTED + _WRITTEN_OFF),
        ),
        "declared",
        "the_closed_are_left_alone",
        lambda a: (
            a["lifecycle"] in ("written_off", "final_billed", "no_history")
            and a["segment"] == "recovery"
            and a["action"] != "none"
        ),
    ),
    Mutant(
        "a cell widened to `any`: the unscored are treated as risky",
        _rows("in_arrears, [high, very_high], [broken", "in_arrears, any, [broken"),
        "declared",
        "intensive_is_for_known_risk",
        lambda a: (
            a["segment"] == "intensive"
            and (a["p_default"] is None or a["p_default"] < Decimal("0.15"))
        ),
    ),
    Mutant(
        "an unknown turned round: unknown tenure is no longer new",
        _tiers(
            "when: months_on_book < 6, unknown: match", "when: months_on_book < 6, unknown: skip"
        ),
        "declared",
        "the_unknown_are_not_called_reliable",
        lambda a: a["months_on_book"] is None and a["behaviour"] not in ("in_default", "new"),
    ),
    Mutant(
        "an `and` for an `or`: the chronically late pass for slipping",
        _tiers(
            "late14_bills_6m >= 3 or max_dpd_12m > 60", "late14_bills_6m >= 3 and max_dpd_12m > 60"
        ),
        "declared",
        "who_was_in_default_is_not_called_reliable",
        lambda a: a["max_dpd_12m"] > 60 and a["behaviour"] in ("slipping", "reliable"),
    ),
    Mutant(
        "off by one day: on the ninetieth day not yet in default",
        _tiers("days_past_due >= $default_after", "days_past_due > $default_after"),
        "declared",
        "a_default_is_no_oversight",
        lambda a: a["days_past_due"] == 90 and a["segment"] != "recovery",
    ),
    Mutant(
        "a condition that holds for everyone leaves nothing to the row below",
        _tiers("late_bills_6m >= 2 or late14", "late_bills_6m >= 0 or late14"),
        "row-reached",
        "behaviour reliable",
        reported='Row "slipping"',
    ),
    Mutant(
        "a condition that the catalogue says can never hold",
        _tiers(
            "when: late_bills_6m >= 2 or late14_bills_6m >= 1",
            "when: late14_bills_6m > late_bills_6m",
        ),
        "row-reached",
        "behaviour slipping",
        reported="No possible account matches it.",
    ),
    # Paths
    Mutant(
        "a tier never reached leaves a path to nobody",
        _tiers("when: days_past_due > 0", "when: days_past_due < 0"),
        "path-reached",
        "recovery",
        reported="No account is ever on it.",
    ),
    Mutant(
        "a letter on a path of those who owe nothing",
        _paths("{day: -5, action: sms,", "{day: -5, action: letter,"),
        "declared",
        "nobody_is_chased_for_nothing",
        lambda a: a["days_past_due"] == 0 and a["action"] == "letter",
    ),
    Mutant(
        "a visit where a call was",
        _paths("{day: 2,  action: call, ", "{day: 2,  action: visit,"),
        "declared",
        "enforcement_waits_a_month",
        lambda a: (a["path"], a["action"]) == ("intensive", "visit") and a["path_day"] < 60,
    ),
    Mutant(
        "a path given another segment",
        (
            Edit("paths.yaml", "  for: [standard]", "  for: [standard, welcome]"),
            Edit("paths.yaml", "[up_to_date, welcome, closed_book]", "[up_to_date, closed_book]"),
        ),
        "declared",
        "the_closed_are_left_alone",
        lambda a: (
            (a["lifecycle"], a["segment"], a["path"]) == ("no_history", "welcome", "collection")
            and a["action"] != "none"
        ),
    ),
    Mutant(
        "a `then` changed: the gentle path goes on to visits",
        _paths("then: collection", "then: recovery"),
        "declared",
        "only_the_hardest_cases_are_enforced",
        lambda a: (
            (a["segment"], a["path"]) == ("self_cure", "recovery") and a["action"] in _ENFORCED
        ),
    ),
    Mutant(
        "a path that ends before it begins",
        _paths(
            "ends_when: balance_overdue < $negligible # besides",
            "ends_when: days_past_due > 0 # besides",
        ),
        "step-taken",
        "gentle_reminder day 5 sms",
        reported="No account ever gets it",
    ),
    Mutant(
        "a protective flag that leads to the hardest path",
        _tiers(
            "when: late14_bills_6m >= 3 or max_dpd_12m > 60}",
            "when: late14_bills_6m >= 3 or max_dpd_12m > 60 or is_vulnerable, unknown: skip}",
        ),
        "protection",
        "is_vulnerable",
        lambda a, b: (
            a["is_vulnerable"] is not True
            and b["is_vulnerable"] is True
            and b["behaviour"] == "chronic_late" != a["behaviour"]
            and _harsher(b, a)
        ),
    ),
)

_CALL_GUARD = """
- guard: {name}
  when: {when}
  never: [{never}]
  instead: {instead}
"""


def _guard(when: str, never: str, instead: str, name: str = "of_our_own") -> str:
    return _CALL_GUARD.format(name=name, when=when, never=never, instead=instead)


def _more(text: str) -> tuple[Edit, ...]:
    return (Edit("guards.yaml", "", text),)


_FLAG = (
    Edit("strategy.yaml", "protective: []", "protective: [is_vulnerable]"),
    Edit("strategy.yaml", "", "expects: {is_vulnerable: {type: boolean, else: unknown}}\n"),
)
_PHONE = (
    "phone:   {for: [phone],          starts: as_of, "
    "steps: [{day: 0, action: call,   template: offer_plan}]}"
)

ACCOUNT_FILE: tuple[Mutant, ...] = (
    # Bands
    # Rows
    Mutant(
        "a row that gives another segment",
        (
            Edit("segments.yaml", "segment: write}", "segment: review}"),
            Edit("paths.yaml", "[write, review]", "[review]"),
        ),
        "declared",
        "nobody_else_is",
        lambda a: a["segment"] == "review" and Decimal("0.25") <= a["p_bad"] < Decimal("0.50"),
    ),
    Mutant(
        "two rows that trade places, and segments with them",
        (
            Edit("segments.yaml", "match: [low], ", "match: [high], "),
            Edit("segments.yaml", "{id: high,      match: [high], ", "{id: high, match: [low], "),
        ),
        "declared",
        "the_likely_are_not_left_alone",
        lambda a: a["action"] == "none" and Decimal("0.25") <= a["p_bad"] < Decimal("0.50"),
    ),
    Mutant(
        "a row that needs a low risk and a high probability",
        (
            Edit(
                "tiers.yaml",
                "",
                "doubt:\n"
                "  - {tier: doubtful, when: p_bad > 0.40, unknown: skip}\n"
                "  - {tier: clear, otherwise: true}\n",
            ),
            Edit("segments.yaml", "columns: [risk]", "columns: [risk, doubt]"),
            Edit("segments.yaml", "match: [low], ", "match: [low, doubtful], "),
            Edit("segments.yaml", "match: [medium], ", "match: [medium, any], "),
            Edit("segments.yaml", "match: [high], ", "match: [high, any], "),
            Edit("segments.yaml", "match: [very_high], ", "match: [very_high, any], "),
            Edit("segments.yaml", "match: [any], ", "match: [any, any], "),
        ),
        "row-reached",
        "segments low",
        reported="No possible account matches it.",
    ),
    # Paths
    Mutant(
        "a path given another segment",
        (
            Edit("paths.yaml", "[write, review]", "[write]"),
            Edit("paths.yaml", "for: [phone], ", "for: [phone, review], "),
        ),
        "declared",
        "calls_are_for_the_likely",
        lambda a: a["action"] == "call" and a["p_bad"] is None,
    ),
    Mutant(
        "the unscored on the path that does nothing",
        (
            Edit("paths.yaml", "[write, review]", "[write]"),
            Edit("paths.yaml", "for: [leave_alone], ", "for: [leave_alone, review], "),
        ),
        "declared",
        "the_likely_are_not_left_alone",
        lambda a: a["action"] == "none" and a["p_bad"] is None,
    ),
    Mutant(
        "a step's action on a path it should not be on",
        _paths("action: email, ", "action: call, "),
        "declared",
        "calls_are_for_the_likely",
        lambda a: a["action"] == "call" and a["p_bad"] < Decimal("0.25"),
    ),
    Mutant(
        "a step a day late, on a path that has no tomorrow",
        _paths("{day: 0, action: call, ", "{day: 1, action: call, "),
        "step-taken",
        "phone day 1 call",
        reported="No account ever gets it",
    ),
    Mutant(
        "a `then` from the path that does nothing",
        _paths(
            "for: [leave_alone], starts: as_of}", "for: [leave_alone], starts: as_of, then: phone}"
        ),
        "declared",
        "the_unlikely_are_left_alone",
        lambda a: a["action"] == "call" and a["p_bad"] < Decimal("0.10"),
    ),
    Mutant(
        "a `then` to a path whose day never comes",
        (
            Edit(
                "paths.yaml",
                "{day: 0, action: email,  template: reminder}]}",
                "{day: 0, action: email,  template: reminder}], then: later}",
            ),
            Edit(
                "paths.yaml",
                "",
                "later: {for: [], starts: as_of, steps: [{day: 7, action: letter}]}\n",
            ),
        ),
        "path-reached",
        "later",
        reported="No account is ever on it.",
    ),
    Mutant(
        "a path that is another one from a day on",
        _paths(
            _PHONE,
            _PHONE.replace("starts:", "effective_to: 2026-12-31, starts:")
            + "\nphone_anew: {for: [phone], effective_from: 2027-01-01, starts: as_of, "
            "steps: [{day: 0, action: letter}]}",
        ),
        "declared",
        "the_most_likely_are_called",
        lambda a: (
            (a["path"], a["action"]) == ("phone_anew", "letter")
            and a["as_of"] >= date(2027, 1, 1)
            and a["p_bad"] >= Decimal("0.50")
        ),
    ),
    # Guards
    Mutant(
        "a guard with its cut in the wrong place",
        _more(_guard("p_bad < 0.60", "call", "letter")),
        "declared",
        "the_most_likely_are_called",
        lambda a: a["action"] == "letter" and Decimal("0.50") <= a["p_bad"] < Decimal("0.60"),
    ),
    Mutant(
        "a guard for accounts there cannot be",
        _more(_guard("p_bad > 1", "call", "letter").rstrip("\n") + "\n  unknown: skip\n"),
        "guard-used",
        "of_our_own",
        reported="No possible account is affected by it.",
    ),
    Mutant(
        "a hold that takes an unknown for true",
        _more("- hold: sure_to_pay\n  when: p_bad < 0.05\n"),
        "declared",
        "the_likely_are_not_left_alone",
        lambda a: (a["action"], a["guards"]) == ("none", "sure_to_pay?") and a["p_bad"] is None,
    ),
    Mutant(
        "two guards that each offer what the other forbids",
        _more(
            _guard("p_bad >= 0.90", "call", "letter", "too_late_to_call")
            + _guard("p_bad >= 0.95", "letter", "email", "too_late_to_write")
        ),
        "instead-lawful",
        "too_late_to_call",
        lambda a: (
            a["action"] != "letter"
            and {g.rstrip("?") for g in a["guards"].split(";")}
            >= {"too_late_to_call", "too_late_to_write"}
        ),
    ),
    Mutant(
        "a protective flag with a `not` before it",
        (*_FLAG, *_more(_guard("not is_vulnerable", "call", "letter"))),
        "protection",
        "is_vulnerable",
        lambda a, b: (
            a["is_vulnerable"] is not True
            and b["is_vulnerable"] is True
            and (a["action"], b["action"]) == ("letter", "call")
        ),
    ),
)
