"""The part of files.md about riskseg.toml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from pydantic import BaseModel

from reference_pages.keys import keys
from reference_pages.markdown import code, table
from riskseg.layouts import layouts
from riskseg.ledger.contract import BALANCES, CONTRACT, Column
from riskseg.treatment import outcomes
from riskseg.workspace import authored
from riskseg.workspace.expectations import ExpectTable
from riskseg.workspace.incremental import IncrementalTable
from riskseg.workspace.reading import ReadTable

_TOML: Mapping[str, str] = {
    "workspace.currency": "shown beside amounts; one currency a workspace",
    "workspace.scale": "decimals of an amount, 0 to 4",
    "workspace.timezone": "the zone whose days are meant, as `Europe/London`; a time that has a "
    "zone of its own is refused without it",
    "workspace.plan_grace": "days after an instalment's due date before it is missed and its plan "
    "broken",
    "workspace.broken_plan": "`resume`: what a broken plan covered is as old as if there had been "
    "none; `re_age`: as old as the break",
    "workspace.promise_grace": "days after the day until which a payment was promised, before the "
    "promise is broken",
    "workspace.arrears_from": "the least overdue balance that counts as arrears; less does not age",
    "workspace.max_bad_rows": "the share of a table's rows that may break the contract, 0 to 1",
    "workspace.max_unmatched": "the share of rows that name a bill which may name none there is, "
    "0 to 1",
    "workspace.max_alike": "the share of rows of bills, payments or events that may be alike in "
    "everything but their id, 0 to 1",
    "workspace.strategy": "the folder of the strategy, from the folder of riskseg.toml",
    "workspace.models": "the folder of specs and trained models",
    "workspace.without_models": "models without which the strategy decides until they are trained: "
    "their probabilities are then unknown for every account",
    "engine.threads": "how many to use; all there are if left out. Changes no result",
    "engine.memory": "the most memory the engine takes, as in `2GB`; past it, it uses the disk",
    "journal.url": "a PostgreSQL database, as `postgresql+psycopg://user@host/database`, in the "
    "place of the file `.riskseg/journal.db`; `${NAME}` stands for what the environment holds",
    "journal.schema": "the schema of that database, one for each workspace",
    "fairness.frame": "the legal frame of `riskseg insight fairness`, which says what is compared "
    "and cites its source: `uk-consumer-duty`, `eu`, `us-states` or `none`. Changes no decision",
    "engine.partitions": "how many ranges accounts are divided into; `assign` works on two at a "
    "time. By the size of the data if left out",
    "engine.keep_staged": "whether the sources, once read, are kept in `.riskseg/staged` for the "
    "next command, which reads them there as long as nothing has changed. The rows of databases "
    "are kept there too",
}
_EXPECT = {
    "newest": "how much older than the as-of date the newest row may be: `3 days`",
    "rows": "bounds of the rows: `0.5x..2x` of earlier runs, or `1000..50000`, or `1000..`",
    "sum": "bounds of the amounts, in the same form",
}
_INCREMENTAL = {
    "watermark": "the column that every insert and every update sets to a value no lower than "
    "those before: a time, a date or a number",
    "key": "the columns that name a row, one or a list: a row that is read again replaces the row "
    "with the same key. Not needed where rows are only ever added",
    "lookback": "how far before the highest watermark rows are read once more, for transactions "
    "that end late: `2 hours`, `3 days`, or a number. One hour for times, one day for dates and 0 "
    "for numbers where nothing is said",
}
_SOURCE: Mapping[str, str] = {
    "url": "the database that the sources are tables or selects of, as "
    "`postgresql+psycopg://user:${NAME}@host/database`; `${NAME}` stands for what the environment "
    "holds. A source may have a `url` of its own; `files` has it read from files",
    "layout": "the layout of a known system, which supplies what no line of a table maps: "
    + ", ".join(f"`{name}`" for name in layouts()),
    "folder": "where its files lie; without it, `data` and the folder of riskseg.toml",
}

_READ: Mapping[str, str] = {
    "encoding": "the encoding of text files; UTF-8 where nothing is said",
    "delimiter": "what separates the values of CSV files; recognised where nothing is said",
    "quote": 'what stands around values of CSV files; `""` where nothing does',
    "header_row": "the line of the names, counted from 1; lines before it are not read",
    "footer_rows": "rows at the end that are none of the table's",
    "sheet": "the sheet of a workbook; needed where there are several",
    "widths": "the columns of lines of fixed width, one after the other, and their characters; 0 "
    "for a last one that takes the rest of the line",
    "fields": "the same as a list of `[name, first character, characters]`",
}

_COLUMN: Mapping[str, str] = {
    "words": "what a reason says; `{value}` is the account's own",
    "kind": "what its values are (`boolean`, `integer`, `number`, `date` or `text`), whatever "
    "today's file looks like",
    "direction": "`+` more is riskier, `-` less is riskier: models are held to it",
    "unit": "`money`, `share` (0.25 is 25%), `percent` (25 is 25%), or a word such as `days`",
    "labels": "what people call a value, by value",
    "special_values": "numbers that are codes: a list, or a label for each",
    "family": "columns about the same thing share one; their reasons are added together",
    "protected": "whether models are judged by it, as what they should not stand in for; it is "
    "learned from only where `features.keep` or `features.static` of a spec lists it",
    "levels": "the only texts it may hold; not in models/features.yaml",
}
_PROSE = {
    "accounts": "Needed only for an account file, or for attributes. Every other column is an "
    "attribute, under its own name or the one it is mapped to.",
    "bills": "Needed unless there are accounts alone. A column that a line of riskseg.toml, or a "
    "table [source.bills.columns.NAME], names is an attribute of bills.",
    "payments": "Needed with bills if anything is to be seen as paid.",
    "events": "What happened: a source's own words are mapped to the kinds below.",
    "instalments": "What is to be paid by when under plans. An event `plan` whose `ref` is the "
    "`plan_id` says since when the plan runs.",
}


def workspace_file() -> Iterator[str]:
    """riskseg.toml."""
    yield "## riskseg.toml"
    yield ""
    top = authored.Top.model_fields
    for name in ("workspace", "engine", "journal", "fairness"):
        yield f"### [{name}]"
        yield ""
        shape = top[name].annotation
        words = {k.partition(".")[2]: v for k, v in _TOML.items() if k.startswith(name)}
        yield from keys(cast("type[BaseModel]", shape), words)
    yield "### [source]"
    yield ""
    yield from keys(authored.SourceTables, _SOURCE)
    yield (
        "### [source.accounts], [source.bills], [source.payments], [source.events], "
        "[source.instalments]"
    )
    yield ""
    yield (
        "`from` is a file (.parquet, .xlsx, .csv, .tsv or .txt, the last three also with .gz), a "
        "folder or glob of such, or a select over files, looked up from riskseg.toml's folder. "
        "Every other key but `read` names a column of the contract; its value is a SQL expression "
        "over the loaded columns. A column that already has the contract's name needs no key. CSV "
        "is read as text throughout."
    )
    yield ""
    yield "[source.TABLE.read] says how the files are to be read:"
    yield ""
    yield from keys(ReadTable, _READ)
    for name, contract in CONTRACT.items():
        yield f"#### {name}"
        yield ""
        yield _PROSE[name]
        yield ""
        yield from table(("column", "holds", ""), map(_column, contract.columns))
        unique = " and ".join(map(code, contract.key))
        if unique:
            yield f"Unique: {unique}, where they are mapped."
        for earlier, later in contract.order:
            yield f"`{later}` is not before `{earlier}`."
        yield ""
    yield "### [source.TABLE.expect]"
    yield ""
    yield from keys(ExpectTable, _EXPECT)
    yield "### [source.TABLE.incremental]"
    yield ""
    yield (
        "Of a source in a database, only the rows are read that were added or changed since the "
        "last command; the columns are those of the table or select in the database."
    )
    yield ""
    yield from keys(IncrementalTable, _INCREMENTAL)
    yield "### [source.balances]"
    yield ""
    yield (
        "Monthly balances or statuses in place of bills and accounts. Every other column is an "
        "attribute."
    )
    yield ""
    yield from table(("column", "holds", ""), map(_column, BALANCES.columns))
    yield "Unique: `account_id` and `as_of`."
    yield ""
    yield from table(
        ("table", "what it says"),
        (
            (
                "`[source.balances.statuses]`",
                'what each status means: the days past due, as `"30-59"` or `"150+"`, or '
                '`"current"`, or `"none"` where nothing is owed that could be late',
            ),
            (
                "`[source.balances.outcomes]`",
                "`roll` and `default`: how many months the outcomes look ahead (3 and 12)",
            ),
        ),
    )
    yield "### [source.overlays.NAME]"
    yield ""
    yield "A table whose columns become attributes of accounts, by a key that both have."
    yield ""
    yield from table(
        ("key", "what it is"),
        (
            ("`from`", "a file, a glob of such, or a select over files"),
            (
                "`on`",
                "the column of accounts that holds the key, and of the overlay, unless a line of "
                "that name maps it",
            ),
            ("`valid_from`", "from which day a row holds; an overlay without it is of today"),
            ("any other", "an attribute, as a SQL expression over the loaded columns"),
        ),
    )
    yield "### [outcomes]"
    yield ""
    yield (
        "How the columns of the files that `worklist done` reads are named: each key is a column "
        "of the table below, its value a SQL expression over the file's columns. One that already "
        "has a name of the first column needs no key. A row names its action by `id`, or by "
        "`account_id` and `action`."
    )
    yield ""
    yield from table(
        ("column", "what it holds"),
        ((" or ".join(map(code, c.names)), c.description) for c in outcomes.COLUMNS),
    )
    yield from table(
        ("outcome", "what it means"),
        (
            (code(word), meaning + (" (a conversation)" if spoken else ""))
            for word, (meaning, spoken) in outcomes.OUTCOMES.items()
        ),
    )
    yield "### [source.accounts.columns.NAME]"
    yield ""
    yield "What a column of the accounts means; it changes no value."
    yield ""
    yield from keys(authored.SourceColumn, _COLUMN)


def _column(column: Column) -> tuple[str, str, str]:
    holds = str(column.holds)
    if column.words:
        holds = f"one of {', '.join(map(code, column.words))}"
    elif column.negative:
        holds += ", which may be negative"
    return code(column.name), holds, "needed" if column.needed else ""
