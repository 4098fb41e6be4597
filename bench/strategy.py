"""How long strategies take to read, check and prove: the starters, and a very long table.

    python bench/strategy.py [--rows 5000]

The long table has 8 columns of levels, attributes and bands; its rows overlap and none is
unreachable. Prints seconds, and how many properties were proved.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # the long table is that of the tests

from riskseg.domain.facts import Fact  # noqa: E402
from riskseg.domain.problems import Problems  # noqa: E402
from riskseg.features.catalogue import read_catalogue  # noqa: E402
from riskseg.ledger.accounts import LIFECYCLE  # noqa: E402
from riskseg.strategy.authored import read_strategy  # noqa: E402
from riskseg.strategy.check import check_strategy  # noqa: E402
from riskseg.strategy.proof.account import Granted  # noqa: E402
from riskseg.strategy.proof.ask import Asker  # noqa: E402
from riskseg.strategy.proof.prove import prove  # noqa: E402
from riskseg.treatment.episodes import EPISODE_STARTED_ON  # noqa: E402
from tests.support.tables import TABLE_FACTS, micro  # noqa: E402


def measured(name: str, folder: Path, facts: Mapping[str, Fact]) -> None:
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
    print(
        f"| {name} | {len(strategy.rows):,} | {read - began:.1f} | {checked - read:.1f} "
        f"| {ended - checked:.1f} | {proved:,} of {len(results):,} |",
        flush=True,
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=5_000)
    given = options.parse_args()
    print("| strategy | rows | read, s | check, s | prove, s | proved |")
    print("|---|---|---|---|---|---|")
    own = {fact.name: fact for fact in (LIFECYCLE, EPISODE_STARTED_ON)}
    catalogue = read_catalogue(None, Problems())
    facts = own | {name: feature.fact for name, feature in catalogue.features.items()}
    for name in ("household-utility", "account-file"):
        measured(name, ROOT / "rules" / name, facts)
    with tempfile.TemporaryDirectory() as folder:
        for file, text in micro(given.rows).items():
            (Path(folder) / file).write_text(text, encoding="utf-8")
        measured("a long table", Path(folder), TABLE_FACTS)


if __name__ == "__main__":
    main()
