"""The workspace: one folder with a riskseg.toml, and what that file says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from riskseg.domain.documents import Document, read_toml
from riskseg.domain.problems import Problems, problem
from riskseg.workspace.addresses import check_no_password
from riskseg.workspace.authored import Top
from riskseg.workspace.sources import (
    FILE,
    Overlay,
    Source,
    read_overlays,
    read_sources,
    take_away_unknown,
)


@dataclass(frozen=True)
class Settings:
    """riskseg.toml, checked. Money is in `currency` with `scale` decimals. `outcomes` says how the
    columns of files of outcomes are named, as a source that is loaded from nowhere yet. Days are
    those of `timezone`; without one, an instant has no day. `journal_url` is the address of the
    database that keeps the journal as it was written, `${NAME}` standing for what the environment
    holds: None for the workspace's own file."""

    currency: str
    scale: int
    timezone: str | None
    arrears_from: Decimal
    promise_grace: int
    plan_grace: int
    broken_plan: Literal["resume", "re_age"]
    max_bad_rows: Decimal
    max_unmatched: Decimal
    max_alike: Decimal
    strategy: str
    models: str
    without_models: frozenset[str]
    threads: int | None
    memory: str
    partitions: int | None
    keep_staged: bool
    journal_url: str | None
    journal_schema: str
    fairness_frame: str
    sources: Mapping[str, Source]
    outcomes: Source
    overlays: Mapping[str, Overlay] = field(default_factory=dict)

    @property
    def every_source(self) -> dict[str, Source]:
        """The sources, and the overlays as `overlays.NAME`."""
        return {**self.sources, **{o.source.table: o.source for o in self.overlays.values()}}

    @property
    def arrears_from_minor(self) -> int:
        """`arrears_from` in minor units (pence, cents); nothing at all is never an arrear."""
        return max(1, int(self.arrears_from.scaleb(self.scale)))


@dataclass(frozen=True)
class Workspace:
    root: Path
    settings: Settings
    document: Document

    @property
    def state(self) -> Path:
        """What riskseg keeps for itself: the journal, quarantined rows, a run's scratch."""
        return self.root / ".riskseg"

    @property
    def journal(self) -> Path:
        return self.state / "journal.db"

    @property
    def strategy(self) -> Path:
        return self.root / self.settings.strategy

    @property
    def models(self) -> Path:
        return self.root / self.settings.models

    def shown(self, path: Path) -> str:
        """A path as a person in the workspace would write it."""
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)


def find(start: Path) -> Path:
    """The nearest folder upward that holds a riskseg.toml."""
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder
    raise problem(
        "RS001",
        f"There is no {FILE} in {start} or any folder above it.",
        hint="Make a workspace with `riskseg init DIR`, or name one with `riskseg -w DIR`.",
    )


def open_workspace(root: Path, problems: Problems) -> Workspace | None:
    """The workspace in `root`, or None after adding its Problems."""
    if not (root / FILE).is_file():
        problems.add(
            "RS001",
            f"There is no {FILE} in {root}.",
            hint="Make a workspace with `riskseg init DIR`.",
        )
        return None
    document = read_toml(root / FILE, problems, shown=FILE)
    if document is None:
        return None
    before = len(problems)
    take_away_unknown(document, problems)
    top = document.shaped(Top, problems)
    if top is None:
        return None
    sources = read_sources(top, document, root, problems)
    check_no_password(top.journal.url, document.at("journal", "url"), problems)
    overlays = read_overlays(top, document, problems)
    if len(problems) > before:
        return None
    settings = Settings(
        currency=top.workspace.currency,
        scale=top.workspace.scale,
        timezone=top.workspace.timezone,
        arrears_from=top.workspace.arrears_from,
        promise_grace=top.workspace.promise_grace,
        plan_grace=top.workspace.plan_grace,
        broken_plan=top.workspace.broken_plan,
        max_bad_rows=top.workspace.max_bad_rows,
        max_unmatched=top.workspace.max_unmatched,
        max_alike=top.workspace.max_alike,
        strategy=top.workspace.strategy,
        models=top.workspace.models,
        without_models=frozenset(top.workspace.without_models),
        threads=top.engine.threads,
        memory=top.engine.memory,
        partitions=top.engine.partitions,
        keep_staged=top.engine.keep_staged,
        journal_url=top.journal.url,
        journal_schema=top.journal.schema_,
        fairness_frame=top.fairness.frame,
        sources=MappingProxyType(sources),
        outcomes=Source(
            "outcomes",
            "",
            MappingProxyType(top.outcomes),
            {
                outcome_name: document.line("outcomes", outcome_name)
                for outcome_name in top.outcomes
            },
        ),
        overlays=MappingProxyType(overlays),
    )
    return Workspace(root.resolve(), settings, document)
