"""A strategy as a dbt package: a model of decisions over a source of facts, with its tests, the
words of its columns, and made-up accounts as seeds that test it in the warehouse."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from riskseg.domain.decision import COLUMNS, NO_ACTION
from riskseg.expressions.dialects import Dialect, SqlType, Writer
from riskseg.expressions.dialects.forms import NULL, TEXT, Column, Convert
from riskseg.rules.elements import in_force
from riskseg.strategy.warehouse.csv_text import csv_text
from riskseg.strategy.warehouse.days import Days
from riskseg.strategy.warehouse.facts_read import FactRead
from riskseg.strategy.warehouse.names import plain
from riskseg.strategy.warehouse.query import Query
from riskseg.strategy.warehouse.self_test import SelfTest

_WORDS = {column.name: column.description for column in COLUMNS}
_JINJA = re.compile(r"\{[{%#]")


def package(
    query: Query,
    test: SelfTest,
    facts: Sequence[FactRead],
    days: Days,
    dialect: Dialect,
    head: str,
) -> dict[str, str]:
    """The files of the package, by their place in its folder."""
    name = f"riskseg_{plain(query.strategy.name)}"
    macro, model = f"{name}_decisions", f"{name}_decisions"
    accounts, expected = f"{name}_test_accounts", f"{name}_test_decisions"
    sql = _escaped(query.sql(dialect, "RISKSEG_FACTS")).replace("RISKSEG_FACTS", "{{ facts }}")
    seeds = {seed.name: seed for seed in _seeds(accounts, expected, f"{name}_days", test, days)}
    return {
        "dbt_project.yml": _yaml(_project(name)),
        "README.md": _readme(name, model, query, dialect),
        f"macros/{macro}.sql": (
            f"{{% macro {macro}(facts) %}}\n{_escaped(head)}{sql}{{% endmacro %}}\n"
        ),
        f"models/{model}.sql": (
            "{{ config(materialized='table') }}\n\n"
            f"{{{{ {macro}(source('{name}', 'facts')) }}}}\n"
        ),
        f"models/{name}.yml": _yaml(_models(name, model, query, facts)),
        **{f"seeds/{seed}.csv": csv_text(s.columns, s.rows) for seed, s in seeds.items()},
        f"seeds/{name}.yml": _yaml(
            {"version": 2, "seeds": [seed.described(dialect) for seed in seeds.values()]}
        ),
        f"tests/{name}_decides_as_riskseg.sql": _singular(macro, accounts, expected, test, dialect),
    }


def _project(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "version": "1.0.0",
        "config-version": 2,
        "profile": name,
        "model-paths": ["models"],
        "macro-paths": ["macros"],
        "seed-paths": ["seeds"],
        "test-paths": ["tests"],
    }


def _models(name: str, model: str, query: Query, facts: Sequence[FactRead]) -> dict[str, Any]:
    source_columns = [
        {"name": "account_id", "description": "The account.", "data_tests": ["not_null", "unique"]}
    ]
    for fact in facts:
        column: dict[str, Any] = {"name": fact.column, "description": _escaped(fact.meaning)}
        if not fact.nullable:
            column["data_tests"] = ["not_null"]
        source_columns.append(column)
    schema = "{{ var('riskseg_facts_schema', target.schema) }}"
    identifier = "{{ var('riskseg_facts', 'facts') }}"
    table = {
        "name": "facts",
        "identifier": identifier,
        "description": "What is known of each account as of a day: one row an account.",
        "columns": source_columns,
    }
    return {
        "version": 2,
        "sources": [{"name": name, "schema": schema, "tables": [table]}],
        "models": [
            {
                "name": model,
                "description": _escaped(
                    f"The decision on each account by the strategy {query.strategy.name} "
                    f"{query.strategy.fingerprint}."
                ),
                "columns": [*_decided_columns(query)],
            }
        ],
    }


def _decided_columns(query: Query) -> Iterator[dict[str, Any]]:
    strategy = query.strategy
    paths = [path.name for path in in_force(strategy.paths, query.day)]
    actions = [NO_ACTION, *(action.name for action in strategy.actions)]
    accepted: dict[str, Sequence[str]] = {
        **{band.name: band.levels for band in strategy.bands},
        **{scheme.name: scheme.levels for scheme in strategy.schemes},
        "segment": strategy.segments,
        "path": paths,
        "due_action": actions,
        "action": actions,
    }
    yield {"name": "account_id", "data_tests": ["not_null", "unique"]}
    yield {"name": "as_of", "description": "The as-of date.", "data_tests": ["not_null"]}
    for name, output in query.outputs.items():
        column: dict[str, Any] = {"name": output}
        if words := _WORDS.get(name):
            column["description"] = _escaped(f"{words[0].upper()}{words[1:]}.")
        if name in accepted:
            values = {"accepted_values": {"values": [_escaped(v) for v in accepted[name]]}}
            column["data_tests"] = ["not_null", values]
        yield column


@dataclass(frozen=True)
class _Seed:
    """A table of the package; with `as_text`, all of it is text, as a test needs: the query casts
    what it reads itself."""

    name: str
    description: str
    columns: Mapping[str, SqlType]
    rows: Sequence[Mapping[str, Any]]
    as_text: bool = True

    def described(self, dialect: Dialect) -> dict[str, Any]:
        types = {
            dialect.quoted(column): dialect.type_name(TEXT if self.as_text else type_)
            for column, type_ in self.columns.items()
        }
        config = {"column_types": types}
        return {"name": self.name, "description": self.description, "config": config}


def _seeds(
    accounts: str, expected: str, of_days: str, test: SelfTest, days: Days
) -> Iterator[_Seed]:
    given, decided = _distinguished(test)
    words = "Made-up accounts that test the query."
    yield _Seed(accounts, words, test.account_columns, given)
    yield _Seed(expected, "What riskseg decides for them.", test.query.columns, decided)
    if days.rows:
        words = "What calendars say of each day, for the table of facts."
        yield _Seed(of_days, words, days.columns, days.rows, as_text=False)


def _singular(macro: str, accounts: str, expected: str, test: SelfTest, dialect: Dialect) -> str:
    writer = Writer(dialect)
    typed = {
        name: writer.line(Convert(Column(name, NULL), type_))
        for name, type_ in test.query.columns.items()
    }
    # A seed does not tell an empty text from an unknown, and `guards` is never unknown.
    typed["guards"] = f"coalesce({typed['guards']}, '')"
    listed = (f"{sql} as {dialect.quoted(name)}" for name, sql in typed.items())
    columns = ",\n        ".join(listed)
    return (
        "-- It gives a row for each account that this warehouse decides otherwise than riskseg.\n"
        f"with decisions as (\n    {{{{ {macro}(ref('{accounts}')) }}}}\n),\n\n"
        f"expected_decisions as (\n    select\n        {columns}\n"
        f"    from {{{{ ref('{expected}') }}}}\n)\n\n"
        f"{_escaped(test.differences(dialect, 'decisions', 'expected_decisions'))}"
    )


def _distinguished(
    test: SelfTest,
) -> tuple[Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]]]:
    """The accounts and decisions that a seed can hold: it does not tell an empty text from an
    unknown."""
    kept = [
        number
        for number, rows in enumerate(zip(test.accounts, test.expected, strict=True))
        if not any(
            value in ("", "null") and name != "guards"
            for row in rows
            for name, value in row.items()
        )
    ]
    return [test.accounts[n] for n in kept], [test.expected[n] for n in kept]


def _yaml(content: Mapping[str, Any]) -> str:
    text: str = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
    return text


def _escaped(text: str) -> str:
    """A text in which nothing is a template of Jinja."""
    return _JINJA.sub(lambda match: "{{ '" + match[0] + "' }}", text)


def _readme(name: str, model: str, query: Query, dialect: Dialect) -> str:
    return f"""\
# {query.strategy.name}, for dbt on {dialect.title}

`{model}` decides every account of the source `facts`: one row an account, with its segment, path,
step and action. It was written by riskseg from the strategy {query.strategy.name}
{query.strategy.fingerprint}; change the strategy and export it again, not these files.

1. Make the table of facts. `models/{name}.yml` lists its columns and what each means. Its schema
   and name are the variables `riskseg_facts_schema` and `riskseg_facts`. riskseg writes it as of a
   day: `riskseg strategy facts --as-of DAY --out URL#SCHEMA.NAME`. Of several days in it, read one
   through a view: each account is there once.
2. `dbt seed` loads the made-up accounts, and `dbt test --select {name}_decides_as_riskseg` compares
   what this warehouse decides for them with what riskseg decides.
3. `dbt build` makes the model and runs all tests.
"""
