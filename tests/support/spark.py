"""Whether Apache Spark can be started here."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec

import pytest


def lacking() -> list[str]:
    """What Spark needs and is not installed."""
    found = [] if find_spec("pyspark") else ["pyspark (pip install 'riskseg[spark]')"]
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        found.append("Java 17 (Debian: openjdk-17-jre-headless)")
    return found


def required() -> None:
    """Skip a test where what Spark needs is not installed; in CI, fail."""
    if not lacking():
        return
    message = f"Spark needs {' and '.join(lacking())}, which is not installed."
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
