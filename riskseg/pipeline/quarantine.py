"""Bad rows: found, pointed at, counted, refused where there are too many, and set apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from riskseg.domain import row_reasons
from riskseg.domain.problems import Problem, Problems
from riskseg.domain.relations import fact_column, literal, quoted
from riskseg.engine import Engine
from riskseg.ledger.checks import DUPLICATE, ORPHAN, Fault, hint_for
from riskseg.ledger.every_fault import faults_table
from riskseg.ledger.mapping import Mapped
from riskseg.ledger.reversals import ORPHANS
from riskseg.ledger.staging import bad_rows_table, duplicates_sql, original_rows_sql, suspects_sql
from riskseg.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

# As many characters of a bad value as a message shows, and as many words that are not allowed.
_MOST_SHOWN, _MOST_WORDS = 40, 8
# A word that its column does not allow, and an account that is not in accounts.
_NOT_ALLOWED, _NO_ACCOUNT = "RS107", "RS106"


@dataclass(frozen=True)
class BadRows:
    """Rows of one table that fail one check; `first` is the number of the first, from 1. A row may
    fail several: those of all groups that are `counted_here` add up to the bad rows of the table.

    `file` and `line` are where the first stands; the line is None where it is not known. `value` is
    what it holds in the column that is wrong, as a text; None where that is nothing. `words` are
    all that stand in a column of words and are not allowed there, with their rows.
    """

    table: str
    fault: Fault
    file: str
    count: int
    counted_here: int
    first: int
    line: int | None
    value: str | None = None
    words: tuple[tuple[str, int], ...] = ()

    def as_problem(self) -> Problem:
        rows_text = "1 row" if self.count == 1 else f"{self.count} rows"
        if self.line is None:
            rows_text += (
                f", {'' if self.count == 1 else 'the first is '}row {self.first} of all files"
            )
        elif self.count > 1:
            rows_text += ", the first of which is here"
        value = "" if self.value is None else f": {_shown(self.value)}"
        if len(self.words) > 1:
            value = f": {', '.join(f'{_shown(word)} {count:,}' for word, count in self.words)}"
            value += ", …" if len(self.words) == _MOST_WORDS else ""
        return Problem(
            self.fault.code,
            f"In {self.table}, {self.fault.message}{value} ({rows_text}).",
            self.file,
            self.line,
            hint_for(self.fault, self.value),
        )


def bad_row_counts(bad: Iterable[BadRows]) -> dict[str, int]:
    """How many rows of each table are bad, however many checks they fail."""
    counts: dict[str, int] = {}
    for group in bad:
        counts[group.table] = counts.get(group.table, 0) + group.counted_here
    return counts


def _shown(value: str) -> str:
    """A value in quotes, cut where it is long."""
    return f'"{value[:_MOST_SHOWN]}{"…" if len(value) > _MOST_SHOWN else ""}"'


def _reverses(mapped: Mapped) -> bool:
    return mapped.table.name == "payments" and mapped.has("reverses")


def all_sound(engine: Engine, sources: Mapping[str, Mapped]) -> bool:
    """Whether no row of any table fails any check."""
    for sound_table, mapped in sources.items():
        suspects = suspects_sql(mapped)
        count_selects = [f"select count(*) from {sound_table} where fault is not null"]
        count_selects += [suspects] if suspects else []
        count_selects += [f"select count(*) from ({ORPHANS})"] if _reverses(mapped) else []
        if any(engine.value(count) for count in count_selects):
            return False
    return True


def _duplicate(mapped: Mapped) -> dict[int, Fault]:
    """The check that no key occurs twice, where a table has a key."""
    if duplicates_sql(mapped) is None:
        return {}
    key_columns = ", ".join(
        key_column
        for key_column in mapped.table.key
        if key_column == "account_id" or mapped.has(key_column)
    )
    duplicate_message = f"{key_columns} occurred in an earlier row"
    fault = Fault("RS104", key_columns, duplicate_message, "", "Keep one row for each.", DUPLICATE)
    return {DUPLICATE: fault}


def _orphan(mapped: Mapped) -> dict[int, Fault]:
    """The check that a reversal names a payment: one of none would take money from nobody knows
    what."""
    if not _reverses(mapped):
        return {}
    orphan_message = "reverses names no payment of the account"
    hint = "Correct the id at the source, or leave such rows out: `from` can be a select."
    return {ORPHAN: Fault("RS110", "reverses", orphan_message, "", hint, ORPHAN)}


def mark_bad_rows(engine: Engine, sources: Mapping[str, Mapped]) -> None:
    """Mark the rows of numbered tables that fail a check which needs the whole table."""
    for marked_table, mapped in sources.items():
        faulty_rows = {DUPLICATE: duplicates_sql(mapped)}
        faulty_rows[ORPHAN] = ORPHANS if _reverses(mapped) else None
        for fault_number, rowids in faulty_rows.items():
            if rowids is not None:
                engine.run(
                    f"""
                    update {marked_table}
                    set fault = {fault_number}
                    where rowid in ({rowids})
                    """
                )


def bad_rows_of(
    engine: Engine,
    sources: Mapping[str, Mapped],
    faults: Mapping[str, dict[int, Fault]],
) -> list[BadRows]:
    """The bad rows of numbered tables that are marked, by table and check."""
    bad_rows: list[BadRows] = []
    for faulty_table, checks in faults.items():
        mapped = sources[faulty_table]
        checks = checks | _duplicate(mapped) | _orphan(mapped)
        bad_rows += _bad_rows(engine, mapped, checks)
    return bad_rows


def _place(mapped: Mapped, row: int) -> tuple[str, int | None]:
    """The file of a row, and its line there where that is known."""
    return mapped.locate(row) if mapped.locate else (mapped.loaded_from, None)


def _bad_rows(engine: Engine, mapped: Mapped, faults: Mapping[int, Fault]) -> list[BadRows]:
    table = mapped.table.name
    if mapped.observes is not None:  # reported in the words of the table that is read
        faults = {
            number: replace(fault, message=fault.message.replace("observed_on", "as_of"))
            for number, fault in faults.items()
        }
    rows_by_fault = engine.rows(
        f"""
        select f.fault, count(*), count(*) filter (where f.fault = t.fault), min(row_no)
        from {faults_table(mapped)} f
        join {table} t using (row_no)
        group by f.fault
        order by f.fault
        """
    )
    bad_rows = []
    for number, count, counted_here, first in rows_by_fault:
        fault, (file, line) = faults[number], _place(mapped, first)
        value = _value(engine, mapped, fault.column, first)
        words = _words(engine, mapped, fault)
        group = BadRows(table, fault, file, count, counted_here, first, line, value, words)
        bad_rows.append(group)
    return bad_rows


def _value(engine: Engine, mapped: Mapped, column: str, row: int) -> str | None:
    """What a bad row of a numbered table holds in a column, if it is one of the source's."""
    if mapped.has(column):
        read = quoted(column)
    elif column in mapped.attributes:
        read = fact_column(column)
    else:
        return None
    value: str | None = engine.value(
        f"select cast({read} as varchar) from {bad_rows_table(mapped)} where row_no = {row}"
    )
    return value or None


