"""Random strategies whose names are the compiler's own, SQL's, or full of signs; and every account
there can be of them, so that what is proved can be counted."""

from __future__ import annotations

import itertools
import json
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from riskseg.domain import decision
from riskseg.domain.facts import Fact, Kind, folded
from riskseg.rules.model import Strategy
from tests.support.deciding import Facts, Reading
from tests.support.strategies import read

AS_OF = date(2026, 3, 2)
NAMES = (
    # what the compiler calls its own columns and relations
    *("due", "ended", "day", "day0", "day1", "due_step", "due_template", "first", "leg", "ahead"),
    *("segment_row", "segment__row", "segments", "snap", "account_no", "account_ids", "fault"),
    *("facts", "scored", "banded", "tiered", "named", "segmented", "placed", "stepped", "guarded"),
    *("acted", "decided", "scores_p", "takers", "key0", "w0", "t", "p", "s", "k", "f", "i", "d"),
    *("row_no", "focus_bill", "next", "step_row", "later", "later_day", "begun", "template_"),
    # with the prefixes of internal columns
    *("=segment", "=due", "~due", "~day", "@day", "#t", "!g0", "?g0", "=", "@", "~"),
    # words of SQL
    *("select", "from", "where", "case", "when", "then", "else", "end", "null", "true", "order"),
    *(
        "group",
        "by",
        "limit",
        "table",
        "values",
        "array",
        "struct",
        "row",
        "rows",
        "all",
        "distinct",
    ),
    # quotes, separators, comments
    *('a"b', '""', "it's", "''", "a;b", "a,b", "a.b", "a:b", "a|b", "a\\b", "a/b", "a--b", "/*a*/"),
    *(
        "a b",
        " a",
        "a ",
        "a#1",
        "a%b",
        "a{b}",
        "${a}",
        "$1",
        "?",
        "(a)",
        "[a]",
        "a=b",
        "a&b",
        "<a>",
    ),
    # other alphabets, and letters whose case is not plain
    *("Ünal", "ünaL", "straße", "STRASSE", "İl", "ıl", "имя", "名前", "שם", "naïve", "nai\u0308ve"),
    *("Due", "DAY", "Select", "Snap", "RISK", "1", "0", "1e5", "-", "_", "__", "😀"),
)
TEXTS = (*NAMES, "", "none", "unscored", "Any", "NULL", "otherwise", "no")
# Tiers, segments and actions are small letters, digits, hyphens and underscores.
PLAIN = (*("any", "none", "unscored", "null", "true", "select", "end", "due"), "a-b", "a_b", "x1")
ACTIONS = ("due", "end", "select", "day", "sms", "a-b", "a_b", "x1")


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@dataclass
class Made:
    """A strategy, what its conditions mean in Python, and the values its facts can have."""

    strategy: Strategy
    readings: dict[str, Reading]
    values: dict[str, tuple[Any, ...]]
    properties: dict[str, tuple[str, Reading]] = field(default_factory=dict)

    def accounts(self) -> Iterator[dict[str, Any]]:
        """Every account there can be."""
        names = [n for n in self.strategy.facts if n in self.values and n != "as_of"]
        for values in itertools.product(*(self.values[n] for n in names)):
            known = dict(zip(names, values, strict=True))
            yield {**dict.fromkeys(self.strategy.facts), **known, "as_of": AS_OF}


