"""What a header's name says: its likeness to the names that people give to each meaning."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Literal

import yaml
from rapidfuzz import fuzz

from riskseg.domain.currencies import is_known

ValueKind = Literal["id", "date", "money", "word", "flag"]

# Likeness of the same tokens in another order, and of those beside others that say nothing.
REORDERED, BESIDE_OTHERS = 0.97, 0.93
# The least likeness of spellings that counts, the shortest name for which it does, and by how much
# it is worth less than the name itself.
NEARLY, SHORTEST, SPELLING = 0.82, 6, 0.95


@dataclass(frozen=True)
class Meaning:
    """A meaning that a column may have: the look of its values, and names people give it."""

    name: str
    kind: ValueKind
    aliases: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Dictionary:
    """All that `meanings.yaml` says."""

    meanings: Mapping[str, Meaning]
    columns: Mapping[str, Mapping[str, tuple[str, ...]]]
    table_words: Mapping[str, tuple[str, ...]]
    event_words: Mapping[str, tuple[str, ...]]
    spellings: Mapping[str, str]
    ignored: frozenset[str]


@cache
def dictionary() -> Dictionary:
    """The meanings that are known."""
    text = files("riskseg.sources.matching").joinpath("meanings.yaml").read_text(encoding="utf-8")
    data = yaml.safe_load(text)
    spellings = {
        str(spelling): token for token, alike in data["tokens"].items() for spelling in alike
    }
    ignored = frozenset(map(str, data["ignored"]))
    meanings = {
        name: Meaning(
            name, said["kind"], tuple(_tokens(alias, spellings) for alias in said["aliases"])
        )
        for name, said in data["meanings"].items()
    }
    columns = {
        table: {column: tuple(names) for column, names in of_table.items()}
        for table, of_table in data["columns"].items()
    }
    return Dictionary(
        meanings,
        columns,
        {table: tuple(words) for table, words in data["tables"].items()},
        {kind: tuple(words) for kind, words in data["event_words"].items()},
        spellings,
        ignored,
    )


def _tokens(name: str, spellings: Mapping[str, str]) -> tuple[str, ...]:
    spaced = re.sub(r"([a-z0-9])([A-Z])|([A-Z])(?=[A-Z][a-z])", r"\1\3 \2", name)
    parts = re.findall(r"[^\W\d_]+|\d+|#", spaced.lower())
    return tuple(spellings.get(part, part) for part in parts)


def tokens(name: str) -> tuple[str, ...]:
    """The words of a header, each in one spelling: `custNo` is customer, number."""
    return _tokens(name, dictionary().spellings)


@lru_cache(maxsize=4096)
def likeness(header: str) -> Mapping[str, float]:
    """How like a header is to each meaning, from 0 to 1; what is not like at all is left out."""
    of_header = tokens(header)
    telling = tuple(
        token
        for token in of_header
        if token not in dictionary().ignored and not token.isdigit() and not is_known(token)
    )
    likenesses = {
        meaning.name: max(_alike(of_header, telling, alias) for alias in meaning.aliases)
        for meaning in dictionary().meanings.values()
    }
    return {name: alike for name, alike in likenesses.items() if alike > 0}


def _alike(header: tuple[str, ...], telling: tuple[str, ...], alias: tuple[str, ...]) -> float:
    joined, of_alias = "".join(header), "".join(alias)
    if header == alias or joined == of_alias:
        return 1.0
    if sorted(header) == sorted(alias):
        return REORDERED
    if telling and sorted(telling) == sorted(alias):
        return BESIDE_OTHERS
    spelt = max(fuzz.ratio(joined, of_alias), fuzz.ratio("".join(telling), of_alias)) / 100
    if spelt >= NEARLY and min(len(joined), len(of_alias)) >= SHORTEST:
        return spelt * SPELLING
    return 0.0


def table_word(name: str) -> str | None:
    """The table that a file's name speaks for, where it speaks for one."""
    of_name = {part.removesuffix("s") for part in tokens(name)} | {*tokens(name)}
    said = [table for table, words in dictionary().table_words.items() if of_name & {*words}]
    return said[0] if len(said) == 1 else None


def event_kind(word: str) -> str | None:
    """The contract's kind that a source's word for an event likely means."""
    of_word = {*tokens(word)} | set(re.findall(r"[a-z]+", word.lower()))
    said = [kind for kind, words in dictionary().event_words.items() if of_word & {*words}]
    return said[0] if said else None


def shown_names(names: Iterable[str]) -> str:
    """Names in a list for people."""
    return ", ".join(names)
