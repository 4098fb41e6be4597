"""Writes the pages of docs/reference from the code: `python docs/generate.py [--check]`.

What the code knows is read from the code: commands, Problem codes, features, functions, the
keys and columns of every file. Only the words beside a key stand here, and a key without words
is an error. With --check nothing is written; a page that is not current ends it with 1.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, cast

import typer
from pydantic import BaseModel

from riskseg.cli import app
from riskseg.cli.exit_codes import MEANINGS
from riskseg.domain.decision import COLUMNS, decision_names
from riskseg.domain.facts import Fact, Kind, glossed
from riskseg.domain.problems import CODES, Problems
from riskseg.expressions import FUNCTIONS, check
from riskseg.features.catalogue import read_catalogue
from riskseg.features.feature import SCOPES, Feature
from riskseg.layouts import layouts
from riskseg.learning import spec
from riskseg.learning.learners import registered
from riskseg.ledger.accounts import LIFECYCLE
from riskseg.ledger.contract import BALANCES, CONTRACT, Column
from riskseg.results.schema import COMMANDS, json_schema
from riskseg.strategy import shapes
from riskseg.strategy.kinds.shape import entry_shape, key_words
from riskseg.strategy.packs.authored import Expected
from riskseg.strategy.schemas import schema_file, strategy_schemas
from riskseg.treatment import outcomes
from riskseg.treatment.episodes import EPISODE_STARTED_ON
from riskseg.workspace import authored as workspace_file
from riskseg.workspace.expectations import ExpectTable
from riskseg.workspace.reading import ReadTable

REFERENCE = Path(__file__).parent / "reference"
HEAD = "<!-- Written by docs/generate.py from the code; `make docs` writes it anew. -->\n"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    names = list(head)
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""


def code(text: str) -> str:
    return f"`{text}`" if text else ""


# Commands


def commands() -> Iterator[str]:
    yield "# Commands"
    yield ""
    yield (
        "Results go to stdout or to the file named by `--out`. Progress, remarks and Problems go "
        "to stderr. `--json` prints the result for machines; with it, Problems are printed to "
        "stdout as JSON too. `--plan` prints the stages of a run and carries out none of them. "
        "Every option that takes a day also takes `today` and `yesterday`: the days of the time "
        "zone that `timezone` in [workspace] names, or else of the machine (`TZ`). What is "
        "decided, written and journalled is the date."
    )
    yield ""
    yield from table(
        ("exit code", "means"),
        MEANINGS.items(),
    )
    root = typer.main.get_command(app)
    yield from _command("riskseg", root)


def _command(name: str, command: Any) -> Iterator[str]:
    yield f"## {name}"
    yield ""
    yield " ".join((command.help or "").split())
    yield ""
    subcommands = getattr(command, "commands", {})
    rest = " COMMAND …" if subcommands else ""
    words = [f" {_placed(p)}" for p in command.params if p.param_type_name == "argument"]
    yield f"```text\n{name} [OPTIONS]{''.join(words)}{rest}\n```"
    yield ""
    rows = []
    for param in command.params:
        if param.param_type_name == "argument":
            rows.append((code(_metavar(param)), param.help or "", "" if param.required else "no"))
        elif not getattr(param, "hidden", False):
            rows.append((_option(param), param.help or "", _default(param)))
    if rows:
        yield from table(("", "what it is", "needed, or default"), map(_needed, rows))
    for inner in subcommands:
        yield from _command(f"{name} {inner}", subcommands[inner])


def _needed(row: tuple[str, str, str]) -> tuple[str, str, str]:
    return row if row[2] else (row[0], row[1], "needed")


def _metavar(param: Any) -> str:
    return str(param.name).upper() + ("…" if param.nargs == -1 else "")


def _placed(param: Any) -> str:
    return _metavar(param) if param.required else f"[{_metavar(param)}]"


def _option(param: Any) -> str:
    flags = ", ".join(code(o) for o in param.opts)
    if isinstance(param.default, Enum):
        return f"{flags} {' or '.join(code(str(c.value)) for c in type(param.default))}"
    return flags


def _default(param: Any) -> str:
    if param.required:
        return ""
    if getattr(param, "is_flag", False) or param.default is None:
        return "no"
    value = getattr(param.default, "value", param.default)
    shown = value.date().isoformat() if hasattr(value, "date") else str(value)
    return code(shown) or "no"


# Problems

_GROUPS = {
    "RS0": "The workspace and riskseg.toml",
    "RS1": "The data contract",
    "RS2": "A strategy's files",
    "RS3": "Expressions",
    "RS4": "Models",
    "RS5": "Features",
    "RS6": "Runs",
}


def problems() -> Iterator[str]:
    yield "# Problems"
    yield ""
    yield (
        "A Problem is a fault in what riskseg was given. It has a code, the file and line where it "
        "stands, what is wrong, and, where there is something to say, how to fix it. A command "
        "gathers all it can find before it ends, with exit code 1. A code keeps its meaning from "
        "one version to the next."
    )
    yield ""
    group = ""
    for number in sorted(CODES):
        if number[:3] != group:
            if group:
                yield ""
            group = number[:3]
            yield f"## {_GROUPS[group]}"
            yield ""
            yield "| code | what kind of fault |"
            yield "|---|---|"
        yield f"| {number} | {CODES[number]} |"
    yield ""


# Features


def features() -> Iterator[str]:
    found = Problems()
    catalogue = read_catalogue(None, found)
    found.raise_if_any()
    yield "# Features"
    yield ""
    yield (
        "Every feature riskseg ships, from `riskseg/features/catalogue.yaml`. How they are "
        "written, and how to add your own: [the guide](../guide/features.md). `riskseg features` "
        "lists those that your workspace can compute."
    )
    yield ""
    yield (
        "Windows end with the as-of date, included; `open` stands for bills not yet due, not yet "
        "cleared, or with something overdue. Risk: `+` more is riskier, `-` less is riskier. "
        "A feature marked *rules only* is left out of models unless a spec lists it under `static`."
    )
    yield ""
    for range_, title in (
        ("bills", "From bills"),
        ("payments", "From payments"),
        ("events", "From events"),
        ("party", "From the accounts of the party"),
        ("premise", "From the accounts at the premise"),
        ("account", "Worked out from other features and dates"),
    ):
        yield f"## {title}"
        yield ""
        chosen = [f for f in catalogue.features.values() if f.range == range_]
        yield from table(
            ("name", "type", "window", "computed as", "risk", "can be unknown", "in words"),
            map(_feature, chosen),
        )
    yield "## What else a rule may name"
    yield ""
    yield from table(
        ("name", "type", "there with", "what it is"),
        (
            ("`as_of`", "date", "always", "the as-of date"),
            (
                "`lifecycle`",
                "level",
                "always",
                "one of " + ", ".join(code(level) for level in LIFECYCLE.levels),
            ),
            (
                code(EPISODE_STARTED_ON.name),
                "date",
                "bills",
                "day 0 of the current arrears episode",
            ),
            ("`first_billed_on`", "date", "bills", "when the first bill was issued"),
            ("`opened_on` `closed_on` `written_off_on`", "date", "accounts that have them", ""),
            ("every other column of accounts", "its own", "accounts", "an attribute"),
            (
                "`latest_NAME` for each attribute NAME of bills",
                "its own",
                "bills",
                "the attribute of the bill issued last, if that was in the last 365 days; scored "
                "at issue, of the bill itself",
            ),
            ("the names under `uses` in strategy.yaml", "decimal", "a trained model", "0 to 1"),
        ),
    )
    yield "## What the expressions of a feature may name"
    yield ""
    yield from table(
        ("range", "names"),
        (
            (
                range_,
                ", ".join(map(_named, facts.values()))
                + (", and the attributes of bills" if range_ == "bills" else ""),
            )
            for range_, facts in SCOPES.items()
        ),
    )


def _feature(feature: Feature) -> tuple[str, ...]:
    fact = feature.fact
    window = "" if feature.window is None else str(feature.window)
    computed = feature.aggregate or ""
    if feature.value is not None:
        computed += f"{' of ' if computed else ''}{code(feature.value.text)}"
    if feature.filter is not None:
        computed += f" where {code(feature.filter.text)}"
    needs = sorted(feature.needs - {feature.range})
    words = "; ".join(map(glossed, (fact.words, *dict(fact.phrases).values())))
    words += " (*rules only*)" if fact.static else ""
    return (
        code(fact.name),
        f"{fact.kind} ({fact.unit})" if fact.unit == "money" else str(fact.kind),
        f"{window} days" if window.isdigit() else window,
        computed + (f"; needs {', '.join(needs)}" if needs else ""),
        {1: "+", -1: "-", 0: ""}[fact.direction],
        "yes" if fact.nullable else "",
        words,
    )


def _named(fact: Fact) -> str:
    return f"{code(fact.name)} ({fact.kind}{', can be unknown' if fact.nullable else ''})"


# The expression language

# Facts the examples below are judged with.
_SCOPE: Mapping[str, Fact] = {
    fact.name: fact
    for fact in (
        Fact("balance_overdue", Kind.DECIMAL),
        Fact("days_past_due", Kind.INTEGER),
        Fact("bills_12m", Kind.INTEGER),
        Fact("months_on_book", Kind.INTEGER, nullable=True),
        Fact("is_vulnerable", Kind.BOOLEAN, nullable=True),
        Fact("next_due_on", Kind.DATE, nullable=True),
        Fact("lifecycle", Kind.LEVEL, levels=LIFECYCLE.levels),
        Fact("as_of", Kind.DATE),
    )
}
_RIGHT = (
    "days_past_due > 30 and balance_overdue >= 50.00",
    "lifecycle in ('live', 'final_billed')",
    "days_past_due between 1 and 30",
    "coalesce(months_on_book, 0) < 6",
    "months_on_book is null or months_on_book < 6",
    "is_vulnerable is true",
    "as_of >= date '2026-04-01'",
    "month(as_of) in (10, 11, 12, 1, 2, 3)",
    "bills_12m > 0 and balance_overdue / bills_12m > 20",
    "case when days_past_due > 60 then balance_overdue > 20 else balance_overdue > 50 end",
)
_WRONG = (
    "months_on_book < 6",
    "balance_overdu > 50",
    "lifecycle = 'closed'",
    "balance_overdue / bills_12m > 20",
    "days_past_due",
    "days_past_due > 'thirty'",
    "next_due_on < now()",
    "days_past_due > (select 30)",
)


def language() -> Iterator[str]:
    yield "# The expression language"
    yield ""
    yield (
        "One language serves tiers, guards, `ends_when`, `starts`, `priority`, a model's "
        "`population` and the features of a catalogue. It is a subset of SQL over named facts. An "
        "expression cannot reach a table, a file or the clock, and nothing in it is run as Python. "
        "Each is parsed, held to this list, type-checked and turned into SQL that runs over all "
        "accounts at once."
    )
    yield ""
    yield "## Types"
    yield ""
    yield from table(
        ("type", "what it is"),
        (
            ("boolean", "true or false"),
            ("integer", "a whole number"),
            ("decimal", "an exact number: money, shares, probabilities. Six decimals"),
            ("number", "a floating number that came so from the source"),
            ("date", "a day, written `date '2026-01-31'`; beside a date, `'2026-01-31'` will do"),
            ("text, level", "text; a level can only be one of a known list"),
        ),
    )
    yield "## Operators"
    yield ""
    yield from table(
        ("written", "takes", "gives"),
        (
            ("`and` `or` `not`", "booleans", "boolean"),
            ("`=` `<>` `<` `<=` `>` `>=`", "two of one type; numbers mix", "boolean"),
            ("`x between a and b`", "both ends included", "boolean"),
            ("`x in (a, b)`, `x not in (a, b)`", "plain values", "boolean"),
            ("`x is null`, `x is not null`", "anything", "boolean, never unknown"),
            ("`x is true`, `x is false`", "a boolean", "boolean, never unknown"),
            ("`+` `-` `*`", "numbers", "the wider type of the two"),
            ("`/`", "numbers", "decimal, or number; never a whole number cut short"),
            ("`date + n`, `date - n`", "a date and whole days", "date"),
            ("`date - date`", "two dates", "whole days"),
            ("`case when … then … else … end`", "", "the type of its branches"),
        ),
    )
    yield (
        "Decimals are rounded to six decimals, a half away from zero, after each `*` and `/`. "
        "A result that is too large to hold stops the run (RS614), whatever its type. "
        "`not` binds more than `and`, `and` more than `or`."
    )
    yield ""
    yield "## Functions"
    yield ""
    yield from table(
        ("function", "gives"), ((code(f.usage), f.meaning) for f in FUNCTIONS.values())
    )
    yield "## Unknown values"
    yield ""
    yield (
        "A fact can be unknown (null). The language follows SQL: a comparison with an unknown is "
        "unknown; `false and unknown` is false; `true or unknown` is true. Whether an expression "
        "*can* be unknown is part of its type, and a condition that can be is a Problem (RS305) "
        "until it says what then. There are three ways to say it:"
    )
    yield ""
    yield "1. test for it: `x is null`, `x is not null`, `x is true`;"
    yield "2. give it a value: `coalesce(x, 0)`;"
    yield (
        "3. where the file has the key, add `unknown: match` (an unknown counts as true) or "
        "`unknown: skip` (as false)."
    )
    yield ""
    yield (
        "A test counts for what stands beside it: in `x is not null and x < 6` the comparison "
        "cannot be unknown. In the same way `bills_12m > 0 and a / bills_12m > 2` is no division "
        "by zero. A guard needs no `unknown`: an unknown guard holds, unless it says "
        "`unknown: skip`. In a `requirement`, an unknown need is not met. An account for which a "
        "model's `population` is unknown is not part of it."
    )
    yield ""
    yield "## Examples"
    yield ""
    yield "Taken:"
    yield ""
    yield "```sql"
    for text in _RIGHT:
        yield text + _judged(text, right=True)
    yield "```"
    yield ""
    yield "Refused:"
    yield ""
    yield from table(
        ("written", "Problem"), ((code(text), _judged(text, right=False)) for text in _WRONG)
    )


def _judged(text: str, *, right: bool) -> str:
    found = Problems()
    expression = check(text, _SCOPE, found)
    if (expression is not None) is not right:
        raise ValueError(f"the example {text!r} is not {'right' if right else 'wrong'}: {[*found]}")
    return "; ".join(map(str, found))


# Files

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
    "engine.partitions": "account ranges taken one at a time; by the size of the data if left out",
    "engine.keep_staged": "whether the sources, once read, are kept in `.riskseg/staged` for the "
    "next command, which reads them there as long as no file has changed",
}
_EXPECT = {
    "newest": "how much older than the as-of date the newest row may be: `3 days`",
    "rows": "bounds of the rows: `0.5x..2x` of earlier runs, or `1000..50000`, or `1000..`",
    "sum": "bounds of the amounts, in the same form",
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
_SPEC: Mapping[str, str] = {
    "name": "as the file's name, without `.yaml`",
    "question": "what the model is asked, in words",
    "target.event": "`late` or `default`",
    "target.days_past_due": "late: 14 if left out; default: 90",
    "target.horizon_days": "late: 60 if left out; default: 180",
    "target.action": "kept for later; a Problem today",
    "target.column": "a column of accounts, in place of an event",
    "target.positive": "the column's bad value, where it is not true or 1",
    "observe.every": "each account once in so many days, at a phase of its own",
    "observe.for": "the days of training, embargo and hold-out together",
    "observe.history": "days of history before the first observation",
    "observe.at": "`issue` of each bill, or one date, in place of `every`",
    "hold_out.last": "validate on the last days",
    "hold_out.share": "validate on a share of the parties, up to 0.5",
    "population": "a condition an account must meet",
    "features.exclude": "features to leave out",
    "features.static": "undated facts to let in",
    "features.keep": "features to keep though they drift, repeat another or are protected",
    "learners": "`scorecard`, `lightgbm` or both",
    "calibration": "`none`, `sigmoid`, `beta`, `isotonic`, or `auto`: chosen by folds",
    "champion.prefer": "the learner that ships; the first listed if left out",
    "champion.unless_auc_gain": "the AUC another must gain, significantly, to ship in its place",
    "champion.unless_log_loss_gain": "or the share of the log loss that it must save",
    "refit": "after validation, learn what ships once more, from the hold-out too",
    "fairness.by": "attributes by whose levels the model is judged",
    "fairness.protected": "attributes it should not stand in for, nor learn from unless kept",
    "fairness.cut": "the probability from which an account is taken to be treated; the bad rate of "
    "training if left out",
    "sample.goods": "the most good outcomes to learn from; the others are stood for by weights",
    "sample.bads": "the most bad outcomes to learn from; the others are stood for by weights",
    "evidence.learning_curve": "learn from a tenth, a quarter, … of the parties too",
    "seed": "the same seed and data give the same model",
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


def files() -> Iterator[str]:
    yield "# Files"
    yield ""
    yield "## riskseg.toml"
    yield ""
    top = workspace_file.Top.model_fields
    for name in ("workspace", "engine", "journal", "fairness"):
        yield f"### [{name}]"
        yield ""
        shape = top[name].annotation
        words = {k.partition(".")[2]: v for k, v in _TOML.items() if k.startswith(name)}
        yield from _keys(cast("type[BaseModel]", shape), words)
    yield "### [source]"
    yield ""
    yield from _keys(workspace_file.SourceTables, _SOURCE)
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
    yield from _keys(ReadTable, _READ)
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
    yield from _keys(ExpectTable, _EXPECT)
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
    yield from _keys(workspace_file.SourceColumn, _COLUMN)
    yield "## A model's spec: models/NAME.yaml"
    yield ""
    yield from table(("key", "default", "what it is"), _spec())
    yield "## A strategy: rules/NAME/"
    yield ""
    yield (
        "The same keys as JSON Schema, for editors, are in the folder `schemas` beside this page; "
        "`riskseg strategy schema` writes them."
    )
    yield ""
    for title, shape in (
        ("strategy.yaml", shapes.AuthoredHead),
        ("strategy.yaml: under each name of `constants`", shapes.AuthoredConstant),
        ("strategy.yaml: under each name of `bands`", shapes.AuthoredBand),
        ("strategy.yaml: `actions`, a list of", shapes.AuthoredAction),
        ("strategy.yaml: `calendar`, also of an action or a path", shapes.AuthoredCalendar),
        ("strategy.yaml: under each name of `expects`", Expected),
        ("tiers.yaml: a list of rows for each scheme", shapes.AuthoredTier),
        ("tiers.yaml: or a table for a scheme", shapes.AuthoredTable),
        ("tiers.yaml: the `rows` of a table", shapes.AuthoredTableRow),
        ("segments.yaml: `columns`, and `rows` of", shapes.AuthoredRow),
        ("paths.yaml: under each path's name", shapes.AuthoredPath),
        ("paths.yaml: `steps`, a list of", shapes.AuthoredStep),
        ("paths.yaml: `after` of a step", shapes.AuthoredAfter),
        ("paths.yaml: `repeat`", shapes.AuthoredRepeat),
    ):
        yield f"### {title}"
        yield ""
        yield from _described(shape)
    yield "### guards.yaml: a list of"
    yield ""
    yield from _keys(entry_shape(), key_words())
    yield "### examples.yaml"
    yield ""
    yield from _described(shapes.AuthoredExamples)
    yield "### examples.yaml: `examples`, a list of"
    yield ""
    yield from _described(shapes.AuthoredExample)
    described = {column.name: column.description for column in COLUMNS} | {
        "p_…": "a probability for each name under `uses`; null where the model does not cover the "
        "account",
        "…": "one column for each band, then one for each tier scheme, under their own names",
    }
    yield "## A decision"
    yield ""
    yield (
        "One row an account, in the order of account ids. The form follows the ending of the name: "
        ".parquet, .csv, .csv.gz, .json, .jsonl, .xlsx, or a database URL with `#table`. Beside a "
        "file stands `FILE.manifest.json`: the run, the file's hash, the versions of strategy and "
        "models, fingerprints of the sources."
    )
    yield ""
    yield from table(
        ("column", "what it holds"),
        ((code(name), described[name]) for name in decision_names(["p_…"], ["…"])),
    )


def _keys(shape: type[BaseModel], words: Mapping[str, str]) -> Iterator[str]:
    rows = []
    for name, field in shape.model_fields.items():
        key = str(field.validation_alias.choices[0]) if field.validation_alias else name
        rows.append((code(key), _given(field), words[name.rstrip("_")]))
    yield from table(("key", "default", "what it is"), rows)


def _described(shape: type[BaseModel]) -> Iterator[str]:
    """The keys of a shape that says itself what they mean."""
    words = {name.rstrip("_"): field.description for name, field in shape.model_fields.items()}
    yield from _keys(shape, {key: text for key, text in words.items() if text})


def _given(field: Any) -> str:
    if field.is_required():
        return "needed"
    value = field.get_default(call_default_factory=True)
    if value is None or value in ({}, []):
        return ""
    return code(str(value).lower() if isinstance(value, bool) else str(value))


def _spec() -> Iterator[tuple[str, str, str]]:
    inner = {
        "target": spec.Target,
        "observe": spec.Observe,
        "hold_out": spec.HoldOut,
        "features": spec.FeatureChoice,
        "champion": spec.ChampionRule,
        "fairness": spec.Fairness,
        "sample": spec.Sample,
        "evidence": spec.Asked,
    }
    for name, field in spec.ModelSpec.model_fields.items():
        if name == "calibration":
            yield from _learners()
        if name not in inner:
            yield code(name), _spec_default(field), _SPEC[name]
            continue
        for key, part in inner[name].model_fields.items():
            shown = f"{name}.{part.alias or key}"
            days = " days" if name == "observe" and key in ("every", "for_", "history") else ""
            yield code(shown), _spec_default(part, days), _SPEC[shown]


def _learners() -> Iterator[tuple[str, str, str]]:
    for learner in registered():
        for key, field in learner.settings.model_fields.items():
            shown = code(f"{learner.name}.{key}")
            yield shown, _spec_default(field), learner.settings_help[key]


def _spec_default(field: Any, unit: str = "") -> str:
    if field.is_required():
        return "needed"
    default = field.get_default(call_default_factory=True)
    if isinstance(default, tuple):
        return code(f"[{', '.join(default)}]") if default else ""
    if isinstance(default, bool):
        return code(str(default).lower())
    return "" if default in (None, "", {}) else code(f"{default}{unit}")


def _column(column: Column) -> tuple[str, str, str]:
    holds = str(column.holds)
    if column.words:
        holds = f"one of {', '.join(map(code, column.words))}"
    elif column.negative:
        holds += ", which may be negative"
    return code(column.name), holds, "needed" if column.needed else ""


# Results


def results() -> Iterator[str]:
    schema = json_schema()
    yield "# Results"
    yield ""
    yield (
        "What each command prints with `--json`, and what the method of that name returns in "
        "Python, where a result has the same names as attributes. "
        "[results.schema.json](results.schema.json) is the same as JSON Schema: "
        "`commands` has the schema of each command, `answers` that of the `answer` of each "
        "question. Keys may be added from one version to the next. Amounts and "
        "probabilities are text, so that they stay exact; dates and times are as in ISO "
        "8601. Where there are Problems, `{problems: […]}` is printed instead."
    )
    yield ""
    for command, reference in schema["commands"].items():
        yield f"## {command}"
        yield ""
        yield from _result(schema["$defs"], _referred(reference))
    yield "## The answers of insight"
    yield ""
    for question, reference in schema["answers"].items():
        yield f"### insight {question}"
        yield ""
        yield from _result(schema["$defs"], _referred(reference))
    yield "## Metrics"
    yield ""
    yield (
        "What `--metrics FILE` writes as JSON; the values are numbers. `metrics` in the schema. As "
        "OpenMetrics text (`.prom`, `.txt`) it has the same metrics, all of them gauges."
    )
    yield ""
    yield from _result(schema["$defs"], _referred(schema["metrics"]))
    yield "## The parts of results"
    yield ""
    whole = (*schema["commands"].values(), *schema["answers"].values())
    results = {_referred(reference) for reference in (*whole, schema["metrics"])}
    for name, definition in schema["$defs"].items():
        if name not in results and definition["type"] == "object":
            yield f"### {name}"
            yield ""
            yield from _result(schema["$defs"], name)


def _referred(schema: Mapping[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _result(definitions: Mapping[str, Any], name: str) -> Iterator[str]:
    definition = definitions[name]
    yield " ".join(definition["description"].split())
    yield ""
    if definition["type"] == "array":
        yield f"A list of {_linked(_referred(definition['items']))}."
        yield ""
        return
    rows = (
        (code(key), _holds(value), " ".join(value.get("description", "").split()))
        for key, value in definition["properties"].items()
    )
    yield from table(("key", "holds", "what it is"), rows)


def _holds(schema: Mapping[str, Any]) -> str:
    """What a key holds, in a few words."""
    if "$ref" in schema:
        return _linked(_referred(schema))
    if "anyOf" in schema:
        return " or ".join(map(_holds, schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(code(str(value)) for value in schema["enum"])
    if "const" in schema:
        return code(str(schema["const"]))
    kind = schema.get("type", "any value")
    if kind == "array":
        inner = schema.get("items") or next(iter(schema.get("prefixItems", ())), {})
        return f"list of {_holds(inner)}" if inner else "list"
    if kind == "object" and isinstance(inner := schema.get("additionalProperties"), Mapping):
        return "a decision" if "properties" in schema else f"by name: {_holds(inner)}"
    if schema.get("format") in ("date", "date-time"):
        return "date" if schema["format"] == "date" else "time"
    words = {"string": "text", "boolean": "true or false", "number": "number", "null": "null"}
    kinds = [kind] if isinstance(kind, str) else kind
    return "any value" if len(kinds) > 3 else " or ".join(words.get(k, k) for k in kinds)


def _linked(name: str) -> str:
    words = {"Kind": "the kind of a fact", "Interval": "[estimate, low, high] at 95%"}
    if name in words:
        return words[name]
    # A result stands under the command that prints it.
    heading = {result.__name__: command for command, result in COMMANDS.items()}.get(name, name)
    return f"[{name}](#{heading.lower().replace(' ', '-')})"


PAGES: Mapping[str, Callable[[], Iterator[str]]] = {
    "commands.md": commands,
    "results.md": results,
    "problems.md": problems,
    "features.md": features,
    "language.md": language,
    "files.md": files,
}


def pages() -> dict[Path, str]:
    """The text of every generated page, by its place."""
    texts = {n: HEAD + "\n".join(page()).rstrip() + "\n" for n, page in PAGES.items()}
    texts["results.schema.json"] = json.dumps(json_schema(), indent=1) + "\n"
    for file, schema in strategy_schemas().items():
        texts[f"schemas/{schema_file(file)}"] = json.dumps(schema, indent=1) + "\n"
    return {REFERENCE / name: text for name, text in texts.items()}


def stale() -> list[str]:
    """The names of pages that are not as the code would have them."""
    return [
        path.name
        for path, text in pages().items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        if old := stale():
            sys.exit(f"not current: {', '.join(old)}. Run `make docs`.")
    else:
        REFERENCE.mkdir(exist_ok=True)
        for place, content in pages().items():
            place.parent.mkdir(exist_ok=True)
            place.write_text(content, encoding="utf-8")
