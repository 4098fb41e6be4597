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
    listed_facts = []
    for listed_name, fact in session.facts.items():
        feature = session.catalogue.features.get(listed_name)
        window = "" if feature is None or feature.window is None else str(feature.window)
        window_text = f"{window} days" if window.isdigit() else window
        listed_facts.append(_listed(fact, window_text, None))
    for listed_name, missing_source in session.catalogue.lacking.items():
        listed_facts.append(
            _listed(session.catalogue.features[listed_name].fact, "", missing_source)
        )
    return FactList(tuple(listed_facts))


def _listed(fact: Fact, window: str, lacks: str | None) -> ListedFact:
    return ListedFact(fact=FactShown.model_validate(fact), window=window, lacks=lacks)
