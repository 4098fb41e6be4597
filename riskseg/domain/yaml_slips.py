"""What people do wrong in YAML, in their words: where the reader stumbles, the line is looked at.

A reader of YAML says at which character it cannot go on. The slip is often some characters
before: a colon within a text, a comma that is missing, a sign with which no text can begin.
"""

from __future__ import annotations

import re
from contextlib import suppress

import yaml

from riskseg.domain.quotes import Slip, text_meant

_SIGNS = 'Put quotes around a text that holds ": " or begins with one of * & ! | > % @ `.'
_NO_COLON = "a key lacks its colon"
_CLOSING = r'a comma or the closing "\1" is missing'
# What PyYAML says of common slips, what they are, and what helps.
_SLIPS: tuple[tuple[str, str, str], ...] = (
    (
        r"found character '\\t'",
        "a tab stands where only spaces may",
        "Replace the tab with spaces.",
    ),
    (r"found character '(.)' that cannot", r'a text cannot begin with "\1"', _SIGNS),
    (
        r"mapping values are not allowed",
        "no key can stand here",
        f"Begin a key in the same column as its neighbours. {_SIGNS}",
    ),
    (
        r"expected <block end>",
        "this line is not in the same column as its neighbours",
        "Indent what belongs together alike.",
    ),
    (r"expected ',' or '(.)'", _CLOSING, _SIGNS),
    (r"could not find expected ':'", _NO_COLON, "Write a colon and a space behind the key."),
    (r"expected ' ', but found", "a tag is not used here", ""),
    (r"found another document", "a second document begins here", "Keep one in a file."),
    (r"found undefined alias (.*)", r"there is no anchor \1 above", _SIGNS),
    (
        r"found unknown escape character '(.*)'",
        r'"\\\1" means nothing between double quotes',
        "Put the text between single quotes: a backslash is a backslash there.",
    ),
)
# How a reader's words begin where it meets more than a text in quotes.
_BEHIND_A_QUOTE = ("expected", "mapping values are not allowed")
# How a quote stands within a text that is in such quotes.
_DOUBLED = {"'": "''", '"': '\\"'}
_WITHIN = {
    "'": "Within single quotes, write two of them for one: 'don''t'.",
    '"': 'Within double quotes, write \\" for one, or put the text between single quotes.',
}
_ODD_INDENT = re.compile(r"[ \t]*[\u00a0\u2000-\u200b\u202f\u3000\ufeff]")
_KEY = r"[A-Za-z_][\w-]*"
# `key: some text: more`, on a line of its own.
_COLON_IN_TEXT = re.compile(rf"\s*(?:- +)*({_KEY}): +([^\s\"'\[{{|>&*!].*:(?: .*)?)$")
_NO_SPACE = re.compile(rf"\s*(?:- +)*({_KEY}):([^\s:]\S*.*)$")
# What stands before the place where a reader stops: an entry of a mapping on one line.
_ENTRY = re.compile(rf"[{{,]?\s*({_KEY}): *([^{{}}\[\],]*)$")
_NEGATED = re.compile(r"[:,\[]\s*!(\w+)")


def hint_of_tag(tag: str) -> str:
    """What helps where a text begins with an exclamation mark: in conditions it stands for `not`
    in other languages."""
    if negated := re.fullmatch(r"!([A-Za-z_]\w*)", tag):
        return f"In a condition, write `not {negated[1]}`; put quotes around a text."
    return "Remove it, or put quotes around a text."


def slip_of(error: yaml.MarkedYAMLError, text: str) -> Slip:
    """A fault of the reader's, in the words of people who write such files."""
    position = error.problem_mark or error.context_mark
    line = position.line + 1 if position else None
    message, hint = error.problem or error.context or "it is not YAML", ""
    for yaml_words, plain_words, hint_of_slip in _SLIPS:
        if slip := re.search(yaml_words, message):
            message, hint = slip.expand(plain_words), hint_of_slip
            break
    begun = error.context_mark.line + 1 if error.context_mark else line
    if message == _NO_COLON:
        line = begun  # which is where the key is
    text_lines = text.splitlines()
    known_slip = (
        _quotes(error, text, text_lines)
        or _odd_indent(text_lines, line)
        or _on_line(text_lines, line, begun, position.column if position else 0, message)
    )
    if known_slip:
        return known_slip
    if begun != line:
        message += f", in what begins on line {begun}"
    return Slip(message, line, hint)


