"""Ids that meet nothing: counted with the likely reason, and refused past a share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import product

from riskseg.domain.problems import Problems
from riskseg.domain.relations import literal
from riskseg.domain.words import counted, with_article
from riskseg.engine import Engine
from riskseg.ledger.doubled import BY_CHANCE, can_be_doubled, doubled_sql, looks_doubled_sql
from riskseg.ledger.keys import (
    TWO_SPELLINGS,
    Key,
    Reason,
    ids_sql,
    keys_of,
    reasons,
    unmet_count_sql,
    unmet_reasons_sql,
)
from riskseg.ledger.mapping import Mapped
from riskseg.pipeline.quarantine import BadRows
from riskseg.pipeline.staged_answers import StagedAnswers
from riskseg.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Explained:
    """How many ids would meet another under some spelling, the first of them, and the line of which
    source brings it about, if one does."""

    reason: Reason
    rows: int
    example: str
    cure: str | None = None


@dataclass(frozen=True, slots=True)
class UnmetKey:
    """Rows that name an id, how many of them meet none, and why that is likely; `example` is an id
    for which no reason was found."""

    key: Key
    rows: int
    unmet: int
    explained: tuple[Explained, ...]
    example: str | None

    def __str__(self) -> str:
        examples = [*(e.example for e in self.explained[:1]), self.example][:1]
        shown = "".join(f' (for instance "{example}")' for example in examples if example)
        why = f": {self.whys}" if self.explained else ""
        of = self.key.kind
        return (
            f"In {self.key.table}, {self.unmet:,} of {counted(self.rows, 'row')} that name "
            f"{with_article(of)} name none of {self.key.owner}{shown}{why}."
        )

    @property
    def whys(self) -> str:
        return ", ".join(f"{e.rows:,} would match {e.reason.words}" for e in self.explained)

    @property
    def cure(self) -> str:
        """A line of riskseg.toml that would help, as the beginning of a hint."""
        cure = next((e.cure for e in self.explained if e.cure), None)
        return f"{cure}, say. " if cure else ""

    @property
    def explained_rows(self) -> int:
        return sum(e.rows for e in self.explained)


def unmet_keys(
    engine: Engine, answers: StagedAnswers, sources: Mapping[str, Mapped], *, texts: bool
) -> tuple[UnmetKey, ...]:
    """The keys of staged sources of which any meets nothing. `texts` as in :func:`load`."""
    found = []
    for key in keys_of(sources):
        rows, unmet = answers.rows(unmet_count_sql(key, texts=texts))[0]
        if unmet:
            found.append(_explained(engine, sources, key, rows))
    return tuple(unmet_key for unmet_key in found if unmet_key.unmet)


def _explained(engine: Engine, sources: Mapping[str, Mapped], key: Key, rows: int) -> UnmetKey:
    counts = engine.rows(unmet_reasons_sql(key, sources[key.table], sources[key.meets]))
    explained = tuple(
        Explained(reason, count, example, _cure(engine, sources, key, reason, example))
        for number, count, example in counts
        if number
        for reason in [reasons(key.kind)[number - 1]]
    )
    example = next((example for number, _, example in counts if not number), None)
    unmet = sum(count for _, count, _ in counts)
    return UnmetKey(key, rows, unmet, explained, example)


def _cure(
    engine: Engine, sources: Mapping[str, Mapped], key: Key, reason: Reason, example: str
) -> str | None:
    """The line of riskseg.toml by which the example meets another: of the ids that name others, or
    of those that are named."""
    ids, id_named = ids_sql(key.names, sources[key.meets]), literal(example)
    sides = ((key.table, key.column, id_named, "id"), (key.meets, key.names, "id", id_named))
    for (table, column, mapped_id, other_id), mapping in product(sides, reason.mappings):
        meets = f"{mapping.format(id=mapped_id)} = {other_id}"
        if engine.value(f"select exists (select 1 from ({ids}) where {meets})"):
            read = mapping.format(id=sources[table].columns[column])
            # A string of JSON is one of TOML: backslashes and quotes stand in it as they should.
            line = f"{column} = {json.dumps(read, ensure_ascii=False)}"
            return f"Map it in [source.{table}]: `{line}`"
    return None


def with_likely_reasons(bad: Sequence[BadRows], unmet: tuple[UnmetKey, ...]) -> list[BadRows]:
    """The bad rows, where they name ids that meet nothing with the likely reason."""
    explained = {
        (unmet_key.key.table, unmet_key.key.checked): unmet_key
        for unmet_key in unmet
        if unmet_key.explained
    }
    rows = []
    for group in bad:
        unmet_key = explained.get((group.table, group.fault.code))
        if unmet_key is not None:
            hint = f"{unmet_key.whys}. {unmet_key.cure}{group.fault.hint}"
            group = replace(group, fault=replace(group.fault, hint=hint))
        rows.append(group)
    return rows


def check_keys(workspace: Workspace, unmet: tuple[UnmetKey, ...], problems: Problems) -> None:
    """Add RS112 for each key of which more meet nothing than `max_unmatched` allows.

    Rows of accounts that `accounts` does not list are bad rows of their own (RS106), and so are
    reversals of no payment (RS110). Without such a
    list an account may well pay that has no bill yet, and only ids that would match in another
    spelling count, unless most meet nothing."""
    most = workspace.settings.max_unmatched
    for unmet_key in unmet:
        key = unmet_key.key
        if key.checked:
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
    allowed = f"max_unmatched in [workspace] allows {most:%} of the rows; raise it if it is right."
    return f"{unmet_key.cure}{allowed}"


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
    answers: StagedAnswers, workspace: Workspace, sources: Mapping[str, Mapped], problems: Problems
) -> tuple[str, ...]:
    """Add RS111 for each source of which more rows than `max_alike` allows are alike but for their
    id. The notes are of those of which fewer are, and more than by chance."""
    notes = []
    most = workspace.settings.max_alike
    for table, mapped in sources.items():
        if not can_be_doubled(mapped) or not answers.value(looks_doubled_sql(mapped)):
            continue
        rows, doubled = answers.rows(doubled_sql(mapped))[0]
        message = (
            f"In {table}, {doubled:,} of {rows:,} rows stand there more than once, alike in "
            f"everything but their id."
        )
        source = workspace.settings.sources[table]
        if doubled > most * rows:
            problems.add(
                "RS111",
                message,
                file=source.file,
                line=source.lines.get("from"),
                hint="See whether a file was loaded two times, or is in two folders of `from`. "
                f"max_alike in [workspace] allows {most:%} of the rows; raise it if they are "
                "right.",
            )
        elif doubled >= BY_CHANCE * rows:
            notes.append(f"{message} See whether rows were loaded two times.")
    return tuple(notes)
