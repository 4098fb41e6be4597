"""The probabilities that `assign` gave to accounts are read by the commands of the same day."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from riskseg.pipeline import facts_of_day
from riskseg.pipeline.asked import Asked
from riskseg.run.assign import assign
from riskseg.run.diff import diff
from riskseg.run.insight import insight
from riskseg.run.worklist import worklist
from riskseg.store.sinks import InMemory
from tests.support import portfolio

DAY = portfolio.AS_OF


@pytest.fixture
def root(trained: Path, tmp_path: Path) -> Path:
    return portfolio.copied(trained, tmp_path / "w")


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models that were asked for probabilities."""
    models: list[str] = []
    score = facts_of_day.score

    def noted(engine: Any, key: str, scorer: Any, described: Any) -> str:
        models.append(f"{scorer.model.name} {scorer.model.version}")
        return score(engine, key, scorer, described)

    monkeypatch.setattr(facts_of_day, "score", noted)
    return models


def due(root: Path) -> bytes:
    target = InMemory()
    worklist(root, DAY, target, draft=True)
    return target.parquet


def test_a_worklist_reads_them_until_a_source_or_a_model_changes(
    root: Path, scored: list[str]
) -> None:
    without = due(root)
    assert len(scored) == 2
    for kept in (root / ".riskseg/staged").glob("*-scores-*.rows"):
        kept.unlink()
    scored.clear()
    assign(root, DAY, InMemory(), at=portfolio.AT, draft=True)
    assert (due(root), scored) == (without, [])
    payments = root / "data/payments.csv"
    first, second, *rest = payments.read_text().splitlines(keepends=True)
    payments.write_text("".join([first, *rest]))
    assert second and due(root) and len(scored) == 2


def test_a_strategy_may_name_the_probability_of_one_model_twice(
    root: Path, scored: list[str]
) -> None:
    file = f"{portfolio.STRATEGY}/strategy.yaml"
    portfolio.replace(root, file, "p_default: default}", "p_default: late_payment}")
    assert due(root) and len(scored) == 1


def compared(root: Path) -> None:
    diff(root, portfolio.STRATEGY, portfolio.STRATEGY, here=root, as_of=DAY)


def asked(root: Path) -> None:
    insight(root, "size", Asked(DAY, None, 0))


@pytest.mark.parametrize("command", [compared, asked])
def test_so_do_comparisons_and_questions(
    root: Path, scored: list[str], command: Callable[[Path], None]
) -> None:
    assign(root, DAY, InMemory(), at=portfolio.AT, draft=True)
    command(root)
    assert scored == []
    for kept in (root / ".riskseg/staged").glob("*-scores-*.rows"):
        kept.unlink()
    command(root)
    assert len(scored) == 2


def test_another_version_of_a_model_has_scores_of_its_own(
    root: Path, scored: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assign(root, DAY, InMemory(), at=portfolio.AT, draft=True)
    made_of = facts_of_day._made_of_scores

    def of_another_version(session: Any, scorer: Any, *rest: Any) -> list[str] | None:
        found = made_of(session, scorer, *rest)
        assert found is not None and found[-2:] == [scorer.model.name, scorer.model.version]
        return [*found[:-1], "another"]

    monkeypatch.setattr(facts_of_day, "_made_of_scores", of_another_version)
    due(root)
    assert len(scored) == 2
