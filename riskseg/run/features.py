"""`features`: the catalogue, and what of it this workspace can compute."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from riskseg.domain.facts import Fact
from riskseg.pipeline.session import begin, open_checked, scratch_engine


@dataclass(frozen=True)
class Listed:
    """`lacks` is the source a feature would need; None where it is available."""

    fact: Fact
    window: str
    lacks: str | None


def features(root: Path) -> list[Listed]:
    """Every fact a rule may name here, and the features that lack a source."""
    workspace = open_checked(root)
    with scratch_engine(workspace) as engine:
        session = begin(workspace, engine)
    found = []
    for name, fact in session.facts.items():
        feature = session.catalogue.features.get(name)
        window = "" if feature is None or feature.window is None else str(feature.window)
        found.append(Listed(fact, f"{window} days" if window.isdigit() else window, None))
    for name, need in session.catalogue.lacking.items():
        found.append(Listed(session.catalogue.features[name].fact, "", need))
    return found
