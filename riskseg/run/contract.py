"""`contract`: the data contract of the workspace's sources, in the Open Data Contract Standard."""

from __future__ import annotations

import hashlib
from pathlib import Path

import yaml

from riskseg.domain.problems import Problems
from riskseg.pipeline.data_contract import STANDARD, data_contract
from riskseg.pipeline.outputs import check_output
from riskseg.pipeline.session import open_checked, scratch_engine
from riskseg.results.contract import DataContract
from riskseg.sources.describe import map_sources
from riskseg.store.files import write_beside


def contract(
    root: Path, out: Path | None, *, name: str | None = None, version: str = "1.0.0"
) -> DataContract:
    """The contract, written to a .yaml file where one is named. Its name is that of the workspace's
    folder unless another is given.

    Raises the Problems of sources that cannot be mapped, and RS010 for a place that cannot be
    written to.
    """
    workspace = open_checked(root)
    problems = Problems()
    if out is not None:
        check_output(workspace, out, problems, (".yaml", ".yml"))
    with scratch_engine(workspace) as engine:
        sources = map_sources(engine, workspace, problems)
    problems.raise_if_any()
    assert sources is not None
    described = data_contract(
        name or workspace.root.name,
        version,
        sources,
        workspace.settings.sources,
        workspace.settings.currency,
    )
    text = yaml.safe_dump(described, sort_keys=False, allow_unicode=True, width=100)
    content = text.encode()
    if out is not None:
        with write_beside(out, token="contract") as part:
            part.write_bytes(content)
    return DataContract(
        place=None if out is None else str(out),
        standard=STANDARD,
        objects=tuple((mapped.observes or mapped).table.name for mapped in sources.values()),
        sha256=hashlib.sha256(content).hexdigest(),
        text=text,
    )
