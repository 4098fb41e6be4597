"""Inputs that are broken in one place: files of a small workspace, each mutated by a seed."""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass
from pathlib import Path

from riskseg.run.activate import activate
from riskseg.run.assign import assign
from tests.support.account_file import AT, DAY

FILES = {
    "riskseg.toml": """\
[workspace]
currency     = "GBP"
scale        = 2
arrears_from = 5.00
max_bad_rows = 0.5
strategy     = "rules/s"

[engine]
threads = 1
memory  = "500MB"

[source.accounts]
from       = "accounts.csv"
account_id = "customer"
opened_on  = "since"
size       = "try_cast(size as integer)"

[source.accounts.levels]
region = ["north", "south"]

[source.bills]
from      = "bills.csv"
issued_on = "cast(due_on as date) - 14"

[source.payments]
from = "payments.csv"

[source.events]
from = '''
select *
from 'events.csv'
'''
""",
    "accounts.csv": "customer,region,since,size,note\n"
    + "".join(
        f"a{n},{'north' if n % 2 else 'south'},2024-0{n % 9 + 1}-01,{n},x\n" for n in range(40)
    ),
    "bills.csv": "account_id,bill_id,due_on,amount\n"
    + "".join(f"a{n % 40},b{n},2025-{n % 12 + 1:02}-10,{20 + n}.50\n" for n in range(120)),
    "payments.csv": "account_id,paid_on,amount,method\n"
    + "".join(f"a{n % 37},2025-{n % 12 + 1:02}-12,{10 + n}.25,card\n" for n in range(90)),
    "events.csv": "account_id,happened_on,kind,outcome\n"
    + "".join(f"a{n},2025-11-01,promise,{'broken' if n % 3 else 'kept'}\n" for n in range(9)),
    "models/features.yaml": """\
- name: small_bills
  range: bills
  aggregate: sum
  unit: money
  window: 180 days
  value: "greatest(amount - 10, 0)"
  filter: overdue > 0
  direction: "+"
  words: "{value} of small bills"
- {name: ratio, range: account, type: decimal, value: "small_bills / 3", words: "{value}"}
""",
    "models/late.yaml": """\
name: late
target: {event: late, days_past_due: 14, horizon_days: 60}
observe: {every: 30 days, for: 6 months}
features: {exclude: [months_on_book]}
""",
    "rules/s/strategy.yaml": """\
name: s
purpose: to be broken
owner: tests
effective_from: 2025-01-01
expects:
  is_vulnerable: {type: boolean, else: unknown}
  visits: {type: integer, else: 0}
actions:
  - {name: sms, channel: sms, contact: true}
  - {name: letter, channel: post, contact: true}
  - {name: agency, channel: file, significant: true, means: agency}
protective: [is_vulnerable]
priority: balance_overdue * 2
""",
    "rules/s/tiers.yaml": """\
debt:
  - {tier: large, when: balance_overdue >= 100 and ratio > 0.5}
  - {tier: some, when: "size > 3 or visits = 1", unknown: skip}
  - {tier: none_left, otherwise: true}
""",
    "rules/s/segments.yaml": """\
columns: [lifecycle, debt, region]
rows:
  - {id: gone, match: [[written_off, no_history], any, any], segment: leave}
  - {id: large, match: [any, large, [north, south]], segment: chase}
  - {id: rest, match: [any, any, any], segment: remind}
""",
    "rules/s/paths.yaml": """\
leave: {for: [leave], starts: as_of}
chase:
  for: [chase]
  starts: episode_started_on
  steps:
    - {day: 3, action: letter, template: firm}
    - {day: 60, action: agency}
  stay: deliberately
  due_for: 30
  ends_when: balance_overdue < 10
remind:
  for: [remind]
  starts: coalesce(episode_started_on, as_of)
  steps: [{day: 0, action: sms, template: soft}]
  then: chase
""",
    "rules/s/guards.yaml": """\
- include: gb-water
- guard: vulnerable
  when: is_vulnerable
  never: [agency]
  instead: letter
- hold: nothing_owed
  when: balance_overdue = 0
- prove: action <> 'agency' or balance_overdue > 0
  name: only_debts
""",
    "rules/s/examples.yaml": """\
defaults: {lifecycle: live, balance_overdue: 50, ratio: 1, is_vulnerable: false}
examples:
  - example: a small debt
    given: {day: 0}
    expect: {segment: remind, action: sms}
""",
}
# Which commands read a file, in the order in which they are tried.
CHECK, ASSIGN = ["check"], ["assign", "--as-of", str(DAY), "--out", "OUT"]
RULES = [["strategy", "check"], ["strategy", "test"], ["strategy", "prove", "--seconds", "1"]]
EXPLAIN = ["explain", "a1", "--as-of", str(DAY)]
READERS: dict[str, list[list[str]]] = {
    "riskseg.toml": [CHECK, ASSIGN],
    "accounts.csv": [CHECK, ASSIGN],
    "bills.csv": [CHECK, ASSIGN],
    "payments.csv": [CHECK, ASSIGN],
    "events.csv": [CHECK, ASSIGN],
    "models/features.yaml": [CHECK, ASSIGN],
    "models/late.yaml": [CHECK],
    "rules/s/strategy.yaml": RULES,
    "rules/s/tiers.yaml": RULES,
    "rules/s/segments.yaml": RULES[:2],
    "rules/s/paths.yaml": RULES,
    "rules/s/guards.yaml": RULES,
    "rules/s/examples.yaml": RULES[:2],
    ".riskseg/journal.db": [["strategy", "versions"], ASSIGN, EXPLAIN],
    "KEPT/run.json": [["replay", "last"], EXPLAIN],
    "KEPT/inputs.parquet": [["replay", "last"], EXPLAIN],
    "KEPT/strategy/paths.yaml": [["replay", "last"]],
    "out.csv": [["replay", "last"]],
}
_ODD = (
    *(
        "",
        " ",
        "null",
        "~",
        "true",
        "no",
        "010",
        "0x1F",
        "1_000",
        "1e5",
        "1e999999",
        "-0",
        "9" * 40,
    ),
    *(
        "9" * 6000,
        "0." + "0" * 3000 + "1",
        ".nan",
        "-.inf",
        "2026-02-30",
        "0000-00-00",
        "9999-12-31",
    ),
    *(
        "[]",
        "{}",
        "[1, 2]",
        "{a: 1}",
        "[[[[[[",
        "- ",
        ": ",
        "? ",
        "*x",
        "&x",
        "<<",
        "!!python/object:x",
    ),
    *(
        "!!binary aaaa",
        "|",
        ">",
        "'",
        '"',
        "''",
        '""',
        "\\",
        "`",
        "%",
        "@",
        "#",
        ";",
        ",",
        "(",
        ")",
    ),
    *("\x00", "\x1b[31m", "\ufeff", "\u2028", "\r", "\t", "😀", "é", "\ud800", "a" * 30_000),
    *(
        "'; drop table accounts; --",
        "read_text('/etc/passwd')",
        "(select 1)",
        "x.y",
        "as_of",
        "none",
    ),
    *("any", "otherwise", "unknown", "{value}", "${HOME}", "../..", "/dev/null", "*.csv", "*"),
)


