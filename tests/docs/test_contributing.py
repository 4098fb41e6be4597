"""Each example of CONTRIBUTING stands, line by line, in the file that it names; what it names in
backquotes is there."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```\w+ (\S+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
KINDS = ("feature", "kind of rule", "learner", "source", "sink", "insight", "engine")


@pytest.mark.parametrize(("file", "example"), EXAMPLES)
def test_an_example_stands_in_its_file(file: str, example: str) -> None:
    """Less the indentation, and less blank lines."""
    assert _lines(example) in _lines((ROOT / file).read_text(encoding="utf-8"))


def _lines(text: str) -> str:
    return "".join(f"\n{line.strip()}\n" for line in text.splitlines() if line.strip())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_thing_has_its_section(kind: str) -> None:
    article = "An" if kind[0] in "aeiou" else "A"
    assert f"\n### {article} {kind}\n" in TEXT


def test_what_is_named_is_there() -> None:
    paths = set(re.findall(r"`((?:riskseg|tests|docs|models|bench)/[\w/.]*)`", TEXT))
    assert len(paths) > 10
    assert {p for p in paths if not (ROOT / p).exists()} == {"models/features.yaml"}
    dotted = set(re.findall(r"`(riskseg(?:\.\w+)+\.[A-Z]\w+)`", TEXT))
    assert len(dotted) >= 4
    for name in dotted:
        module, _, member = name.rpartition(".")
        source = ROOT / (module.replace(".", "/") + ".py")
        assert re.search(rf"^class {member}\b", source.read_text("utf-8"), re.MULTILINE), name
