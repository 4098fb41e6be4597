"""Levels of attributes are those that riskseg.toml declares, never those of today's file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from riskseg.domain.problems import ProblemsError
from riskseg.run.check import check
from riskseg.run.prove import prove
from riskseg.run.strategy import show
from tests.support.account_file import codes, decide, put_in_force, write

BOTH = "id,region\na,north\nb,south\n"
DECLARED = '[source.accounts.levels]\nregion = ["north", "south"]\n'
SEGMENTS = """\
columns: [region]
rows:
  - {id: n, match: [north], segment: miss}
  - {id: s, match: [south], segment: miss}
  - {id: u, match: [any], segment: hit}
"""
ONLY_UNKNOWN = "- prove: action <> 'agency' or region is null\n  name: only_the_unknown\n"


def verdicts(root: Path) -> dict[str, str]:
    return {r.name: r.verdict for r in prove(root).proofs.results}


def test_a_text_without_declared_levels_may_hold_any_text_in_proofs(tmp_path: Path) -> None:
    write(tmp_path, BOTH, {"segments.yaml": SEGMENTS, "guards.yaml": ONLY_UNKNOWN})
    assert verdicts(tmp_path)["declared only_the_unknown"] == "refuted"


def test_a_value_that_is_not_declared_is_a_problem_before_anything_is_decided(
    tmp_path: Path,
) -> None:
    files = {"segments.yaml": SEGMENTS, "guards.yaml": ONLY_UNKNOWN}
    write(tmp_path, BOTH, files, toml=DECLARED)
    assert set(verdicts(tmp_path).values()) == {"proved"}
    put_in_force(tmp_path)
    write(tmp_path, BOTH + "c,west\n", files, toml=DECLARED)
    with pytest.raises(ProblemsError, match=r"c.*region is one of north, south") as error:
        decide(tmp_path)
    assert codes(error.value) == ["RS613"]
    assert not (tmp_path / "decisions.csv").exists()


@pytest.mark.parametrize("toml", ["", DECLARED])
def test_a_strategy_decides_on_a_day_on_which_nobody_has_a_level_it_names(
    tmp_path: Path, toml: str
) -> None:
    write(tmp_path, BOTH, {"segments.yaml": SEGMENTS}, toml=toml)
    put_in_force(tmp_path)
    write(tmp_path, "id,region\na,north\n", {"segments.yaml": SEGMENTS}, toml=toml)
    assert decide(tmp_path)["a"]["segment"] == "miss"


def test_a_text_that_nobody_holds_today_is_a_note(tmp_path: Path) -> None:
    tiers = "t:\n  - {tier: x, when: \"region = 'nroth'\", unknown: skip}\n"
    tiers += "  - {tier: y, otherwise: true}\n"
    misspelt = SEGMENTS.replace("[south]", "[sotuh]")
    write(tmp_path, BOTH, {"segments.yaml": misspelt, "tiers.yaml": tiers})
    assert show(tmp_path).notes == (
        'rules/s/tiers.yaml:2: No account has the region "nroth" today. Did you mean "north"?',
        'rules/s/segments.yaml:4: No account has the region "sotuh" today. Did you mean "south"?',
    )
    checked = check(tmp_path)
    assert (checked.problems, len(checked.notes)) == ((), 2)


def test_a_rule_that_names_a_level_which_is_not_declared_is_a_problem(tmp_path: Path) -> None:
    write(
        tmp_path,
        BOTH,
        {"segments.yaml": SEGMENTS.replace("[south]", "[sotuh]")},
        toml=DECLARED,
    )
    with pytest.raises(ProblemsError, match='"region" has no level "sotuh"') as error:
        show(tmp_path)
    assert codes(error.value) == ["RS205"]


@pytest.mark.parametrize(
    ("toml", "line", "message"),
    [
        ("region = []", 8, '"region" has no levels'),
        ('region = ["north"]\nRegion = ["south"]', 9, 'levels of "region" are declared twice'),
        ('region = ["north", "south", "north"]', 8, '"north" of "region" occurs twice'),
        ('regoin = ["north"]', 8, 'no attribute "regoin".*Did you mean "region"'),
        ('size = ["1"]', 8, "only a text has levels"),
        ("region = [1]", 8, "it should be text"),
        ('region = "north"', 8, "a list"),
    ],
)
def test_a_declaration_that_does_not_fit_is_a_problem(
    tmp_path: Path, toml: str, line: int, message: str
) -> None:
    write(
        tmp_path,
        "id,region,size\na,north,1\n",
        {"segments.yaml": SEGMENTS},
        types={"size": "integer"},
        toml=f"[source.accounts.levels]\n{toml}\n",
    )
    (problem, *_) = check(tmp_path).problems
    assert (problem.file, problem.line) == ("riskseg.toml", line)
    assert re.search(message, str(problem)), problem


def test_levels_of_another_table_are_a_problem(tmp_path: Path) -> None:
    paid = '[source.payments]\nfrom = "paid.csv"\n[source.payments.levels]\nmethod = ["a"]\n'
    write(tmp_path, BOTH, {"segments.yaml": SEGMENTS}, toml=paid)
    assert "RS003" in {p.code for p in check(tmp_path).problems}