def _words(engine: Engine, mapped: Mapped, fault: Fault) -> tuple[tuple[str, int], ...]:
    """The words that a column does not allow, with how many bad rows have each, the most frequent
    first: whoever maps them needs all of them."""
    if fault.code != _NOT_ALLOWED:
        return ()
    counts = engine.rows(
        f"""
        select cast(b.{quoted(fault.column)} as varchar) as word, count(*)
        from {bad_rows_table(mapped)} b
        join {faults_table(mapped)} f using (row_no)
        where f.fault = {fault.number}
        group by word
        order by count(*) desc, word
        limit {_MOST_WORDS}
        """
    )
    return tuple((word, count) for word, count in counts)


def too_many(most: Decimal, rows: int) -> str:
    """What to do where more rows of a table are bad than the workspace allows."""
    return f"max_bad_rows allows {most:%} of {rows:,} rows; raise it, or correct them."


def refuse(
    workspace: Workspace, rows: Mapping[str, int], bad: list[BadRows], problems: Problems
) -> None:
    """Add the bad rows of every table that has more of them than the workspace allows."""
    most = workspace.settings.max_bad_rows
    for counted_table, count in rows.items():
        # Where accounts has no rows, that is said, and of each row that it has no account.
        of_table = [
            bad_group
            for bad_group in bad
            if bad_group.table == counted_table
            and (bad_group.fault.code != _NO_ACCOUNT or rows.get("accounts") != 0)
        ]
        if sum(bad_group.counted_here for bad_group in of_table) > most * count:
            allowed = too_many(most, count)
            for refused in (bad_group.as_problem() for bad_group in of_table):
                problems.extend([replace(refused, hint=f"{refused.hint} {allowed}".strip())])
        # A file of these with a head and no row is a truth: nothing has happened.
        if count == 0 and counted_table not in ("payments", "events", "instalments"):
            source = workspace.settings.sources[counted_table]
            problems.add(
                "RS109",
                f"{counted_table} has no rows.",
                file=source.file,
                line=source.lines.get("from"),
                hint="Check the file, or take the source out.",
            )


