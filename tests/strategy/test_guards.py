"""What guards do to the action that is due."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.support.accounts import decided
from tests.support.strategies import SMALL, sound

AS_OF = date(2026, 3, 2)
# Every account is on the one path, on the one day on which an agency is due.
ALWAYS = {
    **SMALL,
    "strategy.yaml": """\
name: guarded
purpose: one action a strategy
owner: tests
actions:
  - {name: sms, channel: sms}
  - {name: desk, channel: desk}
  - {name: letter, channel: post}
  - {name: agency, channel: file}
""",
    "tiers.yaml": "all: [{tier: all, otherwise: true}]\n",
    "segments.yaml": "columns: [all]\nrows: [{id: rest, match: [any], segment: all}]\n",
    "paths.yaml": """\
all: {for: [all], starts: as_of, steps: [{day: 0, action: agency, template: t}]}
""",
    "examples.yaml": "examples: []\n",
}
KNOWN: dict[str, Any] = {
    "as_of": AS_OF,
    "is_vulnerable": False,
    "on_plan": False,
    "months_on_book": 40,
    "days_past_due": 100,
    "balance_overdue": 80,
    "hold_from": None,
    "hold_until": None,
}
VULNERABLE = "{guard: vulnerable, when: is_vulnerable, never: [agency], instead: desk}"
SMALL_DEBT = "{guard: small, when: balance_overdue < 50, never: [agency], instead: letter}"
BARE = "{guard: bare, when: balance_overdue < 50, never: [agency]}"
NO_DESK = "{guard: no_desk, when: on_plan, never: [desk]}"
HOLD = "{hold: held, when: on_plan}"
DATED_HOLD = "{hold: dated, when: as_of between hold_from and hold_until, unknown: skip}"
NEEDS = "{requirement: needs, of: agency, needs: months_on_book >= 6, instead: sms}"
UNTIL = "{guard: until, when: true, never: [agency], effective_to: 2026-03-02}"
UNTIL_BEFORE = "{guard: until, when: true, never: [agency], effective_to: 2026-03-01}"
FROM = "{guard: from, when: true, never: [agency], effective_from: 2026-03-02}"
FROM_LATER = "{guard: from, when: true, never: [agency], effective_from: 2026-03-03}"

CASES: list[tuple[str, list[str], dict[str, Any], str, str]] = [
    ("no guard", [], {}, "agency", ""),
    ("a guard that is not so", [VULNERABLE], {}, "agency", ""),
    ("a guard that is so", [VULNERABLE], {"is_vulnerable": True}, "desk", "vulnerable"),
    ("unknown protects", [VULNERABLE], {"is_vulnerable": None}, "desk", "vulnerable?"),
    (
        "unless it says skip",
        [VULNERABLE.replace("}", ", unknown: skip}")],
        {"is_vulnerable": None},
        "agency",
        "",
    ),
    ("no stand-in", [BARE], {"balance_overdue": 20}, "none", "bare"),
    (
        "the mildest of several stand-ins",
        ["{guard: a, when: true, never: [agency], instead: letter}", VULNERABLE],
        {"is_vulnerable": True},
        "desk",
        "a;vulnerable",
    ),
    (
        "a stand-in that another forbids gives way to the next",
        [VULNERABLE, NO_DESK, SMALL_DEBT],
        {"is_vulnerable": True, "on_plan": True, "balance_overdue": 20},
        "letter",
        "vulnerable;no_desk;small",
    ),
    (
        "a stand-in that another forbids, and no next",
        [VULNERABLE, NO_DESK],
        {"is_vulnerable": True, "on_plan": True},
        "none",
        "vulnerable;no_desk",
    ),
    (
        "a stand-in is offered only by a guard that is in force",
        [VULNERABLE, BARE],
        {"balance_overdue": 20},
        "none",
        "bare",
    ),
    ("a hold", [HOLD], {"on_plan": True}, "none", "held"),
    (
        "a hold outranks a stand-in",
        [VULNERABLE, HOLD],
        {"is_vulnerable": True, "on_plan": True},
        "none",
        "vulnerable;held",
    ),
    (
        "a hold on its first day",
        [DATED_HOLD],
        {"hold_from": AS_OF, "hold_until": date(2026, 3, 9)},
        "none",
        "dated",
    ),
    (
        "a hold on its last day",
        [DATED_HOLD],
        {"hold_from": date(2026, 2, 2), "hold_until": AS_OF},
        "none",
        "dated",
    ),
    (
        "a hold the day after",
        [DATED_HOLD],
        {"hold_from": date(2026, 2, 2), "hold_until": date(2026, 3, 1)},
        "agency",
        "",
    ),
    ("a hold that is skipped when unknown", [DATED_HOLD], {}, "agency", ""),
    ("a requirement that is met", [NEEDS], {}, "agency", ""),
    ("a requirement that is not met", [NEEDS], {"months_on_book": 5}, "sms", "needs"),
    ("unknown does not meet it", [NEEDS], {"months_on_book": None}, "sms", "needs?"),
    ("effective to, included", [UNTIL], {}, "none", "until"),
    ("effective to, over", [UNTIL_BEFORE], {}, "agency", ""),
    ("effective from, included", [FROM], {}, "none", "from"),
    ("effective from, not yet", [FROM_LATER], {}, "agency", ""),
]


@pytest.mark.parametrize(
    ("guards", "given", "action", "reported"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_cases(
    guards: list[str], given: dict[str, Any], action: str, reported: str, tmp_path: Path
) -> None:
    files = {**ALWAYS, "guards.yaml": "".join(f"- {g}\n" for g in guards) or "[]\n"}
    strategy = sound(tmp_path, files)
    (decision,) = decided(strategy, [KNOWN | given], AS_OF)
    assert (decision["action"], decision["guards"]) == (action, reported)
    # A template belongs to its own step's action, and a step that is not taken has no number.
    assert decision["template"] == ("t" if action == "agency" else None)
    assert decision["step"] == (None if action == "none" else 1)
    channels = {"sms": "sms", "desk": "desk", "letter": "post", "agency": "file", "none": None}
    assert decision["channel"] == channels[action]


def test_a_path_that_has_ended_does_nothing(tmp_path: Path) -> None:
    paths = ALWAYS["paths.yaml"].replace("}]}", "}], ends_when: balance_overdue < 10}")
    strategy = sound(tmp_path, {**ALWAYS, "paths.yaml": paths, "guards.yaml": "[]\n"})
    over, on = decided(strategy, [KNOWN | {"balance_overdue": 9}, KNOWN], AS_OF)
    ended = ("path_day", "step", "template", "channel", "next_action", "next_on")
    assert over["action"] == "none"
    assert [over[name] for name in ended] == [None] * len(ended)
    assert (on["action"], on["step"], on["path_day"]) == ("agency", 1, 0)
