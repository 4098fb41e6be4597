"""The use cases, one module each. A module is loaded when it is first asked for."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from riskseg.run import (
        account_events,
        activate,
        ageing,
        approve,
        assign,
        bins,
        check,
        compare,
        contract,
        diff,
        explain,
        export,
        features,
        generate,
        history,
        import_card,
        init,
        insight,
        journal_move,
        known_names,
        match,
        measuring,
        metrics,
        models,
        outcomes,
        prove,
        recalibrate,
        register,
        rehearse,
        replay,
        report,
        retention,
        schemas,
        score,
        sheets,
        strategy,
        strategy_export,
        strategy_facts,
        train,
        worklist,
    )

    __all__ = [
        "account_events",
        "activate",
        "ageing",
        "approve",
        "assign",
        "bins",
        "check",
        "compare",
        "contract",
        "diff",
        "explain",
        "export",
        "features",
        "generate",
        "history",
        "import_card",
        "init",
        "insight",
        "journal_move",
        "known_names",
        "match",
        "measuring",
        "metrics",
        "models",
        "outcomes",
        "prove",
        "recalibrate",
        "register",
        "rehearse",
        "replay",
        "report",
        "retention",
        "schemas",
        "score",
        "sheets",
        "strategy",
        "strategy_export",
        "strategy_facts",
        "train",
        "worklist",
    ]


def __getattr__(name: str) -> ModuleType:
    if find_spec(f"{__name__}.{name}") is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.{name}")
