"""What followed issued actions, against plain Python over the journal's events and the rows."""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from riskseg.pipeline.asked import Asked
from riskseg.results.insights.performance import Followed, Performance, RecordedOutcomes
from riskseg.run.assign import assign
from riskseg.run.insight import insight
from riskseg.run.outcomes import record
from riskseg.store.journal import Journal
from tests.support import treated
from tests.support.small_numbers import FEW, not_shown

ISSUED = [date(2026, 1, 12), date(2026, 1, 26), date(2026, 2, 2), date(2026, 3, 2)]
AS_OF, RECENT = date(2026, 4, 1), date(2026, 3, 10)
COSTS = {"sms": Decimal("0.10"), "letter": Decimal("1.25")}
PATHS = {
    "gentle": {"steps": [{"day": 0, "action": "sms"}, {"day": 15, "action": "letter"}]},
    "firm": {"steps": [{"day": 1, "action": "letter"}, {"day": 20, "action": "call"}]},
    "few": {"steps": [{"day": 1, "action": "call"}]},
    # Of accounts that owe nothing yet.
    "early": {"starts": "as_of", "steps": [{"day": 0, "action": "sms"}]},
}
SPOKEN = ("reached", "right_party", "promise", "refused")


@dataclass
class Account:
    """One with its rows. Money pays the oldest bill first."""

    name: str
    segment: str
    party: str
    due: list[date]
    paid: list[tuple[date, date, int, date | None]] = field(default_factory=list)
    """The day, when it was known, the amount, and the day on which it was taken back."""
    complaints: list[date] = field(default_factory=list)

    def overdue(self, day: date, known: date) -> int:
        """What is overdue at the close of a day, of what was known on another."""
        owed = 100 * sum(due < day for due in self.due)
        paid = sum(
            amount
            for paid_on, known_on, amount, back in self.paid
            if paid_on <= day and known_on <= known and not (back and back <= known)
        )
        return max(owed - paid, 0)


def accounts() -> list[Account]:
    draw = random.Random(5)  # noqa: S311 (invented data)
    made = []
    for n in range(48):
        segment = "few" if n < 6 else "gentle" if n % 2 else "firm"
        # Three of the gentle ones have a party in common with the next.
        party = f"p{n + 2 if n in (9, 19, 29) else n}"
        due = [date(2026, 1, 10)] + [date(2026, 2, 10)] * (draw.random() < 0.4)
        account = Account(f"a{n:02}", segment, party, due)
        for _ in range(draw.choice([0, 1, 1, 2, 3])):
            paid_on = date(2026, 1, 11) + timedelta(days=draw.randrange(70))
            later = timedelta(days=draw.choice([0, 0, 0, 3]))
            back = paid_on + timedelta(days=12) if draw.random() < 0.1 else None
            account.paid.append((paid_on, paid_on + later, draw.choice([30, 60, 100]), back))
        for _ in range(draw.random() < 0.2):
            account.complaints.append(date(2026, 1, 12) + timedelta(days=draw.randrange(50)))
        made.append(account)
    early = [Account(f"z{n:02}", "early", f"z{n}", [date(2026, 6, 1)]) for n in range(12)]
    return [*made, *at_the_edges(), *early]


def at_the_edges() -> list[Account]:
    """One that pays on the day of the action, which is known later; one that is in arrears from the
    day of the action on; and two with a second bill that is overdue from the day after, or from the
    day, on which the first is paid."""
    first, second = date(2026, 1, 10), date(2026, 2, 10)
    cases = [
        ([first], [(ISSUED[0], 3)]),
        ([ISSUED[0] - timedelta(days=1)], [(date(2026, 1, 14), 0)]),
        ([first, second], [(second, 0), (date(2026, 2, 12), 0)]),
        ([first, second], [(date(2026, 2, 11), 0), (date(2026, 2, 20), 0)]),
    ]
    return [
        Account(
            f"e{n}",
            "gentle",
            f"e{n}",
            due,
            [(day, day + timedelta(days=later), 100, None) for day, later in paid],
        )
        for n, (due, paid) in enumerate(cases)
    ]


def payment(account: Account, number: int) -> list[treated.Row]:
    paid_on, known_on, amount, back = account.paid[number]
    row = {"account_id": account.name, "payment_id": f"{account.name}{number}"}
    row |= {"paid_on": paid_on, "recorded_on": known_on, "amount": amount}
    taken_back = {"payment_id": f"{account.name}{number}r", "reverses": row["payment_id"]}
    taken_back |= {"paid_on": back, "recorded_on": back}
    return [row, row | taken_back] if back else [row]


def workspace(place: Path, made: Sequence[Account]) -> Path:
    actions = [
        action | {"cost": float(COSTS[action["name"]])} if action["name"] in COSTS else action
        for action in treated.HEAD["actions"]
    ]
    return treated.write(
        place,
        paths=PATHS,
        head={"actions": actions, "treat": "party"},
        rows={
            "accounts": [
                {
                    "account_id": a.name,
                    "valid_from": date(2026, 1, 1),
                    "treatment": a.segment,
                    "party_id": a.party,
                }
                for a in made
            ],
            "bills": [
                {"account_id": a.name, "bill_id": f"{a.name}{n}", "due_on": due, "amount": 100}
                for a in made
                for n, due in enumerate(a.due)
            ],
            "payments": [row for a in made for n in range(len(a.paid)) for row in payment(a, n)],
            "events": [
                {"account_id": a.name, "happened_on": day, "kind": "complaint"}
                for a in made
                for day in a.complaints
            ],
        },
    )


