"""Spark where it is not installed."""

from __future__ import annotations

import sys

import pytest

from riskseg.domain.problems import ProblemsError
from riskseg.pipeline.on_spark import spark_at


def test_without_pyspark_a_problem_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "riskseg.engine.spark", None)
    with pytest.raises(ProblemsError, match=r"RS024.*riskseg\[spark\]"):
        spark_at("local[1]")
