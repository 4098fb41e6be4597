"""Records are the same wherever a file is cut into blocks, and agree with Python's csv module."""

from __future__ import annotations

import csv
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from riskseg.sources.records import Dialect, UnclosedQuoteError, record_blocks

DIALECT = Dialect(b",", b'"')
TEXTS = st.text(alphabet=st.sampled_from(list('ab,"\n\r ')), max_size=40)


def lines(pieces: list[bytes]) -> list[tuple[int, bytes, int]] | None:
    """The number, content and width of each line; None where a quote is not closed."""
    found = []
    try:
        for records in record_blocks(pieces, DIALECT):
            starts, stops = records.spans
            for start, stop, width in zip(starts, stops, records.widths(), strict=True):
                found.append((records.line_at(start), records.data[start:stop], int(width)))
    except UnclosedQuoteError:
        return None
    return found


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(text=TEXTS, size=st.integers(1, 9))
def test_where_a_file_is_cut_makes_no_difference(text: str, size: int) -> None:
    data = text.encode()
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    assert lines(pieces) == lines([data])
    if "\n\n" not in text and "\r" not in text and lines([data]) is not None:
        counts = [records.count(blank=True) for records in record_blocks(pieces, DIALECT)]
        assert sum(counts) == len(lines([data]) or [])


@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(rows=st.lists(st.lists(TEXTS, min_size=2, max_size=4), max_size=8))
def test_the_lines_are_those_that_the_csv_module_wrote(rows: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(rows)
    found = lines([text.getvalue().encode()])
    assert found is not None
    assert [width for *_, width in found] == [len(row) for row in rows]
