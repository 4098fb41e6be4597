"""Sources that are a select over files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path

from riskseg.domain.problems import Problem, Problems, problem
from riskseg.domain.relations import literal
from riskseg.engine import Engine, EngineError, syntax_tree
from riskseg.sources.csv_in_select import CsvRead, csv_read, reads_csv
from riskseg.sources.files import Files, all_forms, other_kind
from riskseg.sources.sql_text import (
    Named,
    NoTableError,
    NotAllowedError,
    files_named,
    reader,
    with_files,
)

_FILE = re.compile(r"'[^']*\.(parquet|pq|csv|tsv|txt)(\.gz)?'", re.IGNORECASE)


class Select(Files):
    form = "a select over files"
    # By the place in the text where files are read together.
    _csv: Mapping[int, CsvRead] | None = None

    @classmethod
    def reads(cls, loaded_from: str) -> bool:
        words = loaded_from.split(None, 1)
        return bool(words) and words[0].lower() in ("select", "with", "from")

    @property
    def text(self) -> str:
        """The select without what may stand at its end."""
        return self.source.loaded_from.strip().rstrip(";")

    @property
    def place(self) -> str:
        return f"select of {self.source.table}"

    @property
    def definition(self) -> str | None:
        return _FILE.sub("''", self.source.loaded_from)

    def named(self) -> list[Named]:
        """The files that it names, and where. Raises EngineError for a select that cannot be
        parsed, NotAllowedError for one that reads something other than files."""
        return files_named(self.text, syntax_tree(self.text))

    def names(self) -> list[str]:
        return [named.name for named in self.named()]

    def check(self, problems: Problems) -> bool:
        table, file, line = self.source.table, self.source.file, self.source.lines.get("from")
        try:
            return super().check(problems)
        except NotAllowedError as error:
            problem_code = "RS006" if isinstance(error, NoTableError) else "RS012"
            select_fault = f"{table} cannot be selected so: {error}."
            problems.add(
                problem_code, select_fault, file=file, line=line, hint=f"Name {all_forms()}."
            )
        except EngineError as error:
            select_fault = f"The select of {table} cannot be read: {error.reason}."
            problems.add("RS006", select_fault, file=file, line=line)
        return False

    def prepare(self, engine: Engine, problems: Problems) -> bool:
        """Whether its CSV files can be read as they are said to be."""
        before, form, table = len(problems), self.source.read.text_form, self.source.table
        csv: dict[int, CsvRead] = {}
        for place, together in groupby(filter(reads_csv, self.named()), key=_place):
            names = list(together)
            paths = [path for named in names for path in self.matching(named.name)]
            found = csv_read(engine, names[0], paths, form, table)
            if isinstance(found, CsvRead):
                csv[place] = found
                continue
            for path, faults in found.items():
                problems.extend(
                    Problem(fault.code, fault.message, self.shown(path), fault.line, fault.hint)
                    for fault in faults
                )
        self._csv = csv
        return len(problems) == before

    def relation(self, engine: Engine) -> str:
        if self._csv is None:
            self.prepare_or_raise(engine)
        csv = self._csv or {}

        def literals(named: Named) -> list[str]:
            paths = self.matching(named.name)
            if _place(named) in csv:
                paths = [csv[_place(named)].files[path] for path in paths]
            return [engine.file(path) for path in paths]

        def options(named: Named) -> Mapping[str, str]:
            return csv[_place(named)].options if _place(named) in csv else {}

        return f"({with_files(self.text, self.named(), literals, options)}\n)"

    def content(self, engine: Engine) -> Iterator[bytes]:
        """The rows that it gave: the same files give others where the select has them."""
        rows = f"select count(*), sum(cast(hash(t) as hugeint)) from {self.source.table} t"
        yield repr(engine.rows(rows)).encode()

    def index_columns(self, engine: Engine, columns: Iterable[str]) -> set[str]:
        """Less those that the select names itself."""
        text = self.source.loaded_from
        index = super().index_columns(engine, columns)
        return {
            index_column
            for index_column in index
            if not re.search(rf"\b{re.escape(index_column)}\b", text)
        }

    def replaced_by(self, file: Path) -> str:
        try:
            files_named_in_it = self.named()
        except (EngineError, NotAllowedError):  # said of riskseg.toml when it is loaded
            return self.source.loaded_from
        if len({file_named.name for file_named in files_named_in_it}) != 1:
            raise problem(
                "RS013",
                "Accounts are selected from several files, and --from can stand for one alone.",
                file=self.source.file,
                line=self.source.lines.get("from"),
                hint="Set `from` in [source.accounts].",
            )
        path = str(file.resolve())
        function = reader(files_named_in_it[0].name)
        if function and reader(path) != function:
            ending = files_named_in_it[0].name.rsplit(".", 1)[-1]
            raise other_kind(file, f"a .{ending} file, as the select in riskseg.toml reads")
        return with_files(self.text, files_named_in_it, lambda _: [literal(path)])


def _place(named: Named) -> int:
    """Where files are read together: the names in one call are."""
    return named.start if named.call is None else named.call.close
