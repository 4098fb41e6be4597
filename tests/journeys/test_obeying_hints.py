"""Whoever does exactly what the hint of a Problem says gets past it.

Each case is a workspace with one Problem of `check` or `train`. The edit is read from the hint's
own words, applied, and the same command must then go through.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskseg.domain.problems import Problem, ProblemsError
from riskseg.run.check import check
from riskseg.run.init import init
from riskseg.run.train import train
from tests.support import portfolio as p

SPEC = "models/outcome.yaml"
TOML = "riskseg.toml"


def accounts(rows: int = 400) -> pd.DataFrame:
    random = np.random.default_rng(1)
    income, years = random.normal(30, 9, rows), random.integers(0, 20, rows)
    chance = 1 / (1 + np.exp((income - 30) / 5 + (years - 10) / 5))
    bad = (random.random(rows) < chance).astype(int)
    return pd.DataFrame(
        {
            "id": [f"C{n:05d}" for n in range(rows)],
            "income": income.round(1),
            "years": years,
            "Größe, neu": bad * 7 + random.integers(0, 3, rows),
            "opened": "2020-01-01",
            "word": np.where(bad == 1, "null", "paid"),
            "digits": np.where(bad == 1, "01", "00"),
            "months": np.where(bad == 1, random.integers(1, 4, rows), 0),
            "flag": bad == 1,
            "defaulted": bad,
        }
    )


@pytest.fixture(scope="module")
def account_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("obeying") / "w"
    init(root, "account-file")
    accounts().to_csv(root / "accounts.csv", index=False)
    (root / TOML).write_text(
        '''\
[workspace]
strategy = "rules/account-file"
[engine]
threads = 1
[source.accounts]
from = """
select * from read_csv(
    'accounts.csv', types = {'id': 'VARCHAR', 'digits': 'VARCHAR', 'flag': 'BOOLEAN'}
)"""
account_id = "id"
outcome = "defaulted"
opened_on = "opened"
''',
        encoding="utf-8",
    )
    (root / SPEC).write_text(
        """\
