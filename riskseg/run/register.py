"""`models register`: a version trained elsewhere, checked against its hash and the facts here."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskseg.domain.problems import ProblemsError, problem
from riskseg.learning.artefact import load, version_of
from riskseg.learning.evidence.verdict import too_weak
from riskseg.learning.stored import parsed
from riskseg.pipeline.model_versions import record
from riskseg.pipeline.models import scorer, spec_files
from riskseg.pipeline.open_journal import open_journal
from riskseg.pipeline.session import begin, locked, open_checked, scratch_engine
from riskseg.pipeline.trial import trial
from riskseg.results.models import Registration
from riskseg.store.files import folder_beside

if TYPE_CHECKING:
    from riskseg.learning.artefact import Model

MANIFEST = "manifest.json"


def register(
    root: Path,
    folder: Path,
    *,
    promote: bool = False,
    at: datetime,
    by: str,
    reason: str = "",
) -> Registration:
    """Copy a version's folder among those of its model and record it; `promote` it where that is
    asked for, where there is no champion, or where the champion's folder is gone; one that ranks
    barely better than chance only where it is asked for.

    Raises RS401 where there is no version, RS406 where it is not what was trained, and RS409 where
    it needs facts that this workspace does not have.
    """
    workspace = open_checked(root)
    with locked(workspace), scratch_engine(workspace, lasting=True) as engine:
        model, files = _read(folder)
        session = begin(workspace, engine)
        scorer(model, session.facts, billed=session.ledger.billed)
        version_folder = workspace.models / model.name / model.version
        if version_folder.resolve() != folder.resolve():
            version_folder.parent.mkdir(parents=True, exist_ok=True)
            with folder_beside(version_folder, token="register") as draft:
                for file_name, file_content in files.items():
                    (draft / file_name).write_bytes(file_content)
        with open_journal(workspace) as journal:
            recorded = record(
                workspace, journal, model, at, by=by, promote=reason if promote else None
            )
    notes = []
    if model.name not in spec_files(workspace):
        spec = workspace.shown(workspace.models / f"{model.name}.yaml")
        notes.append(f"There is no {spec}: a strategy that uses {model.name} needs its spec.")
    shown_folder = workspace.shown(version_folder)
    if recorded.champion_version is None:
        weak = too_weak(model.manifest, model.evidence)
        notes.append(f"It is not made the champion: {weak}.")
    return Registration(
        model=model.name,
        version=model.version,
        place=shown_folder,
        champion=recorded.champion,
        notes=tuple(notes),
    )


def _read(folder: Path) -> tuple[Model, dict[str, bytes]]:
    """A version whatever its folder is called, and its files: those its manifest names, read once,
    so that what is verified is what is written."""
    if not (folder / MANIFEST).is_file():
        raise problem(
            "RS401",
            f"There is no {MANIFEST} in this folder.",
            file=str(folder),
            hint="Name the folder of one version, as it lies in models/MODEL/VERSION.",
        )
    manifest_bytes = (folder / MANIFEST).read_bytes()
    try:
        file_names = _names(parsed(manifest_bytes, MANIFEST))
        files = {
            file_name: (folder / file_name).read_bytes()
            for file_name in file_names
            if (folder / file_name).is_file()
        }
        files[MANIFEST] = manifest_bytes
        with tempfile.TemporaryDirectory(prefix="riskseg-") as scratch:
            version_folder = Path(scratch) / version_of(manifest_bytes)
            version_folder.mkdir()
            for changed_file, file_data in files.items():
                (version_folder / changed_file).write_bytes(file_data)
            model = load(version_folder, shown=str(folder))
        # The hash says that it is what was written, not that it is whole.
        trial(model)
        return model, files
    except ProblemsError:
        raise
    except OSError:
        raise
    except Exception as error:  # whatever files from elsewhere make go wrong
        raise problem(
            "RS406",
            f"This is not a version of a model that riskseg can read: {error}.",
            file=str(folder / MANIFEST),
            hint="Copy the folder again from where it was trained.",
        ) from error


def _names(manifest: Any) -> list[str]:
    """The files a manifest names, in its own folder all of them. Raises ValueError."""
    file_names = list(manifest["files"])
    if any(
        Path(listed_name).name != listed_name or listed_name in (".", "..", MANIFEST)
        for listed_name in file_names
    ):
        raise ValueError("it names a file outside its folder")
    return file_names
