"""JSON Schemas of a strategy's files, for editors. Every sound strategy that a test reads is held
to them too (`tests/support/strategies.py`)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from riskseg.domain.documents import parse_yaml, read_yaml
from riskseg.domain.problems import Problems, ProblemsError
from riskseg.rules.rule import registered
from riskseg.run import schemas
from riskseg.strategy.authored import FILES
from riskseg.strategy.kinds.shape import written_rules
from riskseg.strategy.schemas import PACKS, schema_file, strategy_schemas
from tests.strategy.test_authors_mistakes import IN_FILES
from tests.support.strategies import SMALL, changed, faults_by_schema, read

ROOT = Path(__file__).parents[2]
SHIPPED = sorted(
    file
    for folder in ("rules", "riskseg/strategy/packs")
    for file in (ROOT / folder).rglob("*.yaml")
    if file.parent.parent.name == "rules" or file.parent.name == "packs"
)


def test_each_file_of_a_strategy_has_a_schema() -> None:
    by_file = strategy_schemas()
    assert list(by_file) == [*(file.name for file in FILES), PACKS]
    assert schema_file("paths.yaml") == "paths.schema.json"
    assert schema_file(PACKS) == "pack.schema.json"
    for schema in by_file.values():
        Draft7Validator.check_schema(schema)


def test_every_key_has_words_for_the_person_who_writes_it() -> None:
    without = [
        f"{file} {name}.{key}"
        for file, schema in strategy_schemas().items()
        for name, part in {"": schema, **schema.get("$defs", {})}.items()
        for key, value in part.get("properties", {}).items()
        if not value.get("description")
    ]
    assert without == []


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_what_ships_is_as_its_schema_says(file: Path) -> None:
    document = read_yaml(file, Problems())
    assert document is not None
    name = f"packs/{file.name}" if file.parent.name == "packs" else file.name
    assert list(faults_by_schema(name, document.data)) == []


MISTAKES = [
    ("strategy.yaml", "purpose: to be broken", "purpos: to be broken"),
    ("strategy.yaml", "purpose: to be broken", "purpose: [to be broken]"),
    ("strategy.yaml", "channel: sms}", "chanel: sms}"),
    ("strategy.yaml", "channel: sms}", "channel: sms, contact: maybe}"),
    ("strategy.yaml", "{low: 0.1, high: 1}", "{low: few, high: 1}"),
    ("strategy.yaml", "owner: tests\n", ""),
    ("tiers.yaml", "when: days_past_due > 30", "wen: days_past_due > 30"),
    ("tiers.yaml", "unknown: match", "unknown: perhaps"),
    ("tiers.yaml", "otherwise: true", "otherwise: false"),
    ("segments.yaml", "columns: [lifecycle, risk, behaviour]\n", ""),
    ("segments.yaml", "segment: trace", "segment: To trace"),
    ("paths.yaml", "for: [trace]", "for: trace"),
    ("paths.yaml", "day: 10", "day: tenth"),
    ("paths.yaml", "day: 10", "after: {action: agency}"),
    ("guards.yaml", "never: [agency]", "nevr: [agency]"),
    ("guards.yaml", "never: [agency]", "never: agency"),
    ("guards.yaml", "needs: days_past_due >= 60", "never: [agency]"),
    ("guards.yaml", "hold: plan", "hld: plan"),
    ("examples.yaml", "example: quiet", "exampel: quiet"),
]


@pytest.mark.parametrize(("file", "old", "new"), MISTAKES)
def test_a_mistake_in_a_key_or_its_kind_is_seen(
    file: str, old: str, new: str, tmp_path: Path
) -> None:
    texts = changed(file, old, new)
    _, problems = read(tmp_path, texts)
    assert {problem.code for problem in problems} & {"RS003", "RS004", "RS005"}
    document = parse_yaml(texts[file], file, Problems())
    assert document is not None
    assert list(faults_by_schema(file, document.data))
    untouched = parse_yaml(SMALL[file], file, Problems())
    assert untouched is not None
    assert list(faults_by_schema(file, untouched.data)) == []


# What no schema can see: in JSON 14.0 is a whole number.
UNSEEN = {"a fraction of a day"}


def test_what_the_reader_refuses_by_its_shape_the_schema_refuses(tmp_path: Path) -> None:
    of_shape, refused = set(), set()
    for name, file, old, new, _ in IN_FILES:
        texts = changed(file, old, new)
        _, problems = read(tmp_path, {**SMALL, **texts})
        document = parse_yaml(texts[file], file, Problems())
        if document is not None and {p.code for p in problems} & {"RS003", "RS004", "RS005"}:
            of_shape.add(name)
            refused |= {name} if list(faults_by_schema(file, document.data)) else set()
    assert len(of_shape) > 8
    assert of_shape - refused == UNSEEN


def test_an_entry_of_guards_has_the_keys_of_its_kind_alone() -> None:
    schema = strategy_schemas()["guards.yaml"]
    assert len(schema["items"]["anyOf"]) == len(registered())
    hold = schema["$defs"]["Hold"]
    assert hold["required"] == ["hold"] and "never" not in hold["properties"]
    assert written_rules().model_validate([{"hold": "rest", "event": "complaint"}])


def test_schemas_are_written_beside_and_the_settings_name_them(tmp_path: Path) -> None:
    written = schemas.write(None, Path("kept/schemas"), here=tmp_path)
    assert [schema.file for schema in written.schemas] == list(strategy_schemas())
    settings = written.vs_code["yaml.schemas"]
    assert settings["./kept/schemas/pack.schema.json"] == "rules/*/packs/*.yaml"
    for place in settings:
        Draft7Validator.check_schema(json.loads((tmp_path / place).read_text()))


def test_schemas_are_not_written_among_what_a_workspace_needs(tmp_path: Path) -> None:
    toml = (
        '[workspace]\ncurrency = "GBP"\nstrategy = "rules/s"\n[source.accounts]\nfrom = "a.csv"\n'
    )
    (tmp_path / "riskseg.toml").write_text(toml)
    (tmp_path / "rules" / "s").mkdir(parents=True)
    with pytest.raises(ProblemsError) as error:
        schemas.write(tmp_path, tmp_path / "rules" / "s")
    assert {problem.code for problem in error.value.problems} == {"RS010"}