@dataclass(frozen=True)
class Case:
    seed: int

    @property
    def file(self) -> str:
        return list(READERS)[self.seed % len(READERS)]


def workspace(root: Path) -> Path:
    """A sound workspace, with a strategy in force and one run that kept its inputs."""
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    activate(root, effective_from=DAY, by="tests", at=AT)
    assign(root, DAY, str(root / "out.csv"), at=AT)
    return root


def mutate(root: Path, case: Case) -> None:
    """Break the case's file in one or two places."""
    rng = random.Random(case.seed)  # noqa: S311
    place = next((root / ".riskseg" / "runs").iterdir()) if "KEPT" in case.file else root
    path = place / case.file.removeprefix("KEPT/")
    content = path.read_bytes()
    for _ in range(rng.choice([1, 1, 2])):
        content = rng.choice(_WAYS)(content, rng) or content
    path.write_bytes(content)


def copied(root: Path, to: Path) -> Path:
    shutil.copytree(root, to)
    return to


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass" if "\ud800" in text else "surrogateescape")


def _word(content: bytes, rng: random.Random) -> bytes:
    """A word, a number or a cell becomes something odd."""
    text = _text(content)
    bounds = [i for i, c in enumerate(text) if c in " ,:{}[]()=\n\"'"] or [0]
    first = rng.choice(bounds)
    last = next((b for b in bounds if b > first), len(text))
    return _bytes(text[: first + 1] + rng.choice(_ODD) + text[last:])


def _inserted(content: bytes, rng: random.Random) -> bytes:
    text = _text(content)
    at = rng.randrange(len(text) + 1)
    return _bytes(text[:at] + rng.choice(_ODD) + text[at:])


def _line(content: bytes, rng: random.Random) -> bytes:
    """A line is left out, written twice, moved, indented or cut off."""
    lines = content.split(b"\n")
    n = rng.randrange(len(lines))
    match rng.randrange(5):
        case 0:
            del lines[n]
        case 1:
            lines.insert(n, lines[n])
        case 2:
            lines.insert(rng.randrange(len(lines)), lines.pop(n))
        case 3:
            lines[n] = b"  " + lines[n]
        case _:
            lines[n] = lines[n][: len(lines[n]) // 2]
    return b"\n".join(lines)


def _flipped(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice([1, 4, 40])):
        if changed:
            changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _cut(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def _whole(content: bytes, rng: random.Random) -> bytes:
    """The whole file is something else."""
    deep = "[" * 5_000 + "]" * 5_000
    bomb = "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(50))
    odd = ("", "\n", "null\n", "[]\n", "{}\n", "just a text", deep, bomb, "\ufeff" + _text(content))
    return rng.choice(
        [*map(_bytes, odd), content.decode("latin-1").encode("utf-16"), b"\xff\xfe\x00"]
    )


_WAYS = (_word, _word, _word, _inserted, _inserted, _line, _flipped, _cut, _whole)
