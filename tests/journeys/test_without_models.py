"""A strategy decides without a model that cannot be trained, where riskseg.toml says so."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from riskseg.cli.diff import moves
from riskseg.cli.terminal import stdout
from riskseg.domain.problems import ProblemsError
from riskseg.pipeline.asked import Asked
from riskseg.pipeline.stages import Progress
from riskseg.run.assign import assign
from riskseg.run.check import check
from riskseg.run.diff import diff
from riskseg.run.explain import explain
from riskseg.run.init import init
from riskseg.run.insight import insight
from riskseg.run.replay import replay
from riskseg.run.train import train
from riskseg.run.worklist import worklist
from riskseg.store.sinks import InMemory
from tests.support import portfolio as p

AS_OF = date(2026, 6, 30)
BOTH = 'without_models = ["default", "late_payment"]'


@pytest.fixture
def young(tmp_path: Path) -> Path:
    """Two customers with a month of bills, one of them unpaid: nothing can be learned from them."""
    root = tmp_path / "w"
    init(root)
    (root / "riskseg.toml").write_text(
        """\
[workspace]
strategy = "rules/household-utility"
[engine]
threads = 1
[source.bills]
from = "bills.csv"
[source.payments]
from = "payments.csv"
"""
    )
    (root / "bills.csv").write_text(
        "account_id,bill_id,due_on,amount\nA,a1,2026-05-11,40\nB,b1,2026-05-11,30\n"
    )
    (root / "payments.csv").write_text("account_id,paid_on,amount\nB,2026-05-09,30\n")
    return root


def with_line(root: Path, line: str) -> Path:
    p.replace(root, "riskseg.toml", "[workspace]", f"[workspace]\n{line}")
    return root


def test_train_names_the_way_on(young: Path) -> None:
    with pytest.raises(ProblemsError) as error:
        train(young, (), at=p.AT)
    assert {problem.code for problem in error.value.problems} == {"RS405"}
    assert all(BOTH in problem.hint for problem in error.value.problems)


def test_assign_names_the_way_on(young: Path) -> None:
    with pytest.raises(ProblemsError) as error:
        assign(young, AS_OF, str(young / "d.parquet"), at=p.AT)
    assert {problem.code for problem in error.value.problems} == {"RS401"}
    assert all(BOTH in problem.hint for problem in error.value.problems)
    assert any("Not trained yet: default, late_payment." in note for note in check(young).notes)


def test_it_decides_explains_and_replays(young: Path) -> None:
    with_line(young, BOTH)
    done = assign(young, AS_OF, str(young / "d.parquet"), at=p.AT)
    decided = pd.read_parquet(young / "d.parquet").set_index("account_id")
    assert decided.p_default.isna().all() and decided.p_late.isna().all()
    assert decided.risk.unique().tolist() == ["unscored"]
    assert decided.segment.to_dict() == {"A": "standard", "B": "up_to_date"}
    assert done.models == {} and {"p_default", "p_late"} <= set(done.default_values)
    assert explain(young, "A", AS_OF).scores == ()
    assert replay(young, "last").verdict == "same bytes"
    notes = [note for note in check(young).notes if "without_models" in note]
    assert [note.split()[0] for note in notes] == ["default", "late_payment"]


def test_a_comparison_says_how_many_accounts_have_no_probability(
    young: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_line(young, BOTH)
    folder = str(young / "rules/household-utility")
    compared = diff(young, folder, folder, here=young, as_of=AS_OF)
    assert compared.moves is not None
    assert compared.moves.without_models == {"default": 2, "late_payment": 2}
    moves(stdout(), compared.moves)
    assert "2 accounts have no probability of default: it was never trained" in (
        capsys.readouterr().out
    )


def test_lists_and_questions_say_that_a_probability_is_unknown(young: Path) -> None:
    with_line(young, BOTH)
    noted: list[str] = []
    worklist(young, AS_OF, InMemory(), progress=Progress(warning=noted.append))
    of_question = insight(young, "size", Asked(AS_OF)).notes
    for notes in (noted, of_question):
        about = [note for note in notes if "is unknown for every account" in note]
        assert {note.split()[0] for note in about} == {"default", "late_payment"}


def test_a_model_that_is_not_named_is_still_needed(young: Path) -> None:
    with_line(young, 'without_models = ["default"]')
    with pytest.raises(ProblemsError) as error:
        assign(young, AS_OF, str(young / "d.parquet"), at=p.AT)
    assert [problem.file for problem in error.value.problems] == ["models/late_payment.yaml"]
