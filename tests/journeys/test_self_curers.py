"""Over a portfolio of known truth, leaving alone those who pay by themselves costs no money."""

from __future__ import annotations

from datetime import date

import pytest

from riskseg.results.rehearsal import Rehearsal
from riskseg.run.rehearse import rehearse
from tests.support import small

HEAD = """\
name: NAME
purpose: who is called, and who is left alone
owner: tests
actions:
  - {name: sms, channel: sms, contact: true, cost: 0.04}
  - {name: call, channel: phone, contact: true, cost: 3.50}
  - {name: final_notice, channel: post, contact: true, cost: 1.20}
"""
# Late now and then, and never for a fortnight: they pay by themselves.
TIERS = """\
standing:
  - {tier: in_arrears, when: days_past_due > 0}
  - {tier: clear, otherwise: true}
habit:
  - {tier: pays_late, when: late_bills_6m >= 2 and late14_bills_6m = 0 and days_past_due < 15}
  - {tier: other, otherwise: true}
"""
SEGMENTS = """\
columns: [lifecycle, standing, habit]
rows:
  - {id: clear, match: [any, clear, any], segment: clear}
  - {id: self_cure, match: [live, in_arrears, pays_late], segment: self_cure}
  - {id: chase, match: [live, in_arrears, any], segment: chase}
  - {id: rest, match: [any, any, any], segment: clear}
"""
CHASE = """\
  starts: episode_started_on
  steps:
    - {day: 3, action: call}
    - {day: 20, action: sms}
    - {day: 40, action: final_notice}
  stay: deliberately
"""
ALONE = "alone: {for: [self_cure, clear], starts: as_of}\n"
PATHS = {
    "everyone": f"chase:\n  for: [self_cure, chase]\n{CHASE}"
    "alone: {for: [clear], starts: as_of}\n",
    "patient": f"chase:\n  for: [chase]\n{CHASE}{ALONE}",
}


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Rehearsal:
    root = small.make(tmp_path_factory.mktemp("rehearsed") / "w")
    for name, paths in PATHS.items():
        folder = root / "rules" / name
        folder.mkdir()
        texts = {
            "strategy.yaml": HEAD.replace("NAME", name),
            "tiers.yaml": TIERS,
            "segments.yaml": SEGMENTS,
            "paths.yaml": paths,
        }
        for file, text in texts.items():
            (folder / file).write_text(text)
    first, last = date(2026, 1, 1), date(2026, 2, 14)
    return rehearse(root, first, last, list(PATHS), here=root, generated=5000)


@pytest.mark.slow
def test_self_curers_left_alone_pay_as_much_with_fewer_calls(rehearsed: Rehearsal) -> None:
    everyone, _ = rehearsed.strategies
    differences = {d.measure: d.difference for d in rehearsed.differences}
    calls, paid = differences["contacts"], differences["paid"]
    assert calls.high < 0
    assert paid.low > -0.005 * float(everyone.paid)
    assert paid.holds(0)
