"""Whether Apache Spark can be started here."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec

import pytest


def required() -> None:
    """Skip a test where what Spark needs is not installed; in CI, fail."""
    lacking = [] if find_spec("pyspark") else ["pyspark (pip install 'riskseg[spark]')"]
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        lacking.append("Java 17 (Debian: openjdk-17-jre-headless)")
    if not lacking:
        return
    message = f"Spark needs {' and '.join(lacking)}, which is not installed."
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
