"""`strategy schema`: the JSON Schemas of a strategy's files, written for an editor."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from riskseg.domain.problems import Problems
from riskseg.pipeline.outputs import check_output, make_folder
from riskseg.results.strategies import EditorSchema, EditorSchemas
from riskseg.store.files import write_beside
from riskseg.strategy.schemas import schema_file, strategy_schemas
from riskseg.workspace import open_workspace


def write(root: Path | None, out: Path, *, here: Path | None = None) -> EditorSchemas:
    """Write a schema for each file of a strategy into a folder. Schemas that stand there are
    replaced. Raises RS010 where the folder is not for output."""
    folder = (here or Path.cwd()) / out
    _check(root, folder)
    make_folder(folder)
    opened = root if root is not None else here or Path.cwd()
    schemas = []
    for file, schema in strategy_schemas().items():
        place = folder / schema_file(file)
        with write_beside(place, token="schema") as draft:
            draft.write_text(json.dumps(schema, indent=1) + "\n", encoding="utf-8")
        schemas.append(EditorSchema(file=file, path=str(out / schema_file(file))))
    return EditorSchemas(schemas=tuple(schemas), vs_code=_settings(folder, opened))


def _check(root: Path | None, folder: Path) -> None:
    problems = Problems()
    # A workspace that cannot be opened has nothing to do with editing its rules.
    workspace = None if root is None else open_workspace(root, Problems())
    if workspace is not None:
        for file in strategy_schemas():
            check_output(workspace, folder / schema_file(file), problems)
    problems.raise_if_any()


def _settings(folder: Path, opened: Path) -> Mapping[str, Mapping[str, str]]:
    """What `.vscode/settings.json` of the folder that is opened needs to hold."""
    resolved, base = folder.resolve(), opened.resolve()
    near = resolved.is_relative_to(base)
    shown = f"./{resolved.relative_to(base).as_posix()}" if near else resolved.as_posix()
    return {
        "yaml.schemas": {
            f"{shown}/{schema_file(file)}": f"rules/*/{file}" for file in strategy_schemas()
        }
    }
