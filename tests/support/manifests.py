"""A manifest for tests of what reads one: everything in it may be replaced."""

from __future__ import annotations

from typing import Any

from riskseg.domain.problems import Problems
from riskseg.learning.manifest import Manifest
from riskseg.learning.spec import parse_spec

COUNTS = {"rows": 150, "bad": 30, "stands_for": 150.0, "parties": 100}
NUMBER = {
    "name": "x",
    "kind": "number",
    "words": "",
    "unit": "",
    "direction": 0,
    "family": "",
    "protected": False,
}


def manifest_json(spec: str = "target: {column: bad}", **parts: Any) -> dict[str, Any]:
    """What manifest.json holds of a scorecard; `spec` is the spec's text without its name."""
    authored = parse_spec(f"name: late\n{spec}\n", "late.yaml", Problems())
    assert authored is not None
    return {
        "format": 2,
        "name": "late",
        "spec": authored.spec.as_json(),
        "learner": "scorecard",
        "form": "classic",
        "champion": {"learner": "scorecard", "why": "It is the only learner."},
        "population": None,
        "features": [NUMBER],
        "dropped": {},
        "notes": [],
        "training": {**COUNTS, "from": None, "until": None},
        "hold_out": {**COUNTS, "from": None, "until": None},
        "metrics": {
            "scorecard": {"out_of_fold": None, "hold_out": None},
            "lightgbm": {"out_of_fold": None, "hold_out": None},
        },
        "fingerprints": {"data": "0"},
        "parent": None,
        "files": {},
        **parts,
    }


def manifest_of(spec: str = "target: {column: bad}", **parts: Any) -> Manifest:
    return Manifest.model_validate(manifest_json(spec, **parts))
