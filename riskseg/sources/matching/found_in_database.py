"""The tables of a database that may be those of the contract, described by some of their rows."""

from __future__ import annotations

import os
import re

from riskseg.domain.relations import quoted
from riskseg.engine import Engine
from riskseg.sources.database_connections import Connections, Database
from riskseg.sources.matching.found import Found
from riskseg.sources.matching.names import likeness
from riskseg.sources.matching.profile import ENOUGH_ROWS, profiles
from riskseg.sources.matching.proposal import SURE
from riskseg.sources.reader import open_source
from riskseg.workspace import Source

# Columns are looked at of so many tables, and rows of so many.
MOST_TABLES, MOST_READ = 400, 30
# What a table of the contract tells of.
_TELLING = ("account", "party", "bill", "due", "paid", "bill_amount", "paid_amount")


def is_address(source: str) -> bool:
    """Whether what `--from` names is the address of a database."""
    return re.match(r"[a-zA-Z][\w+.-]*://", source) is not None


def whole_address(url: str) -> str:
    """The address with the whole path of a file of SQLite, which is looked up from here."""
    file = re.fullmatch(r"(sqlite(?:\+\w+)?:///)([^/].*)", url)
    return url if file is None else file[1] + os.path.abspath(file[2])


def survey_database(engine: Engine, url: str, connections: Connections) -> list[Found]:
    """The likeliest tables of a database. Raises the Problems of an address that cannot be read."""
    asked = Source("tables", "", {}, file="--from", url=url)
    database = connections.to(asked)
    scored = []
    for name in database.tables(asked)[:MOST_TABLES]:
        headers = [c.name for c in database.columns(_source(name, name, url))]
        alike = {
            meaning for header in headers for meaning, v in likeness(header).items() if v >= SURE
        }
        scored.append((-len(alike & {*_TELLING}), name))
    likely = [name for score, name in sorted(scored) if score][:MOST_READ]
    return [
        _found(engine, number, name, url, database, connections)
        for number, name in enumerate(sorted(likely))
    ]


def _source(table: str, loaded_from: str, url: str) -> Source:
    return Source(table, loaded_from, {}, file="--from", url=url)


def _found(
    engine: Engine, number: int, name: str, url: str, database: Database, connections: Connections
) -> Found:
    some = _source(f"found {number}", database.first_rows(name, ENOUGH_ROWS), url)
    reader = open_source(some, connections.root)
    reader.connect(connections)
    columns = reader.describe(engine)
    reader.read(engine, None)
    relation = reader.relation(engine)
    rows = int(engine.value(f"select count(*) from {relation}"))
    described = profiles(engine, relation, columns)
    called = name.rpartition(".")[2].strip(quoted("")[:1])
    partial = rows >= ENOUGH_ROWS
    return Found(called, name, relation, rows, described, in_database=True, partial=partial)
