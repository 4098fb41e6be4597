"""Workspaces made once for all workers of a session; each test breaks a copy of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from riskseg.run.train import train
from tests.support import portfolio
from tests.support.shared import shared


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