def events(root: Path) -> list[dict[str, Any]]:
    with Journal.open_to_read(root / ".riskseg" / "journal.db") as journal:
        found: list[dict[str, Any]] = journal.events().to_pylist()
    return found


def reported(root: Path) -> None:
    """Outcomes of two thirds of the actions."""
    draw = random.Random(6)  # noqa: S311 (invented data)
    words = ["failed", "no_answer", "reached", "refused", "promise", "delivered"]
    head = ("id", "outcome", "happened_on", "amount", "until")
    with (root / "done.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        for event in events(root):
            if event["kind"] == "action" and not event["ref"] and draw.random() < 0.67:
                day, word = event["happened_on"] + timedelta(days=1), draw.choice(words)
                promise = [50, day + timedelta(days=9)] if word == "promise" else ["", ""]
                writer.writerow([event["event_id"], word, day, *promise])
    record(root, root / "done.csv", by="ann", on=AS_OF, at=treated.AT)


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Account]]:
    made = accounts()
    root = workspace(tmp_path_factory.mktemp("performance") / "w", made)
    for day in [*ISSUED, RECENT]:
        treated.issue(root, day)
    reported(root)
    assign(root, AS_OF, str(root / "d.parquet"), at=treated.AT)
    return root, made


@pytest.fixture(scope="module")
def answer(issued: tuple[Path, list[Account]]) -> Performance:
    answered = insight(issued[0], "performance", Asked(AS_OF)).answer
    assert isinstance(answered, Performance)
    return answered


@dataclass
class Action:
    """An issued action, as the journal has it, and what followed for each of its accounts."""

    event: Mapping[str, Any]
    outcomes: list[str]
    overdue: bool = False
    paid: int = 0
    complaints: int = 0
    cured: list[int | None] = field(default_factory=list)

    @property
    def cured_after(self) -> int | None:
        days = [day for day in self.cured if day is not None]
        return max(days) if self.overdue and len(days) == len(self.cured) else None


def followed(root: Path, made: Sequence[Account]) -> list[Action]:
    journal = events(root)
    outcomes = defaultdict(list)
    for event in journal:
        if event["kind"] == "outcome":
            outcomes[event["ref"]].append(event["outcome"])
    rows = [event for event in journal if event["kind"] == "action"]
    actions = {e["event_id"]: Action(e, outcomes[e["event_id"]]) for e in rows if not e["ref"]}
    by_name = {account.name: account for account in made}
    for event in rows:
        account, day = by_name[event["account_id"]], event["happened_on"]
        later = [e["happened_on"] for e in rows if e["account_id"] == event["account_id"]]
        until = min([day + timedelta(days=30), *(d for d in later if d > day)])
        days = [day + timedelta(days=n) for n in range(1, (until - day).days + 1)]
        action = actions[event["ref"] or event["event_id"]]
        paid = sum(
            amount
            for paid_on, known_on, amount, back in account.paid
            if paid_on in days and known_on <= AS_OF and not (back and back <= AS_OF)
        )
        action.paid += min(paid, account.overdue(day, day))
        action.overdue |= account.overdue(day, day) > 0
        action.complaints += sum(complaint in days for complaint in account.complaints)
        cured = None
        if account.overdue(day, AS_OF):
            clear = [d for d in days if not account.overdue(d, AS_OF)]
            cured = (clear[0] - day).days if clear else None
        action.cured.append(cured)
    return [a for a in actions.values() if a.event["happened_on"] <= ISSUED[-1]]


GROUPS = {
    "segment": lambda event: event["segment"],
    "path": lambda event: event["path"],
    "step": lambda event: f"{event['path']}: {event['step']}",
    "action": lambda event: event["action"],
    "version": lambda event: event["strategy"],
}


def grouped(actions: Sequence[Action]) -> dict[tuple[str, str], list[Action]]:
    groups: dict[tuple[str, str], list[Action]] = defaultdict(list)
    for action in actions:
        for by, group in GROUPS.items():
            groups[by, group(action.event)].append(action)
    return groups


