"""The JSON Schema of what every command prints with `--json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import models_json_schema

from riskseg.results import (
    ageing,
    contract,
    journal,
    model_comparison,
    models,
    rehearsal,
    replay,
    runs,
    sheets,
    strategies,
    strategy_difference,
    strategy_shown,
    worklist,
    workspace,
)
from riskseg.results.insights.answers import ANSWERS
from riskseg.results.insights.report import SegmentReport
from riskseg.results.insights.result import InsightResult
from riskseg.results.metrics import RunMetrics
from riskseg.results.strategy_export import FactTable, StrategyExport

# What each command prints with --json, where it ends without Problems.
COMMANDS: Mapping[str, type[Any]] = {
    "init": workspace.NewWorkspace,
    "demo": workspace.Demo,
    "generate": workspace.Portfolio,
    "check": workspace.Check,
    "contract": contract.DataContract,
    "features": workspace.FactList,
    "train": models.Training,
    "score": runs.Scores,
    "assign": runs.Decisions,
    "ageing": ageing.Ageing,
    "insight": InsightResult,
    "report": SegmentReport,
    "explain": runs.Explanation,
    "replay": replay.Replay,
    "rehearse": rehearsal.Rehearsal,
    "history": worklist.History,
    "hold": worklist.RecordedEvent,
    "promise": worklist.RecordedEvent,
    "plan": worklist.RecordedEvent,
    "dispute": worklist.RecordedEvent,
    "note": worklist.RecordedEvent,
    "worklist": worklist.Worklist,
    "worklist issue": worklist.Worklist,
    "worklist done": worklist.RecordedOutcomes,
    "worklist approve": worklist.Approvals,
    "worklist reject": worklist.Approvals,
    "models": models.ModelVersions,
    "models show": models.ModelSummary,
    "models bins": models.ModelBins,
    "models promote": models.Promotion,
    "models register": models.Registration,
    "models import": models.ImportedCard,
    "models card": models.ModelCard,
    "models export": models.ModelExport,
    "models compare": model_comparison.Comparison,
    "models recalibrate": models.Recalibration,
    "strategy check": strategies.StrategyCheck,
    "strategy test": strategies.StrategyTest,
    "strategy prove": strategies.StrategyProof,
    "strategy show": strategy_shown.StrategyShown,
    "strategy export": StrategyExport,
    "strategy facts": FactTable,
    "strategy diff": strategy_difference.StrategyDifference,
    "strategy activate": strategies.Activation,
    "strategy versions": strategies.Activations,
    "strategy schema": strategies.EditorSchemas,
    "strategy sheet export": sheets.SheetExport,
    "strategy sheet import": sheets.SheetImport,
    "journal show": journal.JournalEntries,
    "journal prune": journal.Pruning,
    "journal erase": journal.Erasure,
    "journal move": journal.JournalMove,
}


def json_schema() -> dict[str, Any]:
    """One schema for all. `commands` has the schema of what each command prints, by its words,
    `answers` that of the `answer` of each question of `insight`, `metrics` that of the file that
    `--metrics` writes, and `problems` that of what any of
    them prints where it ends with Problems; all refer to `$defs`.
    """
    schema_requests = [
        (result, "serialization") for result in (*COMMANDS.values(), *ANSWERS.values(), RunMetrics)
    ]
    references, schema = models_json_schema(schema_requests, ref_template="#/$defs/{model}")  # type: ignore[arg-type]
    del schema["$defs"]["Problem"]  # what a result holds of one is written as a ProblemEntry
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What riskseg prints with --json",
        "commands": {
            command: references[result, "serialization"] for command, result in COMMANDS.items()
        },
        "answers": {
            question: references[answer, "serialization"] for question, answer in ANSWERS.items()
        },
        "metrics": references[RunMetrics, "serialization"],
        "problems": {
            "type": "object",
            "properties": {
                "problems": {"type": "array", "items": {"$ref": "#/$defs/ProblemEntry"}}
            },
            "required": ["problems"],
        },
        "$defs": schema["$defs"],
    }
