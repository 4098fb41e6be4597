"""`strategy diff`: what is different between two versions of a strategy. Reads only.

Which rows changed comes from the files (`strategy/changes.py`). Who moves comes from deciding
every account twice, from the very same facts and probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from riskseg.domain.problems import problem
from riskseg.insight.migration import DECIDE, Moves, moves
from riskseg.pipeline.fact_source import is_from_data
from riskseg.pipeline.proving import SECONDS, usual, warranted
from riskseg.pipeline.session import LOAD, Session
from riskseg.pipeline.stages import Progress, Stage
from riskseg.pipeline.strategy_versions import checked_editions
from riskseg.rules.model import Strategy
from riskseg.strategy.changes import Change, changes
from riskseg.strategy.proof.ask import Asker
from riskseg.strategy.proof.difference import Meaning, meaning

READ = Stage("read", "read and check both strategies, compare their rows")
MEAN = Stage("mean", "ask for an account that gets another segment, path or action")


@dataclass(frozen=True)
class Version:
    """`where` is the folder, as a person in the workspace would write it, or the version as the
    journal knows it."""

    name: str
    fingerprint: str
    where: str


@dataclass(frozen=True)
class Difference:
    """`changes` of the files, what they mean for every account there could be, and who `moves`
    of those there are; the last only where a date was given."""

    old: Version
    new: Version
    changes: tuple[Change, ...]
    meaning: Meaning
    moves: Moves | None
    from_data: bool = True


def diff(
    root: Path | None,
    old: str,
    new: str | None = None,
    *,
    here: Path,
    as_of: date | None = None,
    data: bool = True,
    seconds: float = SECONDS,
    progress: Progress | None = None,
) -> Difference:
    """Compare two versions (see :mod:`riskseg.pipeline.strategy_versions`); without `new`, the old
    one with the workspace's own. Without a workspace (`root`) or `data` the facts are those that
    are declared, and there are no accounts that could move.

    Raises the Problems of both together, RS230 for a version that cannot be found, and RS602 for
    a date without data.
    """
    progress = progress or Progress()
    if as_of is not None and (root is None or not data):
        told = "Who moves as of a date can be told only of accounts, and there are none here."
        raise problem("RS602", told, hint="Leave --as-of out, or name a workspace with its data.")

    def loading() -> None:
        progress.reached(LOAD, 0, 1)

    with checked_editions(root, [old, new], here, data=data, loading=loading) as (
        source,
        (one, other),
    ):
        progress.reached(READ, 1, 2)
        strategies = one.strategy, other.strategy
        progress.reached(MEAN, 2, 3)
        meant = meaning(
            *strategies, warranted(source, strategies), Asker(seconds, usual(strategies[1]))
        )
        moved = None
        if as_of is not None:
            assert isinstance(source, Session)
            moved = moves(
                source,
                strategies,
                as_of,
                lambda done, of: progress.reached(DECIDE, 3 + done, 3 + of),
            )
        return Difference(
            old=_version(strategies[0]),
            new=_version(strategies[1]),
            changes=changes(one, other),
            meaning=meant,
            moves=moved,
            from_data=is_from_data(source),
        )


def _version(strategy: Strategy) -> Version:
    return Version(strategy.name, strategy.fingerprint, strategy.folder)
