"""Blanks around texts: more characters than the space that a keyboard has."""

from __future__ import annotations

from riskseg.domain.relations import literal

# All that Unicode calls white space, and the characters without a width that stand in copied text.
BLANKS = (
    "\t\n\v\f\r \x85\xa0\u1680"
    + "".join(map(chr, range(0x2000, 0x200E)))
    + "\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
)


def trimmed(text: str) -> str:
    """SQL of a text, given as SQL, without blanks around it."""
    return f"trim({text}, {literal(BLANKS)})"


def is_blank_sql(text: str) -> str:
    """SQL of whether a text, given as SQL, is nothing but blanks; null where it is null.

    Trimming is many times the work of all other checks of a row, and hardly any text needs it: one
    that begins with a visible character of ASCII is not blank."""
    return f"case when ascii({text}) between 33 and 126 then false else {trimmed(text)} = '' end"


def word_sql(value: str) -> str:
    """SQL of a value, given as SQL, as a word of the contract: these are all in small letters."""
    return f"lower({trimmed(f'cast({value} as varchar)')})"
