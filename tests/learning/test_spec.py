from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from riskseg.domain.problems import Problems
from riskseg.learning.spec import parse_spec, read_spec

FULL = """\
name: late_payment
question: Will it be late?
target: {event: late, days_past_due: 14, horizon_days: 60}
observe: {every: 30 days, for: 360 days, history: 180 days}
hold_out: {last: 90 days}
population: bills_12m >= 3
features: {exclude: [region], static: []}
learners: [scorecard, lightgbm]
calibration: sigmoid
champion: {prefer: scorecard, unless_auc_gain: 0.01}
seed: 7
"""


def test_full_spec(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(FULL)
    problems = Problems()
    authored = read_spec(tmp_path / "m.yaml", problems, shown="models/m.yaml")
    assert authored is not None and not list(problems)
    spec = authored.spec
    assert (spec.observe.every, spec.observe.for_, spec.observe.history) == (30, 360, 180)
    assert (spec.hold_out_days, spec.hold_out_share) == (90, None)
    assert spec.label_days == 74
    assert spec.features.exclude == ("region",)
    assert authored.file == "models/m.yaml"
    assert authored.line("champion") == 10


@pytest.mark.parametrize(
    ("target", "label", "days", "share"),
    [
        ("{event: late}", 74, 90, None),
        ("{event: default}", 180, 90, None),
        ("{event: default, horizon_days: 90}", 90, 90, None),
        ("{column: bad}", 0, None, 0.25),
        ("{column: bad, positive: 'yes'}", 0, None, 0.25),
    ],
)
def test_defaults(target: str, label: int, days: int | None, share: float | None) -> None:
    problems = Problems()
    text = f"name: m\ntarget: {target}\n"
    if "event: default}" in target:
        text += "observe: {for: 400 days}\n"
    authored = parse_spec(text, "m.yaml", problems)
    assert authored is not None, list(problems)
    spec = authored.spec
    assert spec.label_days == label
    assert (spec.hold_out_days, spec.hold_out_share) == (days, share)
    assert spec.preferred == "scorecard"


@pytest.mark.parametrize(
    ("text", "code", "line", "reported"),
    [
        ("name: m", "RS005", 1, "target"),
        ("name: M m\ntarget: {column: x}", "RS004", 1, "name"),
        ("name: m\ntarget: {event: latte}", "RS004", 2, 'Did you mean "late"'),
        ("name: m\ntarget: {event: self_cure}", "RS408", 2, "self_cure"),
        ("name: m\ntarget: {event: action, action: visit}", "RS408", 2, "action"),
        ("name: m\ntarget: {event: late, action: visit}", "RS004", 2, "action"),
        ("name: m\ntarget: {event: late, positive: 1}", "RS004", 2, "positive"),
        ("name: m\ntarget: {event: late, column: x}", "RS004", 2, "either"),
        ("name: m\ntarget: {}", "RS004", 2, "either"),
        ("name: m\ntarget:\n  column: x\n  days_past_due: 3", "RS004", 4, "days_past_due"),
        ("name: m\ntarget: {event: late}\nobserve:\n  for: 360", "RS004", 4, "30 days"),
        ("name: m\ntarget: {event: late}\nobserve:\n  for: 0 days", "RS004", 4, "whole days"),
        ("name: m\ntarget: {event: late}\nobserve:\n  for: 90 days", "RS004", 4, "193"),
        ("name: m\ntarget: {event: late}\nobserve: {every: 9 days, at: issue}", "RS004", 3, "at"),
        ("name: m\ntarget: {column: x}\nobserve: {every: 30 days}", "RS004", 3, "once"),
        (
            "name: m\ntarget: {column: x}\nobserve: {at: 2024-01-01}\nhold_out: {last: 30 days}",
            "RS004",
            4,
            "share",
        ),
        ("name: m\ntarget: {event: late}\nhold_out: {last: 20 days}", "RS004", 3, "30"),
        ("name: m\ntarget: {event: late}\nhold_out: {}", "RS004", 3, "either"),
        ("name: m\ntarget: {column: x}\nhold_out: {share: 0.9}", "RS004", 3, "share"),
        ("name: m\ntarget: {column: x}\nlerners: []", "RS003", 3, "learners"),
        ("name: m\ntarget: {column: x}\nlearners: []", "RS004", 3, "no learner"),
        ("name: m\ntarget: {column: x}\nlearners: [forest]", "RS004", 3, "forest"),
        ("name: m\ntarget: {column: x}\nlearners: [lightgbm, lightgbm]", "RS004", 3, "twice"),
        (
            "name: m\ntarget: {column: x}\nlearners: [lightgbm]\nchampion:\n  prefer: scorecard",
            "RS004",
            5,
            "not among",
        ),
    ],
)
def test_faults(text: str, code: str, line: int, reported: str) -> None:
    problems = Problems()
    assert parse_spec(text, "m.yaml", problems) is None
    (found,) = problems
    assert (found.code, found.line) == (code, line)
    assert reported in str(found)


def test_all_faults_together() -> None:
    problems = Problems()
    text = "name: m\ntarget: {event: self_cure}\nlearners: [scorecard, scorecard]\n"
    assert parse_spec(text, "m.yaml", problems) is None
    assert [p.code for p in problems] == ["RS408", "RS004"]


def test_reading_a_spec_loads_nothing_that_learns() -> None:
    code = (
        "import sys\n"
        "from riskseg.domain.problems import Problems\n"
        "from riskseg.learning.spec import parse_spec\n"
        "assert parse_spec('name: m\\ntarget: {event: late}', 'm', Problems())\n"
        "print([m for m in ('pandas', 'pyarrow', 'lightgbm', 'sklearn', 'scipy', 'optbinning')"
        " if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("scorecard: {form: additive, edits: {x: {cuts: [1]}}}", '"cuts" is for a classic'),
        ("scorecard: {form: additive, binning: optbinning}", '"binning" is for a classic'),
        ("scorecard: {form: classic, pairs: [[a, b]]}", "has no two-way tables"),
        ("scorecard: {form: additive, pairs: [[a, a]]}", "paired with itself"),
        ("learners: [scorecard]\nlightgbm: {search: none}", "settings for lightgbm"),
        ("learners: [lightgbm]\nscorecard: {form: additive}", "settings for scorecard"),
    ],
)
def test_settings_that_nothing_would_read(more: str, said: str) -> None:
    problems = Problems()
    text = f"name: late\ntarget: {{column: bad}}\n{more}\n"
    assert parse_spec(text, "late.yaml", problems) is None
    (problem,) = list(problems)
    assert problem.code == "RS004" and said in problem.what
