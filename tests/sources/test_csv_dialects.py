"""Whatever Python's csv module writes is read back equal, in twelve dialects."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskseg.engine import DuckDB
from tests.sources.reading import read_by


@dataclass(frozen=True)
class Dialect:
    delimiter: str = ","
    quoting: int = csv.QUOTE_MINIMAL
    line_end: str = "\n"
    encoding: str = "utf-8"
    quote: str = '"'
    first_line: str = ""

    @property
    def options(self) -> dict[str, object]:
        """What riskseg.toml says of such a file."""
        stated: dict[str, object] = {}
        if not self.encoding.startswith("utf-8"):
            stated["encoding"] = self.encoding
        if self.quote != '"':
            stated["quote"] = self.quote
        if self.first_line and not self.first_line.startswith("sep="):
            stated["header_row"] = 1 + self.first_line.count("\n")
        return stated


DIALECTS = [
    Dialect(),
    Dialect(line_end="\r\n"),
    Dialect(line_end="\r"),
    Dialect(quoting=csv.QUOTE_ALL),
    Dialect(";", csv.QUOTE_NONNUMERIC, "\r\n"),
    Dialect("\t", line_end="\r\n", encoding="utf-8-sig"),
    Dialect("|", csv.QUOTE_ALL, encoding="utf-8-sig"),
    Dialect(";", encoding="windows-1252"),
    Dialect("\t", csv.QUOTE_ALL, "\r\n", encoding="utf-16"),
    Dialect(quote="'"),
    Dialect(";", first_line="sep=;\n"),
    Dialect(",", csv.QUOTE_ALL, "\r\n", first_line='Overdue, "all"\n\n'),
]
NAMES = st.lists(
    st.sampled_from(["account_id", "#no", "amount, net", 'a "b"', "two\nlines", "ü", "x y"]),
    min_size=2, max_size=5, unique=True,
)  # fmt: skip
# What confuses readers: delimiters, quotes, line ends, comments, blanks, numbers, dates.
VALUES = st.one_of(
    st.sampled_from(
        [
            "",
            "#1002",
            "# note",
            "00123",
            "1,234.50",
            "1.234,56",
            'say "no"',
            '"',
            "'",
            '""',
            "a\nb",
            "a\r\nb",
            "a\rb",
            " padded ",
            "true",
            "2025-01-31",
            "NULL",
            "NA",
            "\\",
            "\\N",
            "a;b|c\td",
            "Müller",
            "1e5",
            "-",
            '5" pipe',
            "' or '",
            ",",
            ";",
        ]
    ),
    st.text(alphabet=st.sampled_from(list(",;|\t\"'#\\ab1é \n\r")), max_size=8),
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDB]:
    folder = tmp_path_factory.mktemp("csv")
    with DuckDB(reads=[folder / "a.csv"], threads=2) as opened:
        opened.folder = folder  # type: ignore[attr-defined]
        yield opened


@pytest.mark.parametrize("number", range(len(DIALECTS)))
@settings(max_examples=15, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_what_the_csv_module_writes_is_read_back(
    engine: DuckDB, number: int, data: st.DataObject
) -> None:
    dialect = DIALECTS[number]
    names = data.draw(NAMES)
    rows = data.draw(st.lists(st.lists(VALUES, min_size=len(names), max_size=len(names)),
                              max_size=12))  # fmt: skip
    if dialect.quoting == csv.QUOTE_MINIMAL:
        # The module puts quotes around the line ends of its dialect, and around no others.
        others = str.maketrans(dict.fromkeys({"\r", "\n"} - {*dialect.line_end}, "_"))
        rows = [[value.translate(others) for value in row] for row in rows]
        names = [name.translate(others) for name in names]
    text = io.StringIO(newline="")
    writer = csv.writer(
        text,
        delimiter=dialect.delimiter,
        quoting=dialect.quoting,  # type: ignore[arg-type]
        quotechar=dialect.quote,
        lineterminator=dialect.line_end,
    )
    writer.writerow(names)
    writer.writerows(rows)
    content = dialect.first_line + text.getvalue()
    folder: Path = engine.folder  # type: ignore[attr-defined]
    (folder / "a.csv").write_bytes(content.encode(dialect.encoding))
    options = dialect.options
    if any({*name} & {*",;\t|"} for name in names):
        options["delimiter"] = dialect.delimiter
    columns, found, counted = read_by(engine, folder, "a.csv", "accounts", **options)
    assert columns == names
    assert found == [tuple(value or None for value in row) for row in rows]
    assert counted == len(rows)
