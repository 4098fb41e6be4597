"""`features`: the catalogue, and what of it this workspace can compute."""

from __future__ import annotations

from pathlib import Path

from riskseg.domain.facts import Fact
from riskseg.pipeline.session import begin, open_checked, scratch_engine
from riskseg.results.workspace import FactList, FactShown, ListedFact


def features(root: Path) -> FactList:
    """Every fact a rule may name here, and the features that lack a source."""
    workspace = open_checked(root)
    with scratch_engine(workspace) as engine:
        session = begin(workspace, engine)
    listed = []
    for name, fact in session.facts.items():
        feature = session.catalogue.features.get(name)
        window = "" if feature is None or feature.window is None else str(feature.window)
        shown = f"{window} days" if window.isdigit() else window
        listed.append(_listed(fact, shown, None))
    for name, need in session.catalogue.lacking.items():
        listed.append(_listed(session.catalogue.features[name].fact, "", need))
    return FactList(tuple(listed))


def _listed(fact: Fact, window: str, lacks: str | None) -> ListedFact:
    return ListedFact(fact=FactShown.model_validate(fact), window=window, lacks=lacks)
