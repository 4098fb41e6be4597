"""What can be checked of the docs without running the product: links, and what is generated."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
import typer
import yaml

from riskseg.cli import app
from riskseg.domain.problems import CODES, Problems
from riskseg.domain.source_tables import SOURCE_TABLES
from riskseg.workspace.authored import SourceTables, Top
from riskseg.workspace.balances import BALANCES
from riskseg.workspace.overlays import OVERLAYS
from tests.docs.pages import PAGES, ROOT, anchors, blocks, links


@pytest.fixture
def generate(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "docs")  # as when it is run
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_relative_link_resolves() -> None:
    broken = []
    for page in PAGES:
        for line, link in links(page):
            name, _, anchor = link.partition("#")
            target = (page.parent / name).resolve() if name else page
            lost = anchor and target.suffix == ".md" and anchor not in anchors(target)
            if not target.exists() or lost:
                broken.append(f"{page.relative_to(ROOT)}:{line}: {link}")
    assert not broken


def test_every_page_is_linked_from_another() -> None:
    reached = {
        (page.parent / link.partition("#")[0]).resolve()
        for page in PAGES
        for _, link in links(page)
    }
    entrances = {ROOT / "README.md"}
    assert {page for page in PAGES if page.resolve() not in reached} - entrances == set()


@pytest.mark.parametrize("page", [page for page in PAGES if ROOT / "docs" in page.parents])
def test_the_site_reads_every_fence(page: Path) -> None:
    """A fence with a note that the site does not know is no fence there: what follows is text."""
    unread = [block for block in blocks(page) if block.note and not block.title]
    assert not unread


def test_generated_pages_are_current(generate: ModuleType) -> None:
    assert generate.stale() == []


def _commands(name: str, command: object) -> list[str]:
    inner = getattr(command, "commands", {})
    return [name, *(c for n, sub in inner.items() for c in _commands(f"{name} {n}", sub))]


def test_every_command_has_its_section_and_its_help() -> None:
    page = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    heads = re.findall(r"^## (.*)$", page, re.MULTILINE)
    assert sorted(heads) == sorted(_commands("riskseg", typer.main.get_command(app)))
    # A command or option without help leaves its cell empty.
    assert re.findall(r"^\|[^|]*\|\s*\|[^|]*\|$", page, re.MULTILINE) == []


def test_every_problem_code_is_used_and_every_code_used_is_known() -> None:
    table = ROOT / "riskseg" / "domain" / "problems.py"
    used: set[str] = set()
    for file in (ROOT / "riskseg").rglob("*.py"):
        if file != table:
            used |= set(re.findall(r'"(RS\d{3})"', file.read_text(encoding="utf-8")))
    assert used == set(CODES)


def test_every_code_a_page_names_is_known() -> None:
    named = {c for page in PAGES for c in re.findall(r"\bRS\d{3}\b", page.read_text("utf-8"))}
    assert named <= set(CODES)


def test_every_make_target_a_page_names_exists() -> None:
    made = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {t for page in PAGES for t in re.findall(r"\bmake ([a-z]+)`", page.read_text("utf-8"))}
    assert {"demo", "test"} <= named <= made


def test_every_yaml_and_toml_block_can_be_read() -> None:
    import tomllib

    for page in PAGES:
        for block in blocks(page):
            where = f"{page.relative_to(ROOT)}:{block.line}"
            if block.language == "yaml":
                assert yaml.safe_load(block.text) is not None, where
            elif block.language == "toml":
                reported = tomllib.loads(block.text)
                assert set(reported) <= set(Top.model_fields), where
                assert set(reported.get("source", {})) <= {
                    *SOURCE_TABLES,
                    *SourceTables.model_fields,
                    OVERLAYS,
                    BALANCES,
                }, where


def test_every_feature_a_guide_names_in_yaml_exists() -> None:
    """Entries of the catalogue's form are checked by the very reader of the catalogue."""
    from riskseg.domain.documents import parse_yaml
    from riskseg.features.authored import Entries

    page = ROOT / "docs" / "guide" / "features.md"
    found = Problems()
    entries = [b for b in blocks(page) if b.language == "yaml"]
    for block in entries:
        document = parse_yaml(block.text, f"{page.name}:{block.line}", found)
        if document is not None:
            document.shaped(Entries, found)
    assert entries and list(found) == []


def test_every_strategy_file_and_spec_a_guide_shows_is_of_its_form() -> None:
    from riskseg.domain.documents import parse_yaml
    from riskseg.learning.spec import parse_spec
    from riskseg.strategy import shapes
    from riskseg.strategy.kinds.shape import rules_shape

    guide = ROOT / "docs" / "guide"
    in_order = [
        shapes.AuthoredHead,
        shapes.AuthoredTiers,
        shapes.AuthoredTiers,  # as tables
        shapes.AuthoredSegments,
        shapes.AuthoredPaths,
        rules_shape(),
        rules_shape(),  # those of packs
        shapes.AuthoredExamples,
    ]
    found = Problems()
    shown = [
        block
        for block in blocks(guide / "strategy.md")
        # Constants are a part of strategy.yaml, shown apart.
        if block.language == "yaml" and not block.text.startswith("constants:")
    ]
    for block, shape in zip(shown, in_order, strict=True):
        document = parse_yaml(block.text, f"strategy.md:{block.line}", found)
        if document is not None:
            document.shaped(shape, found)
    specs = [
        (page, block)
        for page in ("models.md", "account-files.md")
        for block in blocks(guide / page)
        if block.language == "yaml"
    ]
    for page, block in specs:
        parse_spec(block.text, f"{page}:{block.line}", found)
    assert len(specs) == 5
    assert list(found) == []
