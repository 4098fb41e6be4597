"""What is said of a run of `assign` beside its decisions: the manifest, and its entry in the
journal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import riskseg
from riskseg.pipeline.definitions import fingerprint
from riskseg.results.runs import Decisions
from riskseg.store.records import RunRecord
from riskseg.store.sinks import Written


def manifest(done: Decisions, sources: Mapping[str, str]) -> str:
    """The text of the manifest of a run, whose sources have these fingerprints."""
    content = {
        "run": done.run_id,
        "command": "assign",
        "riskseg": riskseg.__version__,
        "as_of": done.as_of.isoformat(),
        "file": done.place.rpartition("/")[2],
        "sha256": done.sha256,
        "rows": done.rows,
        "selection": None if done.selection is None else done.selection.model_dump(),
        "strategy": {
            "name": done.strategy.name,
            "version": done.strategy.version,
            "activated": done.activated,
            "default_values": {
                fact_name: default_value
                for fact_name, default_value in sorted(done.default_values.items())
            },
        },
        "models": dict(sorted(done.models.items())),
        "definitions": {
            "fingerprint": fingerprint(done.definitions),
            "changed_since_activation": list(done.redefined),
            "of": dict(done.definitions),
        },
        "sources": dict(sources),
        "accounts_from": None if done.accounts_from is None else done.accounts_from.model_dump(),
        "quarantined": dict(done.quarantined),
        "control_totals": done.control_totals.model_dump() if done.control_totals else None,
        "unmatched": list(done.unmatched),
        "accepted_feeds": list(done.accepted_feeds),
        "kept": done.kept,
        "differences": dict(done.differences),
    }
    return json.dumps(content, indent=2, default=str) + "\n"


def run_record(
    done: Decisions,
    decided: Written,
    arguments: Mapping[str, Any],
    sources: Mapping[str, str],
    at: datetime,
) -> RunRecord:
    """What the journal records of a run, which was given these `arguments` at this moment.
    `decided` is the file of all its decisions."""
    return RunRecord(
        run_id=done.run_id,
        command="assign",
        at=at,
        riskseg_version=riskseg.__version__,
        as_of=done.as_of,
        arguments=arguments,
        output=decided.output,
        output_sha256=decided.sha256,
        rows=decided.rows,
        strategy=done.strategy.version,
        models=dict(done.models),
        sources=dict(sources),
        activated=done.activated,
        definitions=dict(done.definitions),
    )
