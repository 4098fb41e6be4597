"""A strategy whose segments table has thousands of rows, for tests and for bench/strategy.py.

Rows are drawn with a fixed seed, the particular above the general, many of them overlapping, and
a row is kept only where some account drawn from it passes every row above: none is unreachable.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from riskseg.domain.facts import Fact, Kind
from tests.support.strategies import FACTS, fact

Level = str | bool
Cells = tuple[tuple[Level, ...] | None, ...]

COLUMNS: Mapping[str, tuple[Level, ...]] = {
    "risk": ("low", "guarded", "medium", "high", "very_high", "unscored"),
    "behaviour": ("new", "broken", "chronic", "slipping", "reliable"),
    "region": ("north", "south", "east", "west", "centre", "isles"),
    "lifecycle": ("live", "final_billed", "closed_in_debt", "written_off", "in_credit"),
    "late": ("unlikely", "likely", "very_likely", "unscored"),
    "tariff": ("flat", "tiered", "social", "prepaid", "business"),
    "size": ("none", "small", "middling", "large"),
    "is_vulnerable": (True, False),
}
# Of these an account's may be unknown: only `any` takes that.
NULLABLE = frozenset({"region", "tariff", "is_vulnerable"})
SEGMENTS = ("gentle", "early", "standard", "firm", "recovery", "trace")

TABLE_FACTS: Mapping[str, Fact] = {
    **FACTS,
    "lifecycle": fact("lifecycle", Kind.LEVEL, *map(str, COLUMNS["lifecycle"])),
    "region": fact("region", Kind.LEVEL, *map(str, COLUMNS["region"]), nullable=True),
    "tariff": fact("tariff", Kind.LEVEL, *map(str, COLUMNS["tariff"]), nullable=True),
}

_FILES = {
    "strategy.yaml": """\
name: micro
purpose: to be large
owner: tests
uses: {p: default, q: late_payment}
bands:
  risk: {of: p, cuts: {low: 0.05, guarded: 0.1, medium: 0.2, high: 0.4, very_high: 1}}
  late: {of: q, cuts: {unlikely: 0.25, likely: 0.5, very_likely: 1}}
actions:
  - {name: sms, channel: sms}
  - {name: letter, channel: post}
  - {name: agency, channel: file}
protective: [is_vulnerable]
priority: balance_overdue * coalesce(p, 0.5)
""",
    "tiers.yaml": """\
behaviour:
  - {tier: new, when: months_on_book < 6, unknown: match}
  - {tier: broken, when: bills_12m > 11}
  - {tier: chronic, when: days_past_due > 60}
  - {tier: slipping, when: days_past_due > 20}
  - {tier: reliable, otherwise: true}
size:
  - {tier: none, when: balance_overdue < 10}
  - {tier: small, when: balance_overdue < 100}
  - {tier: middling, when: balance_overdue < 500}
  - {tier: large, otherwise: true}
""",
    "paths.yaml": """\
soft:
  for: [gentle, early, standard]
  starts: episode_started_on
  steps: [{day: 3, action: sms, template: reminder}, {day: 14, action: letter}]
  stay: deliberately
hard:
  for: [firm, recovery, trace]
  starts: episode_started_on
  steps: [{day: 5, action: letter}, {day: 30, action: agency}]
  stay: deliberately
  ends_when: balance_overdue < 10
""",
    "guards.yaml": """\
- {guard: vulnerable, when: is_vulnerable, never: [agency], instead: letter}
- {hold: plan, when: on_plan}
""",
}


def micro(count: int, *, columns: int = 8, seed: int = 7, planted: int = 0) -> dict[str, str]:
    """The files of a strategy of `count` rows over the first `columns` columns, besides
    `planted` rows above the last, called `dead_N`, that only several rows together cover."""
    names = list(COLUMNS)[:columns]
    rows = _rows(count, names, seed, planted)
    lines = [f"columns: [{', '.join(names)}]", "rows:"]
    for number, (id_, cells) in enumerate(rows):
        match = ", ".join(map(_written, cells))
        segment = SEGMENTS[number % len(SEGMENTS)]
        lines.append(f"  - {{id: {id_}, match: [{match}], segment: {segment}}}")
    return {**_FILES, "segments.yaml": "\n".join(lines) + "\n"}


def _rows(count: int, names: Sequence[str], seed: int, planted: int) -> list[tuple[str, Cells]]:
    rng = random.Random(seed)  # noqa: S311
    taken: list[dict[Level | None, int]] = [dict.fromkeys((*COLUMNS[n], None), 0) for n in names]
    rows: list[tuple[str, Cells]] = []

    def add(id_: str, cells: Cells) -> None:
        for cell, marks in zip(cells, taken, strict=True):
            for level in marks if cell is None else cell:
                marks[level] |= 1 << len(rows)
        rows.append((id_, cells))

    def passed(cells: Cells) -> bool:
        """Whether an account drawn from these cells passes every row so far."""
        for _ in range(30):
            above = -1
            for cell, marks, name in zip(cells, taken, names, strict=True):
                at = rng.choice(_domain(name) if cell is None else cell)
                above &= marks[at]
            if not above & ((1 << len(rows)) - 1):
                return True
        return False

    while len(rows) < count - 1 - 2 * planted:
        # From nearly every column named down to three in four: wider rows would leave nothing.
        share = 0.98 - 0.23 * len(rows) / count
        cells = tuple(_some(rng, name) if rng.random() < share else None for name in names)
        if any(cell is not None for cell in cells) and passed(cells):
            add(f"row_{len(rows) + 1}", cells)
    for number in range(1, planted + 1):
        while True:  # two rows that halve a box, and the box itself, which has nothing left
            where = rng.choice([n for n in names if n not in NULLABLE])
            levels = COLUMNS[where]
            box = [_some(rng, n) if rng.random() < 0.6 else None for n in names]
            cut = rng.randint(1, len(levels) - 1)
            halves = [
                tuple(part if n == where else cell for n, cell in zip(names, box, strict=True))
                for part in (levels[:cut], levels[cut:])
            ]
            if all(map(passed, halves)):
                break
        for side, half in zip("ab", halves, strict=True):
            add(f"half_{number}_{side}", half)
        box[names.index(where)] = None
        add(f"dead_{number}", tuple(box))
    rows.append(("rest", (None,) * len(names)))
    return rows


def _domain(name: str) -> tuple[Level | None, ...]:
    return (*COLUMNS[name], None) if name in NULLABLE else COLUMNS[name]


def _some(rng: random.Random, name: str) -> tuple[Level, ...]:
    levels = COLUMNS[name]
    return tuple(rng.sample(levels, 1 if rng.random() < 0.6 else min(2, len(levels) - 1)))


def _written(cell: tuple[Level, ...] | None) -> str:
    if cell is None:
        return "any"
    shown = [str(level).lower() if isinstance(level, bool) else level for level in cell]
    return shown[0] if len(shown) == 1 else f"[{', '.join(shown)}]"
