"""How long strategies take to read, check, prove and decide by: the starters, and a long table.

    python bench/strategy.py [--rows 5000] [--accounts 1000000]

The long table has 8 columns of levels, attributes and bands; its rows overlap and none is
unreachable. Accounts are drawn at random, each fact by itself, so that as many combinations occur
as can. Prints seconds, how many properties were proved, and how many rows of the table decided
somebody; deciding is from facts and probabilities on, in one partition of a scratch file.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # the long table is that of the tests

from riskseg.domain.facts import Fact, Kind  # noqa: E402
from riskseg.domain.problems import Problems  # noqa: E402
from riskseg.domain.relations import Relation, fact_column, literal  # noqa: E402
from riskseg.engine import DuckDB  # noqa: E402
from riskseg.features.catalogue import read_catalogue  # noqa: E402
from riskseg.ledger.accounts import LIFECYCLE  # noqa: E402
from riskseg.pipeline.contracts import build  # noqa: E402
from riskseg.rules.model import Strategy  # noqa: E402
from riskseg.rules.proof_account import Granted  # noqa: E402
from riskseg.rules.sql import inner  # noqa: E402
from riskseg.strategy.authored import read_strategy  # noqa: E402
from riskseg.strategy.check import check_strategy  # noqa: E402
from riskseg.strategy.compile import compile_strategy  # noqa: E402
from riskseg.strategy.examples import TYPES  # noqa: E402
from riskseg.strategy.proof.ask import Asker  # noqa: E402
from riskseg.strategy.proof.prove import prove  # noqa: E402
from riskseg.treatment.episodes import EPISODE_STARTED_ON  # noqa: E402
from tests.support.tables import TABLE_FACTS, micro  # noqa: E402

AS_OF = date(2026, 3, 2)


def drawn(strategy: Strategy, accounts: int) -> Relation:
    """`scored` with so many accounts, in facts drawn at random."""
    columns = []
    for name, fact in strategy.facts.items():
        if name == "as_of":
            continue
        match fact.kind:
            case Kind.BOOLEAN:
                value = "random() < 0.3"
            case Kind.INTEGER:
                value = "floor(90 * pow(random(), 2))"
            case Kind.DATE:
                value = f"date '{AS_OF}' - cast(120 * random() as integer)"
            case Kind.LEVEL:
                levels = ", ".join(map(literal, fact.levels))
                value = f"(array[{levels}])[1 + cast(floor({len(fact.levels)} * random()) as int)]"
            case Kind.TEXT:
                value = "'text ' || cast(9 * random() as integer)"
            case _:
                value = "pow(random(), 2)" if fact.upper == 1 else "900 * pow(random(), 2)"
        typed = f"cast({value} as {TYPES[fact.kind]})"
        if fact.nullable:
            typed = f"case when random() > 0.1 then {typed} end"
        columns.append(f"{typed} as {fact_column(name)}")
    return Relation(
        "scored",
        f"select range as snap, date '{AS_OF}' as as_of, {', '.join(columns)} "
        f"from range({accounts})",
        materialized=True,
    )


def deciding(strategy: Strategy, accounts: int) -> tuple[float, int]:
    """(seconds to decide so many accounts, rows of the table that decided one)."""
    with tempfile.TemporaryDirectory() as folder, DuckDB(Path(folder) / "scratch") as engine:
        engine.run("select setseed(0.5)")
        build(engine, [drawn(strategy, accounts)])
        began = time.perf_counter()
        build(engine, compile_strategy(strategy, AS_OF))
        seconds = time.perf_counter() - began
        return seconds, engine.value(f"select count(distinct {inner('segment_row')}) from decided")


def measured(name: str, folder: Path, facts: Mapping[str, Fact], accounts: int) -> None:
    problems = Problems()
    began = time.perf_counter()
    authored = read_strategy(folder, problems, shown=name)
    read = time.perf_counter()
    problems.raise_if_any()
    assert authored is not None
    models = dict.fromkeys(authored.head.uses.values(), True)
    strategy = check_strategy(authored, facts, {}, models, problems)
    checked = time.perf_counter()
    problems.raise_if_any()
    assert strategy is not None
    results = list(prove(strategy, Granted(), Asker()))
    ended = time.perf_counter()
    proved = sum(r.verdict == "proved" for r in results)
    seconds, used = deciding(strategy, accounts)
    print(
        f"| {name} | {len(strategy.rows):,} | {read - began:.1f} | {checked - read:.1f} "
        f"| {ended - checked:.1f} | {proved:,} of {len(results):,} | {seconds:.1f} | {used:,} |",
        flush=True,
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=5_000)
    options.add_argument("--accounts", type=int, default=1_000_000)
    given = options.parse_args()
    print("| strategy | rows | read, s | check, s | prove, s | proved | decide, s | rows used |")
    print("|---|---|---|---|---|---|---|---|")
    own = {fact.name: fact for fact in (LIFECYCLE, EPISODE_STARTED_ON)}
    catalogue = read_catalogue(None, Problems())
    facts = own | {name: feature.fact for name, feature in catalogue.features.items()}
    for name in ("household-utility", "account-file"):
        measured(name, ROOT / "rules" / name, facts, given.accounts)
    with tempfile.TemporaryDirectory() as folder:
        for file, text in micro(given.rows).items():
            (Path(folder) / file).write_text(text, encoding="utf-8")
        measured("a long table", Path(folder), TABLE_FACTS, given.accounts)


if __name__ == "__main__":
    main()
