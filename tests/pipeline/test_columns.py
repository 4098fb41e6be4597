"""What is said of a column of an account file: checked, and carried to facts and notes."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskseg.domain.facts import Fact
from riskseg.pipeline.session import begin, open_checked, scratch_engine
from riskseg.run.check import check
from tests.support.account_file import write

ACCOUNTS = "id,income,job\n" + "".join(f"a{n},{1000 + 10 * n},E{n % 2}\n" for n in range(300))
SEGMENTS = """\
columns: [job]
rows:
  - {id: one, match: [E0], segment: hit}
  - {id: rest, match: [any], segment: miss}
"""
IN = "[source.accounts.columns.{}]\n{}\n"


def workspace(root: Path, toml: str = "", features: str = "", accounts: str = ACCOUNTS) -> Path:
    types = {"income": "integer"}
    write(root, accounts, {"segments.yaml": SEGMENTS}, types=types, toml=toml)
    (root / "models").mkdir()
    if features:
        (root / "models" / "features.yaml").write_text(features, encoding="utf-8")
    return root


def facts(root: Path) -> dict[str, Fact]:
    opened = open_checked(root)
    with scratch_engine(opened) as engine:
        return dict(begin(opened, engine).facts)


def test_a_column_is_described_in_riskseg_toml(tmp_path: Path) -> None:
    said = 'direction = "-"\nunit = "days"\nspecial_values = {1010 = "refused"}\nfamily = "money"'
    job = 'levels = ["E0", "E1"]\nlabels = {E0 = "none"}\nprotected = true'
    found = facts(workspace(tmp_path, IN.format("Income", said) + IN.format("job", job)))
    income = found["income"]
    assert (income.direction, income.family, income.unit) == (-1, "money", "days")
    assert income.words == "income is {value} {day|days}"
    assert (income.special_values, income.labels) == ((1010.0,), (("1010", "refused"),))
    assert (found["job"].levels, found["job"].labels) == (("E0", "E1"), (("E0", "none"),))
    assert found["job"].protected


def test_a_column_is_described_among_the_features(tmp_path: Path) -> None:
    entry = '- {name: Income, words: "earns {value}", unit: money, special_values: [1010]}\n'
    income = facts(workspace(tmp_path, features=entry))["income"]
    assert (income.words, income.unit, income.special_values) == ("earns {value}", "money", (1010,))


@pytest.mark.parametrize(
    ("toml", "features", "code", "message"),
    [
        (IN.format("incom", 'direction = "+"'), "", "RS501", 'no attribute "incom"'),
        ("", "- {name: incom, direction: +}\n", "RS501", 'no attribute "incom"'),
        (IN.format("income", 'directon = "+"'), "", "RS003", "directon"),
        (IN.format("income", 'direction = "up"'), "", "RS004", "direction"),
        (IN.format("job", 'direction = "+"'), "", "RS304", "no direction"),
        (IN.format("job", "special_values = [9]"), "", "RS304", "special values"),
        (IN.format("income", 'special_values = ["x"]'), "", "RS304", "not a number"),
        (IN.format("income", 'labels = {x = "y"}'), "", "RS304", "no"),
        (
            IN.format("job", 'levels = ["E0", "E1"]\nlabels = {E2 = "x"}'),
            "",
            "RS205",
            'no level "E2"',
        ),
        (
            IN.format("income", 'direction = "+"'),
            "- {name: income, direction: '-'}\n",
            "RS503",
            "declared differently in riskseg.toml",
        ),
        ("", "- {name: bills_6m, direction: +}\n", "RS503", "riskseg works out"),
        ("", "- {name: income, unit: x}\n- {name: INCOME, unit: x}\n", "RS503", "described twice"),
    ],
)
def test_what_cannot_be_said_is_a_problem(
    tmp_path: Path, toml: str, features: str, code: str, message: str
) -> None:
    found = check(workspace(tmp_path, toml, features)).problems
    assert [problem.code for problem in found] == [code]
    assert message in found[0].what and found[0].line


NINES = ACCOUNTS + "".join(f"b{n},9999999,E0\n" for n in range(20))


@pytest.mark.parametrize(
    ("toml", "accounts", "found"),
    [
        ("", ACCOUNTS, ()),
        (
            "",
            NINES,
            (
                "income: 9999999 stands for 6.2% of accounts, far from the others (1000 to 3990). "
                "If it is a code, write `special_values = [9999999]` under "
                "[source.accounts.columns.income]; if not, `special_values = []`.",
            ),
        ),
        (IN.format("income", "special_values = [9999999]"), NINES, ()),
        (IN.format("income", "special_values = []"), NINES, ()),
    ],
)
def test_what_looks_like_a_code_is_noted(
    tmp_path: Path, toml: str, accounts: str, found: tuple[str, ...]
) -> None:
    checked = check(workspace(tmp_path, toml, accounts=accounts))
    assert (checked.problems, checked.notes) == ((), found)


@pytest.mark.parametrize("end", ["1000", "0", "-1"])
def test_ordinary_ends_are_no_codes(tmp_path: Path, end: str) -> None:
    """A mass at the least amount or at 0 is none; a lone kind of negative is."""
    accounts = ACCOUNTS + "".join(f"b{n},{end},E0\n" for n in range(60))
    assert bool(check(workspace(tmp_path, accounts=accounts)).notes) == (end == "-1")


@pytest.mark.parametrize(
    ("codes", "found"),
    [((999,), "999 stands for"), ((998, 999), "998 and 999 stand for"), ((998,), None)],
)
def test_codes_among_the_other_values(
    tmp_path: Path, codes: tuple[int, ...], found: str | None
) -> None:
    """Beside one that is seldom anything else, its neighbour is one too."""
    rows = [f"a{n},{500 + 7 * n},E0" for n in range(300)]
    rows += [f"c{code}-{n},{code},E0" for code in codes for n in range(25)]
    notes = check(workspace(tmp_path, accounts="\n".join(["id,income,job", *rows, ""]))).notes
    assert [found is not None and f"income: {found}" in note for note in notes] == (
        [True] if found else []
    )
