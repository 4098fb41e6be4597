"""How a layout fills one column of the contract, and the SQL that does it.

No value is lost on the way: what is not a date, an amount or a known word stays as the text that it
was, so that the contract finds it and names the row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pydantic import Field, model_validator

from riskseg.domain.documents import Shape
from riskseg.domain.relations import literal, quoted

# A name begins with a letter: `{4}` in a pattern is none.
_PLACEHOLDER = re.compile(r"\{(date:)?([A-Za-z][^{}]*)\}")


def plain(name: str) -> str:
    """A header as layouts compare it: small letters and digits alone, so that `Customer No.`,
    `Customer_No` and `customer no` are one name."""
    return re.sub(r"[\W_]", "", name.lower())


class Headers:
    """The columns that a source has, found by the names that a layout gives them."""

    def __init__(self, headers: Iterable[str]) -> None:
        self._by_plain: dict[str, str] = {}
        for header in headers:
            self._by_plain.setdefault(plain(header), header)

    def first(self, names: Iterable[str]) -> str | None:
        """The first of these names that the source has, as the source spells it."""
        return next((self._by_plain[plain(n)] for n in names if plain(n) in self._by_plain), None)

    def filled(self, sql: str, dates: Dates) -> str | None:
        """SQL with the source's own column for every `{name}` or `{name|other name}`, and the day
        that it holds for `{date:name}`; None where the source lacks one."""
        headers = {names: self.first(names.split("|")) for _, names in _PLACEHOLDER.findall(sql)}
        if None in headers.values():
            return None

        def column(match: re.Match[str]) -> str:
            header = quoted(str(headers[match[2]]))
            return dates.sql(header) if match[1] else header

        return _PLACEHOLDER.sub(column, sql)


class Credit(Shape):
    """The column that tells credits from debits, and the values that mean a credit."""

    column: list[str]
    values: list[str]


class LayoutColumn(Shape):
    """How one column is filled: by the first of the columns named under `id`, `date`, `money` or
    `word` that is there, or by an expression over `{columns}` in `sql`. A `word` becomes what
    `values` says of it. An amount is a credit where the column of `credit` says so, has the other
    sign with `negate`, and has its sign behind it with `sign_last`."""

    id: list[str] | None = None
    date: list[str] | None = None
    money: list[str] | None = None
    word: list[str] | None = None
    sql: list[str] | None = None
    values: dict[str, str] = Field(default_factory=dict)
    otherwise: str | None = None
    credit: Credit | None = None
    negate: bool = False
    sign_last: bool = False
    unconfirmed: str | None = None
    """What no real extract has confirmed of this column."""

    @model_validator(mode="after")
    def _one_way(self) -> LayoutColumn:
        ways = [self.id, self.date, self.money, self.word, self.sql]
        if sum(way is not None for way in ways) != 1:
            raise ValueError("one of id, date, money, word and sql says how it is filled")
        return self

    @property
    def names(self) -> list[str]:
        """The columns that may fill it, in order; none where an expression does."""
        return self.id or self.date or self.money or self.word or []

    def filled(self, headers: Headers, dates: Dates) -> str | None:
        """The SQL expression that fills the column from a source with these headers; None where it
        cannot be filled from them."""
        if self.sql is not None:
            expressions = (headers.filled(expression, dates) for expression in self.sql)
            return next((expression for expression in expressions if expression), None)
        header = headers.first(self.names)
        if header is None:
            return None
        if self.date is not None:
            return dates.sql(quoted(header))
        if self.money is not None:
            return self._money(header, headers)
        if self.word is not None:
            return words_sql(quoted(header), self.values, self.otherwise)
        return quoted(header)

    def _money(self, header: str, headers: Headers) -> str | None:
        amount = quoted(header)
        if self.sign_last:
            text = f"trim(cast({amount} as varchar))"
            amount = rf"regexp_replace({text}, '^(.*)-$', '-\1')"
        if self.negate:
            amount = negated(amount)
        if self.credit is None:
            return amount
        indicator = headers.first(self.credit.column)
        if indicator is None:
            return None
        values = ", ".join(map(literal, self.credit.values))
        text = f"trim(cast({quoted(indicator)} as varchar))"
        debit = f"cast({amount} as varchar)"
        return f"case when {text} in ({values}) then {negated(amount)} else {debit} end"


class Dates:
    """How a system writes dates: which stand for no date at all, and in which order the parts of
    others come (`ymd`, `dmy` or `mdy`)."""

    def __init__(self, nulls: Iterable[str] = (), order: str = "ymd") -> None:
        self._nulls = ["", *nulls]
        self._order = order

    def sql(self, column: str) -> str:
        text = f"cast({column} as varchar)"
        nulls = ", ".join(map(literal, self._nulls))
        return f"case when left(trim({text}), 10) in ({nulls}) then null else {self._iso(text)} end"

    def _iso(self, text: str) -> str:
        """The date as year-month-day where it is written in the order of the system; else the text
        as it is."""
        if self._order == "ymd":
            pattern, parts = r"^\s*(\d{4})[-/.]?(\d{2})[-/.]?(\d{2})(?:0{6})?\s*$", r"\1-\2-\3"
            return f"regexp_replace({text}, {literal(pattern)}, {literal(parts)})"
        pattern = r"^\s*(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})\s*$"
        parts = r"\3-\2-\1" if self._order == "dmy" else r"\3-\1-\2"
        unseparated = r"^\s*(\d{2})(\d{2})(\d{4})\s*$"
        iso = f"regexp_replace({text}, {literal(pattern)}, {literal(parts)})"
        iso = f"regexp_replace({iso}, {literal(unseparated)}, {literal(parts)})"
        # 05 Jan 2026, as people write it.
        spelt = f"try_strptime(trim({text}), '%d %b %Y')"
        return f"coalesce(strftime({spelt}, '%Y-%m-%d'), {iso})"


def negated(column: str) -> str:
    """SQL of an amount with the other sign, as a text: what is no amount stays what it is."""
    text = f"trim(cast({column} as varchar))"
    return f"case when {text} like '-%' then substr({text}, 2) else '-' || {text} end"


def words_sql(column: str, values: Mapping[str, str], otherwise: str | None) -> str:
    """SQL of a source's own words as the contract's; other words stay as they are, or become
    `otherwise`, of which an empty text is null."""
    text = f"trim(cast({column} as varchar))"
    if not values and otherwise is None:
        return text
    arms = " ".join(
        f"when {literal(theirs)} then {literal(ours) if ours else 'null'}"
        for theirs, ours in values.items()
    )
    rest = text if otherwise is None else literal(otherwise) if otherwise else "null"
    return f"case {text} {arms} else {rest} end" if arms else rest
