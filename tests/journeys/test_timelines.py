"""Accounts followed day by day: what each file of `timelines/` says is issued, and nothing else.

A file has a strategy, in short form, the days on which the worklist is issued, and timelines: what
happens to one account, or a few, and what is expected to be issued on which day. All timelines of
a file that are issued on the same days share one workspace, and one run on each of those days.

    paths:      as in paths.yaml; a path is for the accounts of the timelines that name it
    guards:     as in guards.yaml
    strategy:   keys of strategy.yaml that replace those of `tests.support.treated`
    attributes: the type of each attribute of accounts that is no text
    besides:    what paths.yaml says besides its paths
    workspace:  what riskseg.toml says in [workspace]
    slow:       whether its timelines run with the slow tests, because they take many days
    issued:     {from, to, every: day | weekday | week | month, or days: [dates]; times: runs a day;
                capacity: {action: n}}; a timeline may have its own
    timelines:
      - timeline: what it shows
        path:    the path of its account, or {date: path} where that changes
        account: attributes, or {date: attributes} where they change
        bills, payments, events, …: rows of the sources, less the account
        record:  what people record: {day, what: hold | end_hold | promise | …, and what it takes}
        approve: {date: the person, or people, who approve of what waits}; `reject` likewise
        accounts: {name: what differs for it}, where there are several
        expect:  {date: action} that are issued, or {date: [account action, …]} where several;
                 `with_another` where the action of another account of the party stands for it
        waits:   {date: action}, what waits for approval on a day
        state:   {date: {column: value}} of the decision on a day
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
import yaml

from riskseg.run import account_events
from riskseg.run.approve import approve
from riskseg.store.journal import Journal
from tests.support import treated

TIMELINES = Path(__file__).parent / "timelines"
# The same by libyaml, where it is there: every process reads all files when it collects tests.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Timeline = Mapping[str, Any]
_SOURCES = ("bills", "payments", "events", "instalments")
# The actions of an account on a day.
Done = dict[tuple[str, date], list[str]]


def _loaded(text: str) -> Any:
    return yaml.load(text, _LOADER)  # noqa: S506, both loaders are safe


def _read() -> Iterator[tuple[str, dict[str, Any], str, list[Timeline]]]:
    """Each file with the timelines of it that are issued on the same days."""
    for file in sorted(TIMELINES.glob("*.yaml")):
        content = _loaded(file.read_text(encoding="utf-8"))
        groups: dict[str, list[Timeline]] = {}
        for timeline in content["timelines"]:
            issued = {**content["issued"], **timeline.get("issued", {})}
            if "days" in timeline.get("issued", {}):
                issued = timeline["issued"]
            groups.setdefault(yaml.safe_dump(issued), []).append(timeline)
        for issued_text, timelines in groups.items():
            yield file.stem, content, issued_text, timelines


def _days(issued: Mapping[str, Any]) -> list[date]:
    if "days" in issued:
        return [day for day in issued["days"] for _ in range(issued.get("times", 1))]
    first, last = issued["from"], issued["to"]
    every = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    chosen = {
        "day": lambda day: True,
        "weekday": lambda day: day.weekday() < 5,
        "week": lambda day: day.weekday() == first.weekday(),
        "month": lambda day: day.day == first.day,
    }[issued.get("every", "day")]
    return [day for day in every if chosen(day) for _ in range(issued.get("times", 1))]


def _accounts(number: int, timeline: Timeline) -> dict[str, Timeline]:
    """The accounts of a timeline by their ids; of several, each has what the timeline says, and
    what it says itself."""
    if "accounts" not in timeline:
        return {f"t{number}": timeline}
    return {f"t{number} {name}": {**timeline, **own} for name, own in timeline["accounts"].items()}


def _dated(value: Any) -> dict[date, Any]:
    """A value for each day from which it holds."""
    if isinstance(value, dict) and value and all(isinstance(key, date) for key in value):
        return value
    return {date(2000, 1, 1): value}


def _rows(accounts: Mapping[str, Timeline]) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {"accounts": []}
    for account, reported in accounts.items():
        paths, attributes = _dated(reported["path"]), _dated(reported.get("account", {}))
        for day in sorted({*paths, *attributes}):
            path = paths[max(d for d in paths if d <= day)] if min(paths) <= day else None
            since = [d for d in attributes if d <= day]
            row = {"account_id": account, "valid_from": day, "treatment": path}
            rows["accounts"].append(row | (attributes[max(since)] if since else {}))
        for source in _SOURCES:
            for number, row in enumerate(reported.get(source, ()), start=1):
                own = {"account_id": account, **row}
                if source == "bills":
                    own.setdefault("bill_id", f"b{number}")
                if source == "payments":
                    own.setdefault("payment_id", f"p{number}")
                rows.setdefault(source, []).append(own)
    return rows


def _record(root: Path, day: date, accounts: Mapping[str, Timeline]) -> None:
    """Record what people know of accounts on a day, as the commands of that name do."""
    for account, reported in accounts.items():
        for entry in reported.get("record", ()):
            if entry["day"] != day:
                continue
            command = getattr(account_events, entry["what"])
            wanted = signature(command).parameters
            given = {name: value for name, value in entry.items() if name in wanted}
            if "amount" in given:
                given["amount"] = Decimal(str(given["amount"]))
            if "instalments" in given:
                given["instalments"] = [(on, Decimal(str(n))) for on, n in given["instalments"]]
            said = {"on": day, "at": treated.AT, "by": "ann", "reason": "a test"}
            given = dict.fromkeys([*wanted][2:]) | said | given
            command(root, account, **{name: given[name] for name in [*wanted][2:]})


def _people(root: Path, day: date, accounts: Mapping[str, Timeline], ids: dict[str, str]) -> None:
    """Approve and reject what waits on a day, or what was rejected before. `ids` are those of the
    actions that each account was last listed with."""
    said: dict[tuple[Any, str], list[str]] = {}
    decisions: Sequence[tuple[Any, str]] = (("approved", "approve"), ("rejected", "reject"))
    for outcome, key in decisions:
        for account, reported in accounts.items():
            people = reported.get(key, {}).get(day, [])
            for person in people if isinstance(people, list) else [people]:
                said.setdefault((outcome, person), []).append(account)
    if not said:
        return
    ids |= {row["account_id"]: row["id"] for row in treated.listed(root, day)}
    for (outcome, person), named in said.items():
        of = [ids[account] for account in named]
        approve(root, day, of, outcome, on=day, at=treated.AT, by=person, reason="a test")


def _carry_out(
    root: Path, days: Sequence[date], accounts: Mapping[str, Timeline], capacity: Any
) -> tuple[Done, Done, dict[tuple[str, date], dict[str, Any]]]:
    """What the journal says was issued, what waited, and the states that are asked for."""
    issued: Done = {}
    waiting: Done = {}
    states: dict[tuple[str, date], dict[str, Any]] = {}
    ids: dict[str, str] = {}
    before: tuple[date, list[dict[str, Any]]] | None = None
    for day in days:
        again = before is not None and before[0] == day
        if not again:
            _record(root, day, accounts)
            _people(root, day, accounts, ids)
            asked = [a for a, reported in accounts.items() if day in reported.get("state", {})]
            if asked:
                decided = {row["account_id"]: row for row in treated.decide(root, day)}
                states |= {(account, day): decided[account] for account in asked}
        done, rows = treated.issue(root, day, capacity=capacity)
        if again:
            assert before is not None
            assert rows == before[1], f"the list of {day} is not the same when it is made again"
        assert done.new == (0 if again else done.issued), f"on {day} something is issued twice"
        before = day, rows
        for row in rows:
            if row["needs_approval"]:
                waiting[row["account_id"], day] = [row["action"]]
    with Journal.open(root / ".riskseg/journal.db") as journal:
        for event in journal.events().to_pylist():
            # What is done by the row of another account of the party has its id as `ref`.
            if event["kind"] == "action":
                key = event["account_id"], event["happened_on"]
                another = event["ref"] is not None
                issued.setdefault(key, []).append("with_another" if another else event["action"])
    return issued, waiting, states


def _expected(timeline: Timeline, ids: Sequence[str], key: str) -> Done:
    """What is expected of each account on each day."""
    expected: Done = {}
    for day, reported in (timeline.get(key) or {}).items():
        for one in reported if isinstance(reported, list) else [reported]:
            *name, action = one.split(" ")
            account = next(i for i in ids if not name or i.endswith(f" {name[0]}"))
            expected.setdefault((account, day), []).append(action)
    return expected


def _shown(done: Done) -> str:
    return "; ".join(f"{day} {account}: {', '.join(a)}" for (account, day), a in done.items())


def _differences(timeline: Timeline, ids: Sequence[str], carried_out: Any) -> Iterator[str]:
    issued, waiting, states = carried_out
    ours = {key: sorted(actions) for key, actions in sorted(issued.items()) if key[0] in ids}
    expected = {k: sorted(v) for k, v in sorted(_expected(timeline, ids, "expect").items())}
    if ours != expected:
        yield f"expected {_shown(expected)}\n    issued   {_shown(ours)}"
    for key, actions in _expected(timeline, ids, "waits").items():
        if waiting.get(key) != actions:
            yield f"{key[1]}: {actions} should wait for approval, not {waiting.get(key)}"
    for day, columns in timeline.get("state", {}).items():
        reported = columns if isinstance(next(iter(columns.values())), dict) else {"": columns}
        for name, values in reported.items():
            row = states[next(i for i in ids if not name or i.endswith(f" {name}")), day]
            found = {column: row[column] for column in values}
            if found != values:
                yield f"{day}: expected {values}, decided {found}"


def _groups() -> Iterator[Any]:
    """Groups of timelines as parameters; of a file, the groups after its first are slow, and all of
    one that says so."""
    seen: Counter[str] = Counter()
    for name, *group in _read():
        seen[name] += 1
        slow = [pytest.mark.slow] if seen[name] > 1 or group[0].get("slow") else []
        yield pytest.param(*group, id=f"{name}-{seen[name]}", marks=slow)


@pytest.mark.parametrize(
    ("content", "issued_text", "timelines"),
    [*_groups()],
)
def test_what_is_issued_on_which_day(
    content: dict[str, Any], issued_text: str, timelines: list[Timeline], tmp_path: Path
) -> None:
    issued = _loaded(issued_text)
    accounts_of = [_accounts(n, timeline) for n, timeline in enumerate(timelines)]
    accounts = {account: reported for some in accounts_of for account, reported in some.items()}
    root = treated.write(
        tmp_path / "workspace",
        paths=content["paths"],
        rows=_rows(accounts),
        head=content.get("strategy"),
        guards=content.get("guards", ()),
        attributes=content.get("attributes"),
        besides=content.get("besides"),
        settings=content.get("workspace"),
    )
    carried_out = _carry_out(root, _days(issued), accounts, issued.get("capacity"))
    faults = [
        f"{timeline['timeline']}:\n    {difference}"
        for timeline, some in zip(timelines, accounts_of, strict=True)
        for difference in _differences(timeline, list(some), carried_out)
    ]
    assert not faults, "\n" + "\n".join(faults)
