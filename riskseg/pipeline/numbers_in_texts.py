"""Attributes of an account file that are texts and hold numbers alone, as all of a CSV file are: a
model takes each number for a word of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.relations import fact_column
from riskseg.domain.words import first_few
from riskseg.engine import Engine
from riskseg.pipeline.load import Ledger

# Fewer different numbers than this may well be words: the codes of a list.
_LEAST = 10


def numbers_in_texts(engine: Engine, ledger: Ledger, facts: Mapping[str, Fact]) -> str | None:
    """A note of such attributes, where accounts are all that there is; None where there are none.
    Of what is declared, nothing is said; codes with leading zeros and ids are no numbers."""
    if ledger.billed or not ledger.listed:
        return None
    declared = ledger.sources["accounts"].declared
    texts = [
        name
        for name in ledger.attributes
        if name in facts and facts[name].kind is Kind.TEXT and name not in declared
    ]
    if not texts:
        return None
    measured = ", ".join(_measures(fact_column(name)) for name in texts)
    [[rows, *found]] = engine.rows(f"select count(*), {measured} from ledger_accounts")
    measures = [_Measures(*found[at : at + 5]) for at in range(0, len(found), 5)]
    numbers = [
        name
        for name, of in zip(texts, measures, strict=True)
        if of.known == of.numeric > 0
        and not of.coded
        and of.distinct >= _LEAST
        and (of.decimals or of.distinct < rows)
    ]
    if not numbers:
        return None
    are = "is text that holds" if len(numbers) == 1 else "are texts that hold"
    return (
        f"{first_few(numbers)} {are} numbers alone. Declare each under [source.accounts.columns], "
        'as in `NAME = {kind = "number"}`: a model takes each number for a word otherwise.'
    )


class _Measures(NamedTuple):
    """How many rows have a value, have a number, a code with a leading zero, a number with
    decimals; and how many different values there are."""

    known: int
    numeric: int
    coded: int
    decimals: int
    distinct: int


def _measures(column: str) -> str:
    value = f"nullif(trim({column}), '')"
    return (
        f"count({value}), count(try_cast({value} as double)), "
        f"count(*) filter (where regexp_matches({value}, '^0[0-9]')), "
        f"count(*) filter (where contains({value}, '.')), count(distinct {value})"
    )
