"""Workspaces made once for all workers of a session; each test breaks a copy of its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
import typer.testing

from riskseg.run.train import train
from riskseg.store.journal_place import JournalPlace, PostgresPlace
from tests.support import portfolio, postgres
from tests.support.shared import shared

# Typer makes all commands anew for each one that a test calls: they are made once here.
typer.testing._get_command = cache(typer.testing._get_command)

# Folders of tests that carry out whole runs: `make test` leaves them to `make test-runs`.
_RUNS = [Path(__file__).parent / folder for folder in ("insight", "journeys", "run")]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(map(item.path.is_relative_to, _RUNS)):
            item.add_marker(pytest.mark.whole_run)


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace without a fault, and without a trained model. Not to be changed."""
    return shared(tmp_path_factory, "sound", portfolio.make)


@pytest.fixture(scope="session")
def trained(sound: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with both models trained. Not to be changed."""

    def make(folder: Path) -> None:
        train(portfolio.copied(sound, folder), (), at=portfolio.AT)

    return shared(tmp_path_factory, "trained", make)


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[Path], Path]:
    """A copy of a workspace; each call makes another."""
    made = 0

    def copy(source: Path) -> Path:
        nonlocal made
        made += 1
        return portfolio.copied(source, tmp_path / f"workspace-{made}")

    return copy


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The address of a PostgreSQL database."""
    with postgres.running() as url:
        yield url


_schemas = itertools.count()


@pytest.fixture
def postgres_place(postgres_url: str) -> PostgresPlace:
    """A place for a journal in PostgreSQL that no other test has."""
    return PostgresPlace(postgres_url, f"journal_{next(_schemas)}")


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> JournalPlace:
    """A place for a journal of each kind."""
    if request.param == "sqlite":
        return tmp_path / ".riskseg" / "journal.db"
    at: PostgresPlace = request.getfixturevalue("postgres_place")
    return at
