"""Sources that are a select over files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from riskseg.domain.problems import Problems, problem
from riskseg.domain.relations import literal
from riskseg.engine import Engine, EngineError, syntax_tree
from riskseg.sources.files import Files, all_forms, matching, other_kind
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
            select_fault = f"The select of {table} cannot be read: {error}"
            problems.add("RS006", select_fault, file=file, line=line)
        return False

    def relation(self, engine: Engine) -> str:
        def literals(named: Named) -> list[str]:
            return [engine.file(path) for path in matching(named.name, self.root)]

        return f"({with_files(self.text, self.named(), literals)}\n)"

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
