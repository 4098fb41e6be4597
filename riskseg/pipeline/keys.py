"""Ids that meet nothing: counted with the likely reason, and refused past a share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from riskseg.domain.problems import Problems
from riskseg.domain.words import counted, with_article
from riskseg.engine import Engine
from riskseg.ledger.doubled import NEARLY_ALL, can_be_doubled, doubled_sql, looks_doubled_sql
from riskseg.ledger.keys import (
    TWO_SPELLINGS,
    Key,
    Reason,
    keys_of,
    reasons,
    unmet_count_sql,
    unmet_reasons_sql,
)
from riskseg.ledger.mapping import Mapped
from riskseg.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Explained:
    """How many ids would meet another under some spelling, and the first of them."""

    reason: Reason
    rows: int
    example: str


@dataclass(frozen=True, slots=True)
class UnmetKey:
    """Rows that name an id, how many of them meet none, and why that is likely; `example` is an id
    for which no reason was found."""

    key: Key
    rows: int
    unmet: int
    explained: tuple[Explained, ...]
    example: str | None
    expression: str
    """What the column is read from, as SQL."""

    def __str__(self) -> str:
        examples = [*(e.example for e in self.explained[:1]), self.example][:1]
        shown = "".join(f' (for instance "{example}")' for example in examples if example)
        whys = [f"{e.rows:,} would match {e.reason.words}" for e in self.explained]
        why = f": {', '.join(whys)}" if whys else ""
        of = self.key.column.removesuffix("_id")
        return (
            f"In {self.key.table}, {self.unmet:,} of {counted(self.rows, 'row')} that name "
            f"{with_article(of)} name none of {self.key.owner}{shown}{why}."
        )

    @property
    def explained_rows(self) -> int:
        return sum(e.rows for e in self.explained)


def unmet_keys(
    engine: Engine, sources: Mapping[str, Mapped], *, texts: bool
) -> tuple[UnmetKey, ...]:
    """The keys of staged sources of which any meets nothing. `texts` as in :func:`load`."""
    found = []
    for key in keys_of(sources):
        rows, unmet = engine.rows(unmet_count_sql(key, texts=texts))[0]
        if unmet:
            found.append(_explained(engine, sources, key, rows))
    return tuple(unmet_key for unmet_key in found if unmet_key.unmet)


def _explained(engine: Engine, sources: Mapping[str, Mapped], key: Key, rows: int) -> UnmetKey:
    counts = engine.rows(unmet_reasons_sql(key, sources[key.table], sources[key.meets]))
    explained = tuple(
        Explained(reasons()[number - 1], count, example)
        for number, count, example in counts
        if number
    )
    example = next((example for number, _, example in counts if not number), None)
    unmet = sum(count for _, count, _ in counts)
    expression = sources[key.table].columns[key.column]
    return UnmetKey(key, rows, unmet, explained, example, expression)


def check_keys(workspace: Workspace, unmet: tuple[UnmetKey, ...], problems: Problems) -> None:
    """Add RS112 for each key of which more meet nothing than `max_unmatched` allows.

    Rows of accounts that `accounts` does not list are bad rows of their own (RS106). Without such a
    list an account may well pay that has no bill yet, and only ids that would match in another
    spelling count, unless most meet nothing."""
    most = workspace.settings.max_unmatched
    for unmet_key in unmet:
        key = unmet_key.key
        if key.column == "account_id" and key.meets == "accounts":
            continue
        of_accounts = key.column == "account_id" and 2 * unmet_key.unmet <= unmet_key.rows
        counting = unmet_key.explained_rows if of_accounts else unmet_key.unmet
        if counting > most * unmet_key.rows:
            source = workspace.settings.sources[key.table]
            problems.add(
                "RS112",
                str(unmet_key),
                file=source.file,
                line=source.lines.get(key.column) or source.lines.get("from"),
                hint=_hint(unmet_key, most),
            )


def _hint(unmet_key: UnmetKey, most: Decimal) -> str:
    column = unmet_key.key.column
    mappings = [e.reason.mapping.format(id=unmet_key.expression) for e in unmet_key.explained]
    usable = next(filter(None, mappings), None)
    # A string of JSON is one of TOML: backslashes and quotes stand in it as they should.
    line = f"{column} = {json.dumps(usable, ensure_ascii=False)}"
    cure = f"Map it in [source.{unmet_key.key.table}]: `{line}`, say. " if usable else ""
    return (
        f"{cure}max_unmatched in [workspace] allows {most:%} of the rows; raise it if it is right."
    )


def two_spellings(engine: Engine) -> str | None:
    """A note of accounts whose ids are one but for their spelling, if there are any."""
    accounts, first, second = engine.rows(TWO_SPELLINGS)[0]
    if not accounts:
        return None
    return (
        f"{accounts:,} account ids differ from another only in blanks, letter case, leading zeros "
        f'or decimals, as "{first}" and "{second}" do: each is an account of its own.'
    )


def check_doubled(
    engine: Engine, workspace: Workspace, sources: Mapping[str, Mapped], problems: Problems
) -> None:
    """Add RS111 for each source whose rows have no ids and of which nearly every one stands there
    twice."""
    for table, mapped in sources.items():
        if not can_be_doubled(mapped) or not engine.value(looks_doubled_sql(mapped)):
            continue
        rows, doubled = engine.rows(doubled_sql(mapped))[0]
        if doubled < NEARLY_ALL * rows:
            continue
        source = workspace.settings.sources[table]
        ids = " If they are right, give each its payment_id." if table == "payments" else ""
        problems.add(
            "RS111",
            f"In {table}, {doubled:,} of {rows:,} rows stand there more than once, alike in every "
            "column.",
            file=source.file,
            line=source.lines.get("from"),
            hint=f"See whether a file was loaded two times, or is in two folders of `from`.{ids}",
        )
