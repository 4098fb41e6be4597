"""`strategy diff`: what is different between two versions of a strategy. Reads only.

Which rows changed comes from the files (`strategy/changes.py`). Who moves comes from deciding
every account twice, from the very same facts and probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from riskseg.domain.problems import Problems
from riskseg.run.editions import found, read
from riskseg.run.moves import DECIDE, Moves, moves
from riskseg.run.prove import SECONDS, usual, warranted
from riskseg.run.session import LOAD, begin, open_checked, scratch_engine
from riskseg.run.stages import Progress, Stage
from riskseg.strategy.changes import Change, changes
from riskseg.strategy.checked import Strategy
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


def diff(
    root: Path,
    old: str,
    new: str | None = None,
    *,
    here: Path,
    as_of: date | None = None,
    seconds: float = SECONDS,
    progress: Progress | None = None,
) -> Difference:
    """Compare two versions, each a folder (relative to `here` or to the workspace) or a version
    in the journal; without `new`, the old one with the workspace's folder.

    Raises the Problems of both together, and RS230 for a version that cannot be found.
    """
    progress = progress or Progress()
    workspace = open_checked(root)
    problems = Problems()
    named = [found(workspace, here, name, problems) for name in (old, new)]
    problems.raise_if_any()
    texts = [text for text in named if text is not None]
    with scratch_engine(workspace) as engine:
        progress.reached(LOAD, 0, 1)
        session = begin(workspace, engine)
        progress.reached(READ, 1, 2)
        editions = [read(session, text, problems) for text in texts]
        problems.raise_if_any()
        one, other = (edition for edition in editions if edition is not None)
        strategies = one.strategy, other.strategy
        progress.reached(MEAN, 2, 3)
        meant = meaning(
            *strategies, warranted(session, strategies), Asker(seconds, usual(strategies[1]))
        )
        moved = None
        if as_of is not None:
            moved = moves(
                session,
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
    )


def _version(strategy: Strategy) -> Version:
    return Version(strategy.name, strategy.fingerprint, strategy.folder)