def test_what_followed_is_counted_once(
    issued: tuple[Path, list[Account]], answer: Performance
) -> None:
    root, made = issued
    groups = grouped(followed(root, made))
    rows: dict[tuple[str, str], Followed] = {(r.by, r.group): r for r in answer.followed}
    assert rows.keys() == groups.keys()
    assert {group for by, group in groups if by == "step"} >= {"gentle: letter", "firm: call"}
    few, few_late = hidden(groups), hidden(groups, of_late=True)
    assert few and few_late and few | few_late < {*groups}
    for key, actions in groups.items():
        row = rows[key]
        names = {action.event["account_id"] for action in actions}
        assert (row.actions, row.accounts) == (len(actions), len(names)), key
        late = [action for action in actions if action.overdue]
        assert row.in_arrears == len(late)
        if key in few:
            assert row.paid is row.collected is row.cost is row.cured is row.days_to_cure is None
            continue
        assert row.collected == sum(a.paid for a in actions), key
        costs = [COSTS[a.event["action"]] for a in actions if a.event["action"] in COSTS]
        assert row.cost == (sum(costs) if costs else None), key
        assert row.net == (row.collected - sum(costs) if costs else None)
        if key in few_late or not late:
            assert row.paid is row.cured is row.days_to_cure is None
            continue
        assert row.paid is not None and row.cured is not None
        days = [a.cured_after for a in actions if a.cured_after is not None]
        assert abs(row.paid - Decimal(sum(a.paid > 0 for a in late)) / len(late)) < 1e-5
        assert abs(row.cured - Decimal(len(days)) / len(late)) < 1e-5, key
        assert row.days_to_cure == (median(days) if days else None), key
    early = rows["step", "early: sms"]
    assert early.actions >= 12 and early.in_arrears == 0 and early.paid is None
    together = [event for event in events(root) if event["kind"] == "action" and event["ref"]]
    assert together, "some actions are for several accounts of a party"


def hidden(
    groups: Mapping[tuple[str, str], Sequence[Any]], *, of_late: bool = False
) -> set[tuple[str, str]]:
    """The groups of few accounts, and those beside them; `of_late` of those in arrears alone."""
    sizes: dict[str, dict[str, int]] = defaultdict(dict)
    for (by, group), actions in groups.items():
        names = {a.event["account_id"] for a in actions if a.overdue or not of_late}
        sizes[by][group] = len(names)
    return {(by, group) for by, own in sizes.items() for group in not_shown(own)}


def test_intervals_are_by_party(issued: tuple[Path, list[Account]], answer: Performance) -> None:
    root, made = issued
    party = {account.name: account.party for account in made}
    actions = [a for a in followed(root, made) if a.event["segment"] == "gentle" and a.overdue]
    share = sum(a.paid > 0 for a in actions) / len(actions)
    residuals: dict[str, float] = defaultdict(float)
    for a in actions:
        residuals[party[a.event["account_id"]]] += (a.paid > 0) - share
    n = len(residuals)
    error = (sum(r * r for r in residuals.values()) * n / (n - 1)) ** 0.5 / len(actions)
    (row,) = (r for r in answer.followed if (r.by, r.group) == ("segment", "gentle"))
    assert row.low is not None and row.high is not None
    assert abs(float(row.low) - (share - 1.96 * error)) < 1e-4
    assert abs(float(row.high) - (share + 1.96 * error)) < 1e-4


def test_outcomes_are_those_of_the_journal(
    issued: tuple[Path, list[Account]], answer: Performance
) -> None:
    groups = grouped(followed(*issued))
    rows: dict[tuple[str, str], RecordedOutcomes] = {(r.by, r.group): r for r in answer.outcomes}
    assert rows.keys() == groups.keys()
    for key, actions in groups.items():
        row, answered = rows[key], [a for a in actions if a.outcomes]
        assert (row.actions, row.answered) == (len(actions), len(answered))
        enough = key not in hidden(groups)
        assert row.complaints == (sum(a.complaints for a in actions) if enough else None), key
        if not enough or not answered:
            assert row.reached is row.promised is row.refused is None
            continue
        for share, words in ((row.reached, SPOKEN), (row.promised, ["promise"])):
            count = sum(any(word in words for word in a.outcomes) for a in answered)
            assert share is not None and abs(share - Decimal(count) / len(answered)) < 1e-5


def test_words_name_the_best_and_the_worst_where_that_is_clear(answer: Performance) -> None:
    steps = [row for row in answer.followed if row.by == "step" and row.paid is not None]
    best, worst = (pick(steps, key=lambda r: r.paid or 0) for pick in (max, min))
    assert best.low is not None and worst.high is not None and best.low < worst.high
    assert "how often a payment followed does not differ clearly" in answer.words()
    clear = best.model_copy(update={"low": worst.high + Decimal("0.0001")})
    rows = (clear, *(row for row in answer.followed if row != best))
    words = answer.model_copy(update={"followed": rows}).words()
    assert f'By step, a payment followed most often in "{best.group}" ({best.paid:.0%}' in words
    assert f'least often in "{worst.group}"' in words


def test_words_claim_no_effect(answer: Performance) -> None:
    words = answer.words()
    assert "none of it is the effect of an action" in words
    assert f"Left out{FEW}" in words and "few: call" in words
    assert answer.later and f"What follows {answer.later} actions issued after 2026-03-02" in words


def test_without_worklists_it_says_so(tmp_path: Path) -> None:
    root = workspace(tmp_path / "w", accounts())
    answered = insight(root, "performance", Asked(AS_OF)).answer
    assert isinstance(answered, Performance)
    assert answered.followed == ()
    assert "No action was issued from" in answered.words()
    treated.issue(root, RECENT)
    answered = insight(root, "performance", Asked(AS_OF)).answer
    assert "It is too early to say" in answered.words()
