"""Legal frames of fairness: what the law of a place asks to be compared, as `legal_frames.yaml`
declares it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import yaml

from riskseg.results.insights.fairness import LegalFrame


@cache
def legal_frames() -> Mapping[str, LegalFrame]:
    """The frames by their names."""
    text = files("riskseg.insight").joinpath("legal_frames.yaml").read_text(encoding="utf-8")
    return {
        name: LegalFrame.model_validate({"name": name, **content})
        for name, content in yaml.safe_load(text).items()
    }
