"""Reads a strategy's files, and holds what they say before anything is checked but their shape."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, RootModel

from riskseg.domain.documents import Document, parse_yaml, read_yaml
from riskseg.domain.problems import Problems, did_you_mean
from riskseg.strategy.kinds.shape import pack_shape, rules_shape
from riskseg.strategy.packs import shipped_packs
from riskseg.strategy.packs.authored import AuthoredPack
from riskseg.strategy.shapes import (
    AuthoredExamples,
    AuthoredHead,
    AuthoredPaths,
    AuthoredSegments,
    AuthoredTiers,
)
from riskseg.strategy.sheets import segments_csv


@dataclass(frozen=True)
class AuthoredStrategy:
    """The shaped content of one folder, and of the guard packs it includes, by name.

    `documents` by file name in the folder, for their lines; `texts`, by the same names, are what
    the files held: with them in a folder, this strategy is read again, whatever riskseg ships.
    """

    head: AuthoredHead
    tiers: AuthoredTiers
    segments: AuthoredSegments
    paths: AuthoredPaths
    guards: RootModel[list[Any]]
    examples: AuthoredExamples
    packs: dict[str, AuthoredPack] = field(default_factory=dict)
    documents: dict[str, Document] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def at(self, file: str, *path: str | int) -> dict[str, Any]:
        """The `file` and `line` of a Problem about the value at `path`."""
        return self.documents[file].at(*path)


class StrategyFile(NamedTuple):
    """A file of a strategy; `holds` is what, in words. Without a `shape` its entries are rules."""

    name: str
    shape: type[BaseModel] | None
    needed: bool
    holds: str


FILES = (
    StrategyFile(
        "strategy.yaml",
        AuthoredHead,
        True,
        "the strategy's `name`, `purpose`, `owner` and `actions`",
    ),
    StrategyFile(
        "tiers.yaml", AuthoredTiers, False, "tier schemes, each a name and its list of tiers"
    ),
    StrategyFile("segments.yaml", AuthoredSegments, True, "`columns` and `rows`"),
    StrategyFile("paths.yaml", AuthoredPaths, True, "the paths, each a name and what is done when"),
    StrategyFile("guards.yaml", None, False, "a list of guards, holds and requirements"),
    StrategyFile("examples.yaml", AuthoredExamples, False, "a list of `examples`"),
)


def read_strategy(
    folder: Path,
    problems: Problems,
    *,
    shown: str,
    line: int | None = None,
    instead: Mapping[str, Document] | None = None,
) -> AuthoredStrategy | None:
    """The strategy in a folder, or None after adding a Problem for each misfit of any file.

    `shown` is how riskseg.toml names the folder, on its `line`. tiers.yaml, guards.yaml and
    examples.yaml may be left out; the others are needed. segments.csv may stand in the place of
    segments.yaml. A document of `instead` is taken for the file of its name, whatever stands there.
    """
    if not folder.is_dir():
        problems.add(
            "RS008",
            f"There is no strategy folder {shown}.",
            file="riskseg.toml",
            line=line,
            hint="Set `strategy` in [workspace] to the folder that holds strategy.yaml. "
            "`riskseg init OTHER` makes another workspace, with the starter strategy to copy.",
        )
        return None
    shaped: dict[str, Any] = {}
    documents: dict[str, Document] = {}
    texts: dict[str, str] = {}
    packs: dict[str, AuthoredPack] | None = None
    complete = True
    for file_name, given_shape, needed, file_holds in FILES:
        shape: type[BaseModel] = given_shape or rules_shape()
        file_path = folder / file_name
        if instead and file_name in instead:
            documents[file_name] = instead[file_name]
        elif file_name == "segments.yaml" and segments_csv.exists(folder):
            sheet = segments_csv.read_segments_csv(folder, problems, shown=shown)
            if sheet is None:
                complete = False
                continue
            documents[file_name] = sheet
            texts[segments_csv.FILE] = (folder / segments_csv.FILE).read_bytes().decode("utf-8-sig")
        elif not file_path.is_file():
            if needed:
                problems.add(
                    "RS200", f"The strategy has no {file_name}.", file=f"{shown}/{file_name}"
                )
                complete = False
                continue
            empty: Any = [] if given_shape is None else {}
            documents[file_name] = Document(f"{shown}/{file_name}", empty, {(): 1})
        else:
            document = read_yaml(file_path, problems, shown=f"{shown}/{file_name}")
            if document is None:
                complete = False
                continue
            if document.blank:
                _refuse_empty(document, file_holds, problems, needed=needed)
                complete = False
                continue
            documents[file_name] = document
            texts[file_name] = file_path.read_text(encoding="utf-8-sig")
        shaped_document = documents[file_name].shaped(shape, problems)
        if shaped_document is None:
            complete = False
        else:
            shaped[file_name.removesuffix(".yaml")] = shaped_document
    complete &= not _check_unknown_files(folder, shown, problems)
    if "guards" in shaped:
        packs = _read_packs(folder, shown, shaped["guards"], documents, texts, problems)
    if not complete or packs is None:
        return None
    authored_head = shaped.pop("strategy")
    return AuthoredStrategy(
        head=authored_head, packs=packs, documents=documents, texts=texts, **shaped
    )


def _check_unknown_files(folder: Path, shown: str, problems: Problems) -> bool:
    """Whether a YAML file is there that nothing reads: a misspelt guards.yaml would guard
    nothing, in silence."""
    known_files = [known_file.name for known_file in FILES]
    stems = [unknown_file.removesuffix(".yaml") for unknown_file in known_files]
    strays = sorted(
        known_file.name
        for known_file in folder.iterdir()
        if known_file.suffix.lower() in (".yaml", ".yml")
        and known_file.name not in known_files
        and known_file.is_file()
    )
    for unknown_file in strays:
        message = f"Nothing reads {unknown_file}: a strategy's files are {', '.join(known_files)}."
        close_matches = difflib.get_close_matches(
            Path(unknown_file).stem.lower(), stems, n=1, cutoff=0.7
        )
        hint = f"Call it {close_matches[0]}.yaml, or take" if close_matches else "Take"
        hint += " it out of the folder."
        problems.add("RS224", message, file=f"{shown}/{unknown_file}", hint=hint)
    return bool(strays)


def _refuse_empty(document: Document, holds: str, problems: Problems, *, needed: bool) -> None:
    """Whoever has none of it leaves the file out: one that was emptied is a mishap."""
    hint = "Write it again, or restore it from a copy."
    if not needed:
        hint = "Restore it from a copy; if the strategy has none, remove the file."
    message = f"The file is empty: it should hold {holds}."
    problems.add("RS223", message, hint=hint, **document.at())


def _read_packs(
    folder: Path,
    shown: str,
    guards: RootModel[list[Any]],
    documents: dict[str, Document],
    texts: dict[str, str],
    problems: Problems,
) -> dict[str, AuthoredPack] | None:
    """The packs that guards.yaml includes, or None after adding Problems. One that lies in the
    strategy's own folder comes before one that riskseg ships."""
    packs: dict[str, AuthoredPack] = {}
    problems_before = len(problems)
    for i, entry in enumerate(guards.root):
        pack_name = entry.include
        if pack_name is None or pack_name in packs:
            continue
        file = f"packs/{pack_name}.yaml"
        own_file = folder / file
        if own_file.is_file():
            document = read_yaml(own_file, problems, shown=f"{shown}/{file}")
            texts[file] = own_file.read_text(encoding="utf-8-sig") if document else ""
        elif pack_name in (known := shipped_packs()):
            texts[file] = known[pack_name]
            document = parse_yaml(known[pack_name], f"riskseg/strategy/{file}", problems)
        else:
            own_packs = [pack_path.stem for pack_path in (folder / "packs").glob("*.yaml")]
            problems.add(
                "RS221",
                f'There is no guard pack "{pack_name}".',
                hint=did_you_mean(pack_name, [*known, *own_packs]),
                **documents["guards.yaml"].at(i, "include"),
            )
            continue
        pack = document.shaped(pack_shape(), problems) if document else None
        if document is None or pack is None:
            continue
        documents[file], packs[pack_name] = document, pack
        if pack.pack != pack_name:
            message = f'The file of the pack "{pack_name}" says that it is "{pack.pack}".'
            problems.add(
                "RS221", message, hint=f"Write `pack: {pack_name}`.", **document.at("pack")
            )
    return packs if len(problems) == problems_before else None