def quarantine(
    engine: Engine, sources: Mapping[str, Mapped], bad: Sequence[BadRows]
) -> Iterator[tuple[str, pa.Table]]:
    """For each table with bad rows: row number, code, what is wrong, the row as it came. Where
    several things are wrong, the code is that of the first."""
    for table, mapped in sources.items():
        failed = [group.fault for group in bad if group.table == table]
        if not failed:
            continue
        named = [fault.column for fault in failed if fault.column in mapped.attributes]
        select = f"""
            select
                o.row_no as row,
                w.code,
                w.reason,
                cast(o.content as varchar) as content
            from ({original_rows_sql(mapped, dict.fromkeys(named))}) o
            join ({_what_is_wrong(mapped, failed)}) w using (row_no)
            order by o.row_no
            """
        yield table, engine.arrow(select)


def _what_is_wrong(mapped: Mapped, failed: Sequence[Fault]) -> str:
    """A select of `(row_no, code, reason)`, a row for each bad row."""
    codes = " ".join(f"when {fault.number} then {literal(fault.code)}" for fault in failed)
    reasons = " ".join(f"when {fault.number} then {literal(fault.message)}" for fault in failed)
    one = row_reasons.fault_sql(f"case fault {codes} end", f"case fault {reasons} end")
    return f"""
        select row_no,
            {row_reasons.code_sql("faults")} as code,
            {row_reasons.reason_sql("faults")} as reason
        from (
            select row_no, list({one} order by fault) as faults
            from {faults_table(mapped)}
            group by row_no
        )
        """


def rows_set_apart(
    engine: Engine, sources: Mapping[str, Mapped], bad_rows: Sequence[BadRows], account_no: int
) -> tuple[str, ...]:
    """The bad rows of an account, in words: where each stands and what is wrong with it."""
    rows = []
    for table, mapped in sources.items():
        failed = [group.fault for group in bad_rows if group.table == table]
        if not failed:
            continue
        of_account = f"""
            select row_no, w.reason
            from {table}
            join ({_what_is_wrong(mapped, failed)}) w using (row_no)
            where account_no = {account_no}
            order by row_no
            """
        for number, reason in engine.rows(of_account):
            file, line = _place(mapped, number)
            where = f"row {number} of {file}" if line is None else f"{file}:{line}"
            rows.append(f"{where}: in {table}, {reason}.")
    return tuple(rows)