class _Maker:
    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)  # noqa: S311
        reserved = {folded(n) for n in decision.NAMES} | {"none", ""}
        self.free = [n for n in NAMES if folded(n) not in reserved]
        self.rng.shuffle(self.free)
        self.taken: set[str] = set()
        self.readings: dict[str, Reading] = {}

    def name(self) -> str:
        """A name that nothing else has, in any letter case."""
        while folded(name := self.free.pop()) in self.taken:
            pass
        self.taken.add(folded(name))
        return name

    def texts(self, count: int) -> list[str]:
        return self.rng.sample([t for t in TEXTS if t != "any"], count)

    def facts(self) -> tuple[dict[str, Fact], dict[str, tuple[Any, ...]]]:
        facts, values = {}, {}
        for kind in (Kind.BOOLEAN, Kind.LEVEL, Kind.INTEGER, self.rng.choice([*Kind][:3])):
            name = folded(self.name())
            nullable = self.rng.random() < 0.6
            levels = tuple(self.texts(2)) if kind is Kind.LEVEL else ()
            kind = Kind.INTEGER if kind not in (Kind.BOOLEAN, Kind.LEVEL) else kind
            whole = kind is Kind.INTEGER
            facts[name] = Fact(
                name,
                kind,
                nullable,
                levels=levels,
                lower=Decimal(0) if whole else None,
                upper=Decimal(3) if whole else None,
            )
            known: tuple[Any, ...] = (0, 1, 2, 3) if whole else levels or (True, False)
            values[name] = (*known, None) if nullable else known
        return facts, values

    def condition(self, facts: Mapping[str, Fact], depth: int = 1) -> tuple[str, Reading, bool]:
        """A condition's text, its meaning, and whether it can be unknown."""
        if depth and self.rng.random() < 0.4:
            both = self.rng.random() < 0.5
            a, b = self.condition(facts, 0), self.condition(facts, 0)
            text = f"({a[0]}) {'and' if both else 'or'} ({b[0]})"

            def joined(f: Facts) -> bool | None:
                found = (a[1](f), b[1](f))
                decisive = not both
                return decisive if decisive in found else None if None in found else both

            return text, joined, a[2] or b[2]
        fact = facts[self.rng.choice([*facts])]
        name = fact.name
        if fact.kind is Kind.BOOLEAN:
            return quoted(name), lambda f: f[name], fact.nullable
        if fact.kind is Kind.LEVEL:
            level = self.rng.choice(fact.levels)
            equal: Reading = lambda f: None if f[name] is None else f[name] == level  # noqa: E731
            return f"{quoted(name)} = {literal(level)}", equal, fact.nullable
        least = self.rng.randint(1, 3)
        above: Reading = lambda f: None if f[name] is None else f[name] >= least  # noqa: E731
        return f"{quoted(name)} >= {least}", above, fact.nullable

    def said(self, condition: tuple[str, Reading, bool], key: str) -> dict[str, Any]:
        """The condition under its key, with what an unknown counts as where it can be."""
        text, reading, nullable = condition
        self.readings[text] = reading
        said: dict[str, Any] = {key: text}
        if nullable:
            said["unknown"] = self.rng.choice(["match", "skip"])
        return said

    def steps(self, actions: Sequence[str], first: int) -> list[dict[str, Any]]:
        days = sorted(self.rng.sample(range(first, 4), self.rng.randint(0, 3)))
        return [
            {"day": day, "action": self.rng.choice(actions), "template": self.rng.choice(TEXTS)}
            for day in days
        ]


