"""The page: one HTML file that needs nothing else, in the order a reader asks."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from riskseg.learning.evidence.model import Evidence
from riskseg.learning.manifest import Manifest
from riskseg.learning.reference import Reference
from riskseg.report.markup import Html, element, escaped, joined, paragraph
from riskseg.report.model_card.background import data, limits, purpose
from riskseg.report.model_card.development import making, record
from riskseg.report.model_card.fairness import groups
from riskseg.report.model_card.features import features
from riskseg.report.model_card.material import Material
from riskseg.report.model_card.points import points
from riskseg.report.model_card.quality import calibrated, performance
from riskseg.report.model_card.stability import over_time
from riskseg.report.model_card.verdict import heading, verdict

SECTIONS = (
    ("verdict", "The verdict", verdict),
    ("purpose", "What it is for", purpose),
    ("data", "The data", data),
    ("performance", "Discrimination", performance),
    ("calibrated", "Calibration", calibrated),
    ("time", "Stability over time", over_time),
    ("features", "Features and their effects", features),
    ("points", "Scorecard points", points),
    ("groups", "Fairness", groups),
    ("limits", "Known limits", limits),
    ("making", "Development", making),
    ("record", "Reproducibility", record),
)


def card(
    manifest: Manifest,
    evidence: Evidence,
    scorecard: Mapping[str, Any] | None,
    reference: Reference,
) -> str:
    """A model card as one HTML page: inline styles and SVG, no script, nothing fetched.

    `manifest` and `reference` are those of the artefact, `evidence` is its evidence.json,
    `scorecard` its table of points, or None where another learner ships. The same data give the
    same text.
    """
    model = Material(manifest, evidence, scorecard, reference)
    body = joined(
        element("section", element("h2", title), make(model), id=key)
        for key, title, make in SECTIONS
    )
    style = files("riskseg.report.model_card").joinpath("style.css").read_text(encoding="utf-8")
    title = escaped(f"{manifest.name}: model card")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f"{_contents(manifest.name)}\n"
        f"<main>\n{heading(model)}\n{body}\n</main>\n</body>\n</html>\n"
    )


def _contents(name: str) -> Html:
    links = (element("a", title, href=f"#{key}") for key, title, _ in SECTIONS)
    listed = element("ol", *(element("li", link) for link in links))
    return element("nav", paragraph(name, klass="brand"), listed, aria_label="Contents")
