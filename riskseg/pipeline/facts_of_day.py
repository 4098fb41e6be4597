"""The facts of a day, and the probabilities worked out from them, kept for the next command: a team
that decides accounts in the morning lists what is due of them, and compares strategies all day."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date

from riskseg.domain.facts import Fact
from riskseg.domain.relations import fact_column, quoted
from riskseg.pipeline.decisions import make_facts, of_the_day
from riskseg.pipeline.events import events_fingerprint
from riskseg.pipeline.kept_rows import keep_rows, kept_rows
from riskseg.pipeline.models import Scorer
from riskseg.pipeline.scoring import score
from riskseg.pipeline.session import LedgerInEngine, Session

# Whoever tries one change after another may ask for other facts each time: the latest stay.
_SETS_KEPT = 2
_FACTS = "select * from facts"


def have_facts(
    source: Session | LedgerInEngine,
    wanted: Collection[str],
    as_of: date,
    accounts: tuple[int, int],
    read: Collection[str] | None = None,
) -> None:
    """Make the table `facts` as :func:`riskseg.pipeline.decisions.make_facts` does, and none of the
    tables before it: from what an earlier command kept of the same day, accounts and facts, or else
    anew, to be kept. Where they are kept, facts that are not `read` may be left out."""
    if not isinstance(source, Session):
        make_facts(source, wanted, as_of, *accounts)
        return

    def made() -> str:
        make_facts(source, wanted, as_of, *accounts)
        return _FACTS

    made_of = _made_of(source, wanted, as_of, accounts)
    with kept_rows(source, "facts", made_of, made, _most(source), _is_read(read)) as select:
        if select != _FACTS:
            source.engine.run(f"create or replace temp table facts as {select}")


def _is_read(read: Collection[str] | None) -> Callable[[str], bool]:
    """Whether a column of `facts` is no fact, or one that is read; without `read`, each is."""
    columns = None if read is None else {*map(fact_column, read)}
    return lambda column: columns is None or column[0] != "@" or quoted(column) in columns


def keep_facts(
    source: Session | LedgerInEngine,
    wanted: Collection[str],
    as_of: date,
    accounts: tuple[int, int],
) -> None:
    """Keep the table `facts`, which was made of these."""
    if isinstance(source, Session):
        made_of = _made_of(source, wanted, as_of, accounts)
        keep_rows(source, "facts", made_of, _FACTS, _most(source))


def have_scores(
    source: Session | LedgerInEngine,
    wanted: Collection[str],
    scorers: Mapping[str, Scorer],
    described: Mapping[str, Fact],
    as_of: date,
    accounts: tuple[int, int],
) -> dict[str, str]:
    """Tables (snap, p) of the probabilities of the accounts in `facts`, which are `described`,
    under the keys of their models. They are kept as facts are. Where a model has to be asked, all
    facts that are `wanted` are made first, if some were left out."""
    tables = {}
    for key, scorer in scorers.items():

        def made(name: str = scorer.model.name, scorer: Scorer = scorer) -> str:
            there = {"as_of", *map(quoted, source.engine.columns("facts"))}
            if not there.issuperset(map(fact_column, scorer.reads)):
                have_facts(source, wanted, as_of, accounts)
            return f"select * from {score(source.engine, name, scorer, described)}"

        if not isinstance(source, Session):
            tables[key] = score(source.engine, key, scorer, described)
            continue
        made_of = _made_of_scores(source, scorer, as_of, accounts)
        most = len(scorers) * _most(source)
        tables[key] = quoted(f"scores of {scorer.model.name}")
        with kept_rows(source, "scores", made_of, made, most) as select:
            source.engine.run(f"create or replace temp table {tables[key]} as {select}")
    return tables


def keep_scores(
    source: Session | LedgerInEngine,
    scorers: Mapping[str, Scorer],
    tables: Mapping[str, str],
    as_of: date,
    accounts: tuple[int, int],
) -> None:
    """Keep the tables of probabilities that models gave to the accounts in `facts`."""
    if isinstance(source, Session):
        for key, scorer in scorers.items():
            made_of = _made_of_scores(source, scorer, as_of, accounts)
            most = len(scorers) * _most(source)
            keep_rows(source, "scores", made_of, f"select * from {tables[key]}", most)


def _made_of_scores(
    session: Session, scorer: Scorer, as_of: date, accounts: tuple[int, int]
) -> list[str] | None:
    """What probabilities depend on, beside the sources and the definitions of the workspace."""
    made_of = _made_of(session, scorer.reads, as_of, accounts)
    return made_of and [*made_of, scorer.model.name, scorer.model.version]


def _most(session: Session) -> int:
    return _SETS_KEPT * len(session.partitions())


def _made_of(
    session: Session, wanted: Collection[str], as_of: date, accounts: tuple[int, int]
) -> list[str] | None:
    """What facts depend on, beside the sources and the definitions of the workspace. None where the
    ledger is not kept, and with overlays: they may be in a database, of which nothing tells whether
    it changed."""
    if session.ledger.kept is None or session.ledger.overlaid is not None:
        return None
    day = sorted(of_the_day(session.ledger, wanted, as_of).items())
    events = events_fingerprint(session.engine, as_of)
    return [f"{as_of} {accounts} {events} {day}", *sorted(wanted)]
