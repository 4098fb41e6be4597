"""`init --from`: what a folder's or a file's tables are likely to be, as a riskseg.toml."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from riskseg.domain.problems import Problems, problem
from riskseg.domain.relations import quoted
from riskseg.engine import DuckDB, Engine
from riskseg.layouts import LayoutTable, layouts
from riskseg.layouts.columns import Headers
from riskseg.results.matching import MatchedColumn, MatchedTable
from riskseg.sources.database_connections import Connections
from riskseg.sources.matching import (
    ColumnProposal,
    Found,
    Proposal,
    TableProposal,
    survey,
    written_toml,
)
from riskseg.sources.matching import propose as proposed
from riskseg.sources.matching.day_offsets import COUNTED_FROM
from riskseg.sources.matching.found import as_written, data_files, patterns
from riskseg.sources.matching.found_in_database import (
    is_address,
    survey_database,
    whole_address,
)
from riskseg.sources.matching.kinds import kinds_of_texts
from riskseg.sources.matching.labels import with_outcome_column
from riskseg.sources.matching.names import tokens
from riskseg.sources.matching.profile import amount_sql, day_sql
from riskseg.sources.matching.recognised import Recognised, recognised
from riskseg.sources.matching.written import tidy, tidy_from
from riskseg.workspace.addresses import check_no_password


@dataclass(frozen=True)
class Question:
    """What a person is asked: which column fills one of the contract, or, where `column` is None,
    from which day days are counted. `options` are columns that may be meant, likeliest first."""

    table: str
    column: str | None
    why: str
    options: tuple[str, ...]
    needed: bool


# Answers with an option, or a text of one's own; None leaves it undecided.
Ask = Callable[[Question], str | None]


@dataclass(frozen=True)
class Matching:
    """The text of a riskseg.toml, the starter strategy that suits it, and what it rests on."""

    toml: str
    strategy: str
    tables: tuple[MatchedTable, ...]
    layout: str | None
    not_read: tuple[str, ...] = ()


def match(
    folder: Path, source: str, *, ask: Ask | None = None, strategy: str | None = None
) -> Matching:
    """What the tables in `source`, a folder, a file or a database, are likely to be for a
    workspace in `folder`. What is not sure is asked, where there is somebody to ask, else marked.
    Without a `strategy`, the starter that suits the tables is taken.

    Raises RS006 where there is nothing to read, or no file can be read.
    """
    proposal = _of_database(source, folder) if is_address(source) else _of_files(source, folder)
    proposal = _with_outcome(proposal)
    if ask is not None:
        proposal = _asked(proposal, ask)
    has_bills = "bills" in (layouts()[proposal.layout] if proposal.layout else proposal).tables
    suited = strategy or ("household-utility" if has_bills else "account-file")
    return Matching(
        written_toml(proposal, suited),
        suited,
        tuple(map(_shown, proposal.tables.values())),
        proposal.layout,
        tuple(f"{name}: {why}" for name, why in proposal.unused) + _no_payments(proposal),
    )


def _no_payments(proposal: Proposal) -> tuple[str, ...]:
    """That nothing says what was paid of the bills, where nothing does."""
    if "bills" not in proposal.tables or proposal.layout or "payments" in proposal.tables:
        return ()
    return ("payments: no file is like them, so that every bill counts as unpaid",)


def _of_files(source: str, folder: Path) -> Proposal:
    place = Path(source)
    files = data_files(place) if place.exists() else []
    if not files:
        what = "holds no file of data" if place.exists() else "does not exist"
        raise problem(
            "RS006",
            f"It {what}.",
            file=source,
            hint="Name a folder of .csv, .parquet or .xlsx files, one such file, or the address of "
            "a database.",
        )
    problems = Problems()
    with DuckDB(reads=files) as engine:
        tables = survey(engine, list(patterns(files)), folder, problems)
        if not tables:
            problems.raise_if_any()
        # Of a file with several faults, the first is enough here.
        unread = {str(fault.file): fault.what.rstrip(".") for fault in [*problems][::-1]}
        found = _proposed(engine, tables, place, folder)
        return replace(found, unused=found.unused + tuple(sorted(unread.items())))


def _of_database(source: str, folder: Path) -> Proposal:
    url, problems = whole_address(source), Problems()
    check_no_password(url, {"file": "--from", "line": None}, problems)
    problems.raise_if_any()
    with DuckDB() as engine, Connections(folder) as connections:
        tables = survey_database(engine, url, connections)
        if not tables:
            raise problem(
                "RS006",
                "The database has no table that is like one of the contract.",
                file="--from",
                hint="Look at the names of its tables, and map them in riskseg.toml.",
            )
        return replace(_proposed(engine, tables, folder, folder), url=url)


def _proposed(engine: Engine, tables: list[Found], place: Path, folder: Path) -> Proposal:
    """By the layout of a known system, else by names and values; by that of any sheet of invoices
    where these leave the bills open."""
    known = recognised(tables)
    if known is not None:
        return _by_layout(known, place, folder)
    proposal = proposed(engine, tables)
    sheet = None if _settled(proposal) else recognised(tables, sheet=True)
    if sheet is None or _takes_the_whole_as_paid(sheet):
        return proposal
    return _by_layout(sheet, place, folder)


def _takes_the_whole_as_paid(sheet: Recognised) -> bool:
    """Whether the layout would take each bill as paid in full, because it knows no column that says
    how much was paid: that is for a person to decide."""
    payments = sheet.files.get("payments")
    if payments is None:
        return False
    names = sheet.layout.tables["payments"].columns["amount"].names
    header = Headers(payments.headers).first(names)
    return header is None or "paid" not in tokens(header)


def _settled(proposal: Proposal) -> bool:
    """Whether all that bills need is sure."""
    bills = proposal.tables.get("bills")
    return bills is not None and all(c.decided for c in bills.columns.values() if c.needed)


def _by_layout(known: Recognised, place: Path, folder: Path) -> Proposal:
    """The layout by its own names where they find its files; else each file named."""
    if known.by_name and not any(found.reading for found in known.files.values()):
        home = place if place.is_dir() else place.parent
        where = as_written(str(home), folder) if home.resolve() != folder.resolve() else None
        return Proposal({}, layout=known.layout.name, folder=where)
    tables = {
        table: TableProposal(table, found, _selected(known.layout.tables[table], found), {})
        for table, found in known.files.items()
    }
    return Proposal(tables, layout=known.layout.name)


def _selected(table: LayoutTable, found: Found) -> str:
    """The file of a table, or the select over it alone by which the layout reads it."""
    way = next((reads for reads in table.reads if len(reads.files) == 1), None)
    if way is None or way.select is None or found.in_select is None:
        return found.loaded_from
    return " ".join(way.select.replace(f"{{{way.files[0][0]}}}", found.in_select).split())


def _with_outcome(proposal: Proposal) -> Proposal:
    """An account file alone with the column of its outcome."""
    accounts = proposal.tables.get("accounts")
    if accounts is None or "bills" in proposal.tables or proposal.layout is not None:
        return proposal
    with_outcome = with_outcome_column(accounts)
    with_outcome = replace(with_outcome, kinds=kinds_of_texts(with_outcome))
    return replace(proposal, tables={**proposal.tables, "accounts": with_outcome})


def _asked(proposal: Proposal, ask: Ask) -> Proposal:
    """The proposal with what a person says of all that is not sure."""
    tables = {}
    day: str | None = None
    for table, proposed_table in proposal.tables.items():
        answered = proposed_table
        if not answered.from_decided and COUNTED_FROM in answered.loaded_from:
            day = day or ask(Question(table, None, answered.note, (), True))
            answered = _counted_from(answered, day) if day else answered
        elif answered.decided:
            if not answered.from_decided:
                answered = _which_file(answered, ask)
            for column in answered.columns.values():
                if not column.decided:
                    answered = answered.with_column(_answer(answered.found, table, column, ask))
        tables[table] = answered
    return replace(proposal, tables=tables)


def _which_file(proposal: TableProposal, ask: Ask) -> TableProposal:
    """The proposal with the `from` that a person means, where several files may be meant."""
    parts = proposal.found.parts if proposal.loaded_from == proposal.found.loaded_from else ()
    options = (tidy_from(proposal.loaded_from), *parts)
    answer = ask(Question(proposal.table, "from", proposal.note.rstrip("."), options, True))
    if answer is None:
        return proposal
    chosen = proposal.loaded_from if answer == options[0] else answer
    return replace(proposal, loaded_from=chosen, from_decided=True, note="")


def _counted_from(proposal: TableProposal, day: str) -> TableProposal:
    try:
        date.fromisoformat(day)
    except ValueError:
        return proposal
    select = proposal.loaded_from.replace(COUNTED_FROM, day)
    return replace(
        proposal, loaded_from=select, from_decided=True, note=f"Days are counted from {day}."
    )


def _answer(found: Found, table: str, column: ColumnProposal, ask: Ask) -> ColumnProposal:
    options = (column.header, *column.options) if column.header else column.options
    answer = ask(Question(table, column.column, column.why, options, column.needed))
    if answer is None:
        return column
    profile = found.profiles.get(answer)
    expression = answer if profile is None else quoted(answer)
    if answer == column.header and column.expression is not None:
        expression = column.expression
    elif profile is not None and profile.is_date:
        expression = day_sql(profile) or expression
    elif profile is not None and column.column == "amount":
        expression = amount_sql(profile) or expression
    return ColumnProposal(
        column.column, expression, 1.0, "you said so", column.needed, header=answer
    )


def _shown(proposal: TableProposal) -> MatchedTable:
    return MatchedTable(
        table=proposal.table,
        loaded_from=tidy_from(proposal.loaded_from),
        sheet=proposal.found.sheet,
        decided=proposal.decided and proposal.from_decided,
        columns=tuple(
            MatchedColumn(
                column=column.column,
                expression=tidy(column.expression) if column.expression is not None else None,
                confidence=round(column.confidence, 2),
                why=column.why,
                decided=column.decided and proposal.decided,
                needed=column.needed,
            )
            for column in proposal.columns.values()
        ),
        note=proposal.note,
    )


__all__ = ["Ask", "Matching", "Question", "match"]
