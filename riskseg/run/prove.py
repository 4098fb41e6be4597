"""`strategy prove`: every property, for every account there could be. Reads only.

Whatever is refuted is tried on the engine: the account is decided by the SQL that decides real
ones, and only what that shows too is told as refuted.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from riskseg.pipeline.proving import PROVE, SECONDS, Proven, prove_checked
from riskseg.pipeline.session import LOAD
from riskseg.pipeline.stages import Progress, Stage
from riskseg.pipeline.strategy_versions import checked_editions
from riskseg.strategy.proof.written import margin_of

READ = Stage("read", "read and check the strategy")


def plan() -> list[Stage]:
    return [LOAD, READ, PROVE]


def prove(
    root: Path | None,
    name: str | None = None,
    *,
    here: Path | None = None,
    data: bool = True,
    seconds: float = SECONDS,
    with_notes: bool = False,
    progress: Progress | None = None,
) -> Proven:
    """Prove a strategy, each property within `seconds`: the workspace's own, or the one `name`
    names (see :mod:`riskseg.pipeline.strategy_versions`). Without a workspace (`root`) or `data`
    the facts are those that are declared. Notes take as long as all properties together, and are
    worked out only where asked for.

    Raises its Problems, and RS230 for one that cannot be found.
    """
    progress = progress or Progress()

    def loading() -> None:
        progress.reached(LOAD, 0, 1)

    with checked_editions(root, [name], here or Path.cwd(), data=data, loading=loading) as (
        source,
        (edition,),
    ):
        progress.reached(READ, 1, 2)
        done = prove_checked(
            source, edition.strategy, seconds=seconds, with_notes=with_notes, progress=progress
        )
        return replace(done, margin=margin_of(edition.texts.get("examples.yaml", "")))
