"""What `strategy show` and `strategy prove` print with --json: these keys stay as they are,
whatever becomes of the classes behind them."""

from __future__ import annotations

from typing import Any

from riskseg.pipeline.proving import Proven
from riskseg.rules.elements import Condition
from riskseg.rules.model import Path, Strategy
from riskseg.strategy.kinds import Included, Property


def strategy(s: Strategy) -> dict[str, Any]:
    """A strategy; expressions are texts, `null` for a row that takes everything else."""
    return {
        "name": s.name,
        "version": s.fingerprint,
        "purpose": s.purpose,
        "owner": s.owner,
        "effective_from": s.effective_from,
        "effective_to": s.effective_to,
        "folder": s.folder,
        "uses": s.uses,
        "bands": [
            {"name": b.name, "of": b.of, "cuts": [{"level": n, "below": up} for n, up in b.cuts]}
            for b in s.bands
        ],
        "tiers": [
            {
                "name": scheme.name,
                "rows": [{"tier": r.tier, **_condition("when", r.when)} for r in scheme.rows],
            }
            for scheme in s.schemes
        ],
        "columns": s.columns,
        "rows": [
            {"id": r.id, "match": [_cell(cell) for cell in r.cells], "segment": r.segment}
            for r in s.rows
        ],
        "actions": [
            {
                "name": a.name,
                "channel": a.channel,
                "contact": a.contact,
                "significant": a.significant,
                "helps": a.helps,
            }
            for a in s.actions
        ],
        "protective": s.protective,
        "paths": [_path(path) for path in s.paths],
        "guards": [guard.described() for guard in s.guards],
        "packs": [pack.described() for pack in s.of(Included)],
        "properties": [property_.described() for property_ in s.of(Property)],
        "priority": s.priority.text if s.priority else None,
        "examples": [{"name": e.name, "file": e.file, "line": e.line} for e in s.examples],
        "facts": sorted(s.facts),
        "defaults": s.default_values,
        "notes": s.notes,
    }


def proven(done: Proven) -> dict[str, Any]:
    """Every property by itself, with the accounts that break it and what is decided for them."""
    return {
        "strategy": {"name": done.strategy.name, "version": done.strategy.fingerprint},
        "verdict": done.proofs.verdict,
        "from_data": done.from_data,
        "granted": done.granted,
        "proofs": {
            "results": [
                {
                    "claim": r.claim,
                    "subject": r.subject,
                    "verdict": r.verdict,
                    "fault": r.fault,
                    "accounts": r.accounts,
                    "file": r.file,
                    "line": r.line,
                }
                for r in done.proofs.results
            ],
            "notes": [
                {"subject": n.subject, "what": n.what, "file": n.file, "line": n.line}
                for n in done.proofs.notes
            ],
        },
        "decisions": done.decisions,
    }


def _cell(cell: frozenset[str | bool] | None) -> list[str | bool] | str:
    return "any" if cell is None else sorted(cell, key=str)


def _condition(key: str, condition: Condition | None) -> dict[str, Any]:
    """A condition's text, and what an unknown counts as; `null` where it is never unknown."""
    if condition is None:
        return {key: None, "unknown": None}
    counts = "match" if condition.unknown else "skip"
    nullable = condition.expression.type.nullable
    return {key: condition.expression.text, "unknown": counts if nullable else None}


def _path(path: Path) -> dict[str, Any]:
    return {
        "name": path.name,
        "for": path.segments,
        "starts": path.starts.text,
        "steps": [{"day": p.day, "action": p.action, "template": p.template} for p in path.steps],
        "then": path.then or "stay",
        "ends_when": path.ends_when.expression.text if path.ends_when else None,
        "due_for": path.due_for,
        "effective_from": path.effective_from,
        "effective_to": path.effective_to,
    }