def hostile_strategy(seed: int) -> Made:
    """A sound strategy with names of every kind, the same for the same seed."""
    make = _Maker(seed)
    rng = make.rng
    facts, values = make.facts()
    number = next(n for n, f in facts.items() if f.kind is Kind.INTEGER)
    uses = {make.name(): "default"}
    (p,) = uses
    band, levels = make.name(), make.texts(2)
    levels = [t for t in levels if t not in ("unscored",)] or ["a"]
    cuts = {level: Decimal(1) / 2 if n + 1 < len(levels) else 1 for n, level in enumerate(levels)}
    tiers = {}
    for _ in range(rng.randint(1, 2)):
        one, two = rng.sample(PLAIN[1:], 2)
        when = {"tier": one, **make.said(make.condition(facts), "when")}
        tiers[make.name()] = [when, {"tier": two, "otherwise": True}]
    columns = [band, *tiers]
    columns += [n for n, f in facts.items() if f.kind is not Kind.INTEGER and rng.random() < 0.5]
    known: dict[str, Sequence[Any]] = {band: [*levels, "unscored"]}
    known |= {scheme: [row["tier"] for row in rows] for scheme, rows in tiers.items()}
    known |= {n: f.levels or (True, False) for n, f in facts.items()}
    rows = [
        {
            "id": f"r{n}",
            "match": [
                "any" if rng.random() < 0.6 else rng.choice(known[column]) for column in columns
            ],
            "segment": rng.choice(PLAIN),
        }
        for n in range(rng.randint(1, 3))
    ]
    rows.append({"id": "rest", "match": ["any"] * len(columns), "segment": "rest"})
    rows = [
        r for n, r in enumerate(rows) if not _covered(r["match"], [o["match"] for o in rows[:n]])
    ]
    actions = rng.sample(ACTIONS, 3)
    segments = list(dict.fromkeys(row["segment"] for row in rows))
    names = [make.name() for _ in segments]
    paths: dict[str, Any] = {}
    for n, (segment, name) in enumerate(zip(segments, names, strict=True)):
        starts = rng.choice(["as_of", f"as_of - {quoted(number)}"])
        paths[name] = {"for": [segment], "starts": starts}
        steps = make.steps(actions, -1 if n == 0 else 0)
        if steps:
            paths[name] |= {"steps": steps, "stay": "deliberately"}
        if n and rng.random() < 0.4:  # the first path alone has days before it begins
            paths[names[n - 1]].pop("stay", None)
            paths[names[n - 1]]["then"] = name
        if rng.random() < 0.4:
            paths[name] |= make.said(make.condition(facts), "ends_when")
    make.readings["as_of"] = lambda f: f["as_of"]
    make.readings[f"as_of - {quoted(number)}"] = lambda f: (
        None if f[number] is None else date.fromordinal(f["as_of"].toordinal() - f[number])
    )
    guards: list[dict[str, Any]] = []
    for n in range(rng.randint(0, 2)):
        condition = make.condition(facts)
        entry = {"guard": f"g{n}", **make.said(condition, "when")}
        entry["never"] = rng.sample(actions, rng.randint(1, 2))
        milder = [
            a for a in actions if all(actions.index(a) < actions.index(x) for x in entry["never"])
        ]
        if milder and rng.random() < 0.5:
            entry["instead"] = milder[0]
        guards.append(entry)
    if rng.random() < 0.3:
        guards.append({"hold": "h0", **make.said(make.condition(facts), "when")})
    properties: dict[str, tuple[str, Reading]] = {}
    for n in range(2):
        column = rng.choice([band, *tiers, "action", "segment"])
        options = known.get(column) or {"action": actions, "segment": segments}[column]
        value = rng.choice(list(options))
        text, reading, _ = make.condition(facts)
        texts = f"{quoted(column)} <> {literal(value)} or ({text})"
        properties[f"q{n}"] = (
            texts,
            lambda seen, column=column, value=value, reading=reading: (
                seen[column] != value or reading(seen)
            ),
        )
        guards.append({"prove": texts, "name": f"q{n}", "unknown": "skip"})
    files = {
        "strategy.yaml": {
            "name": "hostile",
            "purpose": "names",
            "owner": "tests",
            "uses": uses,
            "bands": {band: {"of": p, "cuts": {k: float(v) for k, v in cuts.items()}}},
            "actions": [{"name": a, "channel": rng.choice(TEXTS)} for a in actions],
        },
        "tiers.yaml": tiers,
        "segments.yaml": {"columns": columns, "rows": rows},
        "paths.yaml": paths,
        "guards.yaml": guards,
    }
    texts = {n: json.dumps(c, ensure_ascii=False, indent=1) for n, c in files.items()}
    with tempfile.TemporaryDirectory() as folder:
        strategy, problems = read(Path(folder), texts, facts)
    if {problem.code for problem in problems} == {"RS204"}:  # several rows cover another together
        return hostile_strategy(seed + 1_000_000)
    assert strategy is not None, "\n".join(map(str, problems))
    values[p] = (None, *(Decimal(n) / 1_000_000 for n in (0, 499_999, 500_000, 1_000_000)))
    return Made(strategy, make.readings, values, properties)


def _covered(match: Sequence[Any], above: Sequence[Sequence[Any]]) -> bool:
    """Whether a row above takes all that a row does."""
    return any(all(o in ("any", m) for o, m in zip(other, match, strict=True)) for other in above)
