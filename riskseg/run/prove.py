"""`strategy prove`: every property, for every account there could be. Reads only.

Whatever is refuted is tried on the engine: the account is decided by the SQL that decides real
ones, and only what that shows too is reported as refuted.
"""

from __future__ import annotations

from pathlib import Path

from riskseg.pipeline.proving import PROVE, SECONDS, prove_checked
from riskseg.pipeline.stages import Plan, Progress
from riskseg.pipeline.strategy_versions import VersionsJob, checking
from riskseg.results.strategies import ProofResults, StrategyProof
from riskseg.strategy.described import version_of
from riskseg.strategy.proof.example_text import margin_of


class _Proving(VersionsJob):
    """What a run of `strategy prove` holds while it is carried out."""

    seconds: float
    with_notes: bool

    def prove(self) -> None:
        [edition] = self.editions
        proven = prove_checked(
            self.source,
            edition.strategy,
            seconds=self.seconds,
            with_notes=self.with_notes,
            progress=self.progress,
        )
        self.done = StrategyProof(
            strategy=version_of(proven.strategy),
            verdict=proven.proofs.verdict,
            from_data=proven.from_data,
            granted=proven.granted,
            proofs=ProofResults.model_validate(proven.proofs),
            decisions=proven.decisions,
            margin=margin_of(edition.texts.get("examples.yaml", "")),
        )


def plan(*, data: bool = True) -> Plan:
    """What `strategy prove` carries out; with `data`, a workspace's are loaded."""
    return [*checking(_Proving, data=data), PROVE.by(_Proving.prove)]


def prove(
    root: Path | None,
    name: str | None = None,
    *,
    here: Path | None = None,
    data: bool = True,
    seconds: float = SECONDS,
    with_notes: bool = False,
    progress: Progress | None = None,
) -> StrategyProof:
    """Prove a strategy, each property within `seconds`: the workspace's own, or the one `name`
    names (see :mod:`riskseg.pipeline.strategy_versions`). Without a workspace (`root`) or `data`
    the facts are those that are declared. Notes take as long as all properties together, and are
    worked out only where asked for.

    Raises its Problems, and RS230 for one that cannot be found.
    """
    job = _Proving(root, [name], here or Path.cwd(), data=data, progress=progress)
    job.seconds, job.with_notes = seconds, with_notes
    job.carry_out(plan(data=job.data))
    return job.done
