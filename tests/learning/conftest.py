"""A small generated portfolio with a known truth, and a model trained on it once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems
from riskseg.learning.artefact import Model, load
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.spec import AuthoredSpec, parse_spec
from riskseg.learning.split import held_out_by_party
from riskseg.learning.train import Trained, train

FACTS = (
    Fact("late_bills_6m", Kind.INTEGER, words="{value} bills paid late", direction=1, family="l"),
    Fact("late_bills_12m", Kind.INTEGER, words="{value} late in a year", direction=1, family="l"),
    Fact("months_on_book", Kind.INTEGER, words="{value} months on book", direction=-1),
    Fact("balance", Kind.DECIMAL, nullable=True, words="balance {value}", direction=1),
    Fact("tariff", Kind.TEXT, nullable=True, words="tariff {value}"),
    Fact("has_debit", Kind.BOOLEAN, words="direct debit: {value}"),
    Fact("noise", Kind.NUMBER),
)

Author = Callable[[str], AuthoredSpec]
Make = Callable[..., TrainingFrame]
Keep = Callable[[Trained], Path]


def make_frame(rows: int = 2400, seed: int = 3) -> TrainingFrame:
    """Two dates of each account, one or two accounts a party; a quarter of the parties held."""
    random = np.random.default_rng(seed)
    late = random.poisson(1.0, rows).astype(float)
    balance = random.gamma(2.0, 60.0, rows).round(2)
    balance[random.random(rows) < 0.1] = np.nan
    tariff = random.choice(["flat", "night", "prepay", "rare"], rows, p=[0.6, 0.29, 0.1, 0.01])
    table = pd.DataFrame(
        {
            "late_bills_6m": late,
            "late_bills_12m": late + random.poisson(0.7, rows),
            "months_on_book": random.integers(1, 120, rows).astype(float),
            "balance": balance,
            "tariff": tariff.astype(object),
            "has_debit": (random.random(rows) < 0.5).astype(float),
            "noise": random.normal(size=rows),
        }
    )
    table.loc[random.random(rows) < 0.05, "tariff"] = None
    odds = (
        -2.2
        + 0.8 * table.late_bills_6m
        - 0.015 * table.months_on_book
        + 0.004 * table.balance.fillna(120)
        + 1.8 * (table.tariff == "prepay")
        - 0.7 * table.has_debit
    )
    label = (random.random(rows) < 1 / (1 + np.exp(-odds.to_numpy()))).astype(np.int8)
    account = np.arange(rows) // 2
    party = np.array([f"P{a * 2 // 3}" for a in account], dtype=object)
    as_of = np.where(np.arange(rows) % 2, np.datetime64("2024-05-01"), np.datetime64("2024-04-01"))
    held = held_out_by_party(party, 0.25, 7)
    return TrainingFrame(table, FACTS, label, account, party, as_of, held, np.ones(rows))


def author_spec(more: str = "") -> AuthoredSpec:
    problems = Problems()
    authored = parse_spec(f"name: late\ntarget: {{column: bad}}\n{more}", "late.yaml", problems)
    problems.raise_if_any()
    assert authored is not None
    return authored


def keep_files(trained: Trained, root: Path) -> Path:
    folder = root / trained.version
    folder.mkdir()
    for name, content in trained.files.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture(scope="session")
def frame() -> TrainingFrame:
    return make_frame()


@pytest.fixture(scope="session")
def make() -> Make:
    return make_frame


@pytest.fixture(scope="session")
def author() -> Author:
    return author_spec


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    return lambda trained: keep_files(trained, tmp_path)


@pytest.fixture(scope="session")
def trained(frame: TrainingFrame) -> Trained:
    return train(author_spec(), frame, threads=1)


@pytest.fixture(scope="session")
def scorecard(frame: TrainingFrame, tmp_path_factory: pytest.TempPathFactory) -> Model:
    reported = train(author_spec("learners: [scorecard]\n"), frame, threads=1)
    return load(keep_files(reported, tmp_path_factory.mktemp("scorecard")))


@pytest.fixture(scope="session")
def boosted(frame: TrainingFrame, tmp_path_factory: pytest.TempPathFactory) -> Model:
    reported = train(author_spec("learners: [lightgbm]\n"), frame, threads=1)
    return load(keep_files(reported, tmp_path_factory.mktemp("boosted")))


@pytest.fixture(params=["scorecard", "boosted"])
def model(request: pytest.FixtureRequest) -> Model:
    reported = request.getfixturevalue(request.param)
    assert isinstance(reported, Model)
    return reported