def _quotes(error: yaml.MarkedYAMLError, text: str, text_lines: list[str]) -> Slip | None:
    """The slip where a quote is not closed, or a text goes on behind its closing quote."""
    if error.problem == "found unexpected end of stream" and error.context_mark:
        opened = error.context_mark
        sign = text_lines[opened.line][opened.column]
        what = f"the quote {sign} in column {opened.column + 1} is not closed"
        return Slip(what, opened.line + 1, f"Write {sign} at the end of the text. {_WITHIN[sign]}")
    if not (error.problem or "").startswith(_BEHIND_A_QUOTE) or not error.problem_mark:
        return None
    place = error.problem_mark.index
    token = _quoted_before(text, place)
    if token is None:
        return None
    line, sign = token.start_mark.line + 1, token.style
    if token.end_mark.line > token.start_mark.line:
        what = f"the quote {sign} that is opened here is closed on line {token.end_mark.line + 1}"
        return Slip(what, line, f"Write {sign} at the end of the text. {_WITHIN[sign]}")
    column = token.start_mark.column
    before, whole = text_lines[line - 1][:column], text_lines[line - 1][column:]
    if (error.problem or "").startswith("mapping") and not before.rstrip().endswith(":"):
        return None  # a key in quotes, in a column of its own
    what = f"the text goes on behind its closing quote {sign}"
    other = "'" if sign == '"' else '"'
    if "{" in before or "[" in before:
        hint = f"Put {other} around the whole text in place of {sign}. {_WITHIN[sign]}"
        return Slip(what, line, hint)
    doubled = text_meant(whole, sign).replace(other, _DOUBLED[other])
    return Slip(what, line, f"Write `{before.strip()} {other}{doubled}{other}`.")


def _quoted_before(text: str, place: int) -> yaml.ScalarToken | None:
    """The text in quotes that ends where the reader stumbles, but for spaces."""
    with suppress(yaml.YAMLError):
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            if not isinstance(token, yaml.ScalarToken) or token.style not in ("'", '"'):
                continue
            end = token.end_mark.index
            if end <= place and not text[end:place].strip():
                return token
    return None


def _odd_indent(text_lines: list[str], line: int | None) -> Slip | None:
    for number in (line, (line or 0) - 1):
        if number and 0 < number <= len(text_lines) and _ODD_INDENT.match(text_lines[number - 1]):
            message = "it is indented with a character that only looks like a space"
            return Slip(message, number, "Indent with spaces.")
    return None


def _on_line(
    text_lines: list[str], line: int | None, begun: int | None, column: int, message: str
) -> Slip | None:
    """The slip that the characters around the place show, if it is a common one."""
    if not line or not 0 < line <= len(text_lines):
        return None
    text_line = text_lines[line - 1]
    if message == _NO_COLON and (joined := _NO_SPACE.match(text_line)):
        key, value = joined.groups()
        what = f'a space is missing behind the colon of "{key}"'
        return Slip(what, line, f"Write `{key}: {value.strip()}`.")
    if message == "no key can stand here" and (colon := _COLON_IN_TEXT.match(text_line)):
        key, value = colon[1], colon[2].strip()
        quoted = value.replace("'", "''")
        return Slip(f'the text of "{key}" holds ": "', line, f"Write `{key}: '{quoted}'`.")
    if message == "a tag is not used here" and (negated := _NEGATED.search(text_line)):
        what = f'"!{negated[1]}" is a tag'
        return Slip(what, line, hint_of_tag(f"!{negated[1]}"))
    entry = _ENTRY.search(text_line[:column])
    if message.startswith("a text cannot begin") and entry:
        return _wrong_beginning(entry[1], entry[2], text_line[column : column + 1], line)
    if message.startswith("a comma or the closing"):
        return _missing_comma(entry, text_lines, line, begun, message, text_line[column:])
    return None


def _wrong_beginning(key: str, before: str, sign: str, line: int) -> Slip | None:
    if before[:1] in ("*", "&"):
        what = f'the text of "{key}" cannot begin with "{before[0]}"'
        return Slip(what, line, f"Remove the {before[0]}, or put quotes around the text.")
    if ":" in before:
        what = f'the text of "{key}" holds a colon'
        return Slip(what, line, "Remove the colon, or put quotes around the text.")
    if not before.strip() and sign in "<>=":
        what = f'the text of "{key}" cannot begin with "{sign}"'
        return Slip(what, line, f"Begin a condition with the fact it compares: `FACT {sign} …`.")
    return None


def _missing_comma(
    entry: re.Match[str] | None,
    text_lines: list[str],
    line: int,
    begun: int | None,
    message: str,
    rest: str,
) -> Slip | None:
    if entry and rest.startswith(":"):
        *before, word = entry[2].split() or [""]
        if before and re.fullmatch(_KEY, word):
            what = f'a comma is missing before "{word}:", or the text of "{entry[1]}" holds a colon'
            return Slip(what, line, f'Write a comma before "{word}", or quotes around the text.')
        what = f'the text of "{entry[1]}" holds a colon'
        return Slip(what, line, "Put quotes around the text.")
    if begun and begun < line and text_lines[line - 1].lstrip().startswith("- "):
        sign = message[-13] if message[-13] in "]}" else "}"
        return Slip(f'the closing "{sign}" is missing', begun, f'Write "{sign}" at its end.')
    return None