name: outcome
target: {column: outcome}
features: {exclude: ['größe, neu', outcome, word, digits, months, flag]}
learners: [scorecard]
scorecard: {form: classic}
""",
        encoding="utf-8",
    )
    return root


Edit = Callable[[Path, Problem], None]


def change(file: str, old: str, new: str) -> Callable[[Path], None]:
    def apply(root: Path) -> None:
        path = root / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return apply


def exclude(root: Path, problem: Problem) -> None:
    """Add NAME to `features: {exclude: […]}`."""
    found = re.fullmatch(r"Add (.+) to `features: \{exclude: \[…\]\}`\.", problem.hint)
    assert found
    change(SPEC, "exclude: [", f"exclude: [{found[1]}, ")(root)


def take_what_was_meant(root: Path, problem: Problem) -> None:
    """Did you mean "NAME"?"""
    wrong, right = re.findall(r'"(.+?)"', problem.what)[-1], re.search(r'"(.+?)"', problem.hint)
    assert right and problem.file and problem.line
    lines = (root / problem.file).read_text(encoding="utf-8").splitlines(keepends=True)
    assert lines[problem.line - 1].count(wrong) == 1
    lines[problem.line - 1] = lines[problem.line - 1].replace(wrong, right[1])
    (root / problem.file).write_text("".join(lines), encoding="utf-8")


def write_target(value: str | None = None) -> Edit:
    """… {column: NAME, positive: VALUE}. Where the hint does not know it, a person gives it."""

    def apply(root: Path, problem: Problem) -> None:
        found = re.search(r"(\{column: .+?\})(?:\.|, or|, where)", problem.hint)
        assert found
        target = found[1].replace("VALUE", value) if value else found[1]
        text = (root / SPEC).read_text(encoding="utf-8")
        (root / SPEC).write_text(re.sub(r"target: .*", f"target: {target}", text), encoding="utf-8")

    return apply


def write_positive(value: str) -> Edit:
    """Give the number that is the bad outcome."""

    def apply(root: Path, problem: Problem) -> None:
        assert "give the number" in problem.hint
        text = (root / SPEC).read_text(encoding="utf-8")
        (root / SPEC).write_text(re.sub(r"positive: \w+", f"positive: {value}", text), "utf-8")

    return apply


def remove_key(root: Path, problem: Problem) -> None:
    """Remove `KEY`."""
    key = re.search(r"Remove `(\w+)`", problem.hint)
    assert key
    text = (root / SPEC).read_text(encoding="utf-8")
    text = re.sub(rf"^{key[1]}:.*\n|, {key[1]}: [^,}}]+", "", text, flags=re.MULTILINE)
    (root / SPEC).write_text(text, encoding="utf-8")


def write_share(root: Path, problem: Problem) -> None:
    """Write {share: N}."""
    found = re.search(r"\{share: [0-9.]+\}", problem.hint)
    assert found
    text = (root / SPEC).read_text(encoding="utf-8")
    (root / SPEC).write_text(re.sub(r"hold_out: .*", f"hold_out: {found[0]}", text), "utf-8")


def add_learner(root: Path, problem: Problem) -> None:
    """Add NAME to `learners`, …"""
    found = re.match(r"Add (\w+) to `learners`", problem.hint)
    assert found
    change(SPEC, "learners: [", f"learners: [{found[1]}, ")(root)


def add_mapping(root: Path, problem: Problem) -> None:
    """Add `NAME = "…"` under [source.accounts]."""
    found = re.match(r'Add `(\w+) = "…"` under \[source\.accounts\]', problem.hint)
    assert found
    change(TOML, "[source.accounts]\n", f'[source.accounts]\n{found[1]} = "id"\n')(root)


def map_outcome(root: Path, problem: Problem) -> None:
    """… write `outcome = "try_cast(COLUMN as integer)"` under [source.accounts] …"""
    assert problem.what == '"outcome" should be 0 or 1, and also holds maybe.'
    found = re.search(r'write `outcome = "(try_cast\(COLUMN as integer\))"` under', problem.hint)
    assert found
    mapped = MAYBE[1].split('"')[1]
    change(TOML, mapped, found[1].replace("COLUMN", mapped))(root)


def map_missing_outcome(root: Path, problem: Problem) -> None:
    """Write `outcome = "COLUMN"` under [source.accounts] …: a person knows the column."""
    found = re.match(r'Write `(outcome = "COLUMN")` under \[source\.accounts\]', problem.hint)
    assert found
    line = found[1].replace("COLUMN", "defaulted")
    change(TOML, 'account_id = "id"\n', f'account_id = "id"\n{line}\n')(root)


def map_to_text(root: Path, problem: Problem) -> None:
    """Map it to a text: `NAME = "cast(NAME as varchar)"`."""
    found = re.search(r"`(.+)`\.$", problem.hint)
    assert found
    change(TOML, 'account_id = "id"\n', f'account_id = "id"\n{found[1]}\n')(root)


@dataclass(frozen=True)
class Case:
    """`breaks` is what somebody did to the workspace, `obeys` what the hint says to do then."""

    what: str
    code: str
    breaks: tuple[Callable[[Path], None], ...]
    obeys: Edit
    finds: Callable[[Path], tuple[Problem, ...]]


def by_check(root: Path) -> tuple[Problem, ...]:
    return check(root).problems


def by_train(root: Path) -> tuple[Problem, ...]:
    """What `check` finds, then what `train` does: neither may be content where the other is not."""
    found = check(root).problems
    try:
        train(root, (), at=p.AT)
    except ProblemsError as error:
        return error.problems
    return found


def target(reported: str) -> Callable[[Path], None]:
    return change(SPEC, "target: {column: outcome}", f"target: {reported}")


MISSPELT = {
    "exclude": ("exclude: [", "exclude: [incom, "),
    "keep": ("features: {", "features: {keep: [yaers], "),
    "static": ("features: {", "features: {static: [yaers], "),
    "fairness by": ("learners:", "fairness: {by: [yaers]}\nlearners:"),
    "protected": ("learners:", "fairness: {protected: [incom]}\nlearners:"),
}
MAYBE = (
    'outcome = "defaulted"\n',
    "outcome = \"case when id like '%77' then 'maybe' else cast(defaulted as varchar) end\"\n",
)
CASES = [
    Case("a leak", "RS404", (change(SPEC, "'größe, neu', ", ""),), exclude, by_train),
    *(
        Case(f"a name misspelt under {key}", "RS501", (change(SPEC, *edit),),
             take_what_was_meant, by_check)
        for key, edit in MISSPELT.items()
    ),
    Case("a word as outcome", "RS408", (target("{column: word}"),),
         write_target("'null'"), by_check),
    Case("a word with zeros as outcome", "RS408", (target("{column: digits}"),),
         write_target("'01'"), by_check),
    Case("numbers as outcome", "RS408", (target("{column: months}"),), write_target("2"), by_check),
    Case("an outcome that is 0, 1 or a word", "RS408", (change(TOML, *MAYBE),),
         map_outcome, by_check),
    Case("a bad outcome that no account has", "RS408", (target("{column: word, positive: paidd}"),),
         take_what_was_meant, by_train),
    Case("a bad outcome that is no number", "RS408",
         (target("{column: months, positive: two}"),), write_positive("2"), by_train),
    Case("a bad outcome that is neither true nor false", "RS408",
         (target("{column: flag, positive: maybe}"),), write_target(), by_train),
    Case("an outcome misspelt", "RS408", (target("{column: outcom}"),),
         take_what_was_meant, by_check),
    Case("an outcome that is not mapped", "RS408",
         (change(TOML, 'outcome = "defaulted"\n', ""), change(SPEC, "outcome, word", "word")),
         map_missing_outcome, by_check),
    Case("a key that goes with bills", "RS004", (target("{column: outcome, horizon_days: 60}"),),
         remove_key, by_check),
    Case("a column observed again and again", "RS004",
         (change(SPEC, "learners:", "observe: {every: 30 days}\nlearners:"),),
         remove_key, by_check),
    Case("last days of an account file", "RS405",
         (change(SPEC, "learners:", "hold_out: {last: 90 days}\nlearners:"),),
         write_share, by_check),
    Case("a champion that does not learn", "RS004",
         (change(SPEC, "learners:", "champion: {prefer: lightgbm}\nlearners:"),),
         add_learner, by_check),
    Case("settings of a learner that does not learn", "RS004",
         (change(SPEC, "learners:", "lightgbm: {search: none}\nlearners:"),),
         add_learner, by_check),
    Case("a key misspelt", "RS003", (change(SPEC, "learners:", "learnes:"),),
         take_what_was_meant, by_check),
    Case("a mapping that is needed", "RS005", (change(TOML, 'account_id = "id"\n', ""),),
         add_mapping, by_check),
    Case("levels of a number", "RS304",
         (change(TOML, 'opened_on = "opened"\n', 'opened_on = "opened"\n[source.accounts.levels]\n'
                 'years = ["1"]\n'),),
         map_to_text, by_check),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_obeying_the_hint_is_enough(case: Case, account_file: Path, tmp_path: Path) -> None:
    root = p.copied(account_file, tmp_path / "w")
    for breaks in case.breaks:
        breaks(root)
    found = case.finds(root)
    assert [problem.code for problem in found] == [case.code]
    case.obeys(root, found[0])
    assert case.finds(root) == ()


def test_what_any_list_may_exclude(account_file: Path, tmp_path: Path) -> None:
    """An attribute in any letter case, one declared protected, a date, the outcome itself, and
    features of the catalogue whose sources are not here."""
    root = p.copied(account_file, tmp_path / "w")
    names = "YEARS, opened_on, outcome, bills_12m, lifecycle"
    change(SPEC, "exclude: [", f"exclude: [{names}, ")(root)
    change(SPEC, "learners:", "fairness: {protected: [years]}\nlearners:")(root)
    change(SPEC, "features: {", "features: {static: [Income], keep: [inCOME, bills_12m], ")(root)
    assert check(root).problems == ()
    (kept,) = train(root, (), at=p.AT)
    assert {f.feature for f in kept.summary.features} == {"income"}
    assert kept.summary.dropped["years"] == "excluded by the spec"


@pytest.fixture
def billed(sound: Path, tmp_path: Path) -> Path:
    root = p.copied(sound, tmp_path / "billed")
    (root / "models/default.yaml").unlink()
    return root


def test_an_attribute_beside_bills_may_be_excluded(billed: Path) -> None:
    """What is known only as of today is learned from by nobody: to exclude it is no mistake."""
    p.replace(billed, "models/late_payment.yaml", "exclude: []", "exclude: [tariff, IS_VULNERABLE]")
    assert [problem.code for problem in check(billed).problems] == ["RS214"]  # of the strategy
    assert train(billed, (), at=p.AT)


def test_the_longest_spec_that_fits(billed: Path) -> None:
    spec = billed / "models/late_payment.yaml"
    p.replace(billed, "models/late_payment.yaml", "for: 360 days", "for: 900 days")
    with pytest.raises(ProblemsError) as error:
        train(billed, (), at=p.AT)
    (problem,) = error.value.problems
    assert problem.code == "RS405"
    text = spec.read_text()
    for key in ("observe", "hold_out"):
        found = re.search(rf"{key}: \{{.*?\}}", problem.hint)
        assert found
        text = re.sub(rf"{key}: .*", found[0], text)
    horizon = re.search(r"horizon_days: \d+", problem.hint)
    assert horizon
    spec.write_text(re.sub(r"horizon_days: \d+", horizon[0], text))
    assert train(billed, (), at=p.AT)


@pytest.mark.slow
def test_a_date_that_fits(billed: Path) -> None:
    spec = billed / "models/late_payment.yaml"
    text = re.sub(r"hold_out: .*", "hold_out: {share: 0.25}", spec.read_text())
    spec.write_text(re.sub(r"observe: .*", "observe: {at: 2026-06-30}", text))
    with pytest.raises(ProblemsError) as error:
        train(billed, (), at=p.AT)
    (problem,) = error.value.problems
    assert problem.code == "RS405"
    days = re.findall(r"\d{4}-\d\d-\d\d", problem.hint)
    spec.write_text(spec.read_text().replace("at: 2026-06-30", f"at: {days[-1]}"))
    assert train(billed, (), at=p.AT)


def test_an_event_of_bills_in_an_account_file(account_file: Path, tmp_path: Path) -> None:
    """RS408: use {column: NAME}."""
    root = p.copied(account_file, tmp_path / "w")
    target("{event: late}")(root)
    with pytest.raises(ProblemsError) as error:
        train(root, (), at=p.AT)
    (problem,) = error.value.problems
    assert (problem.code, "{column: NAME}" in problem.hint) == ("RS408", True)
    change(SPEC, "{event: late}", "{column: outcome}")(root)
    assert train(root, (), at=p.AT)
