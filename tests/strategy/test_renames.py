"""Another name for a segment, a path, an action or a row is one change, and nobody moves for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from riskseg.rules.proof_account import Granted
from riskseg.strategy.changes import changes
from riskseg.strategy.proof.ask import Asker
from riskseg.strategy.proof.difference import meaning
from tests.support.strategies import SMALL, edition_of

PROPERTY = (
    "- prove: segment <> 'trace' or path in ('trace', 'leave') or action = 'sms'\n"
    "  name: the_traced\n  unknown: match\n"
)
OLD = {**SMALL, "guards.yaml": SMALL["guards.yaml"].replace("- hold", PROPERTY + "- hold")}


def with_names(**names: str) -> dict[str, str]:
    """The strategy with other names, wherever they stand as words of their own."""
    texts = dict(OLD)
    for was, now in names.items():
        word = re.compile(rf"(?<![\w-]){was}(?![\w-])")
        texts = {file: word.sub(now, text) for file, text in texts.items()}
    return texts


def in_one_file(file: str, *changed: tuple[str, str]) -> dict[str, str]:
    texts = dict(OLD)
    for was, now in changed:
        assert was in texts[file]
        texts[file] = texts[file].replace(was, now)
    return texts


RENAMED = {
    "segment and path": (
        with_names(leave="quiet"),
        ["segments.yaml segment leave: leave quiet", "paths.yaml path leave: leave quiet"],
    ),
    "a path that others go on to": (
        {
            **in_one_file("paths.yaml", ("trace: {", "find: {"), ("then: trace", "then: find")),
            "guards.yaml": OLD["guards.yaml"].replace("path in ('trace'", "path in ('find'"),
        },
        ["paths.yaml path trace: trace find"],
    ),
    "an action": (with_names(letter="mail"), ["strategy.yaml action letter: letter mail"]),
    "a row": (
        in_one_file("segments.yaml", ("id: rest", "id: others")),
        ["segments.yaml row rest: rest others"],
    ),
    "a guard": (
        in_one_file("guards.yaml", ("guard: vulnerable", "guard: spared")),
        ["guards.yaml guard vulnerable: vulnerable spared"],
    ),
    "a level": (
        {file: text.replace("high", "steep") for file, text in OLD.items()},
        ["strategy.yaml band risk, level high: high steep"],
    ),
}


@pytest.mark.parametrize(("texts", "renamed"), RENAMED.values(), ids=RENAMED)
def test_another_name_is_one_change(
    texts: dict[str, str], renamed: list[str], tmp_path: Path
) -> None:
    found = changes(edition_of(tmp_path / "old", OLD), edition_of(tmp_path / "new", texts))
    renames = [c for c in found if c.kind == "renamed"]
    assert [f"{c.file} {c.item}: {c.was} {c.now}" for c in renames] == renamed
    assert all(c.old_line and c.new_line for c in renames)
    # Cells that name a level say another word.
    assert {c.part for c in found if c.kind != "renamed"} <= {"risk"}


NOT_RENAMED = {
    "other steps": in_one_file(
        "paths.yaml", ("trace: {", "find: {"), ("then: trace", "then: find"), ("day: 10", "day: 11")
    ),
    "another channel": with_names(sms="text"),
}


@pytest.mark.parametrize("texts", NOT_RENAMED.values(), ids=NOT_RENAMED)
def test_what_also_changes_is_removed_and_added(texts: dict[str, str], tmp_path: Path) -> None:
    texts["guards.yaml"] = texts["guards.yaml"].replace("path in ('trace'", "path in ('chase'")
    found = changes(edition_of(tmp_path / "old", OLD), edition_of(tmp_path / "new", texts))
    assert {"added", "removed"} <= {c.kind for c in found}
    assert "renamed" not in {c.kind for c in found}


def test_nobody_is_treated_otherwise_for_another_name(tmp_path: Path) -> None:
    old, new = (
        edition_of(tmp_path / "old", OLD),
        edition_of(tmp_path / "new", with_names(letter="mail")),
    )
    renamed = in_one_file("segments.yaml", ("segment: leave", "segment: quiet"))
    renamed["paths.yaml"] = renamed["paths.yaml"].replace("for: [leave]", "for: [quiet]")
    renamed["examples.yaml"] = renamed["examples.yaml"].replace("segment: leave", "segment: quiet")
    segment = edition_of(tmp_path / "segment", renamed)
    found = meaning(old.strategy, segment.strategy, Granted(), Asker(5.0))
    assert (found.turns, found.unsure) == ((), ())
    assert not [
        turn
        for turn in meaning(old.strategy, new.strategy, Granted(), Asker(5.0)).turns
        if turn.before == turn.after
    ]
