"""Versions of models: opened, kept and recorded in the journal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from riskseg.domain.problems import ProblemsError, did_you_mean, problem
from riskseg.learning.evidence.verdict import too_weak
from riskseg.pipeline.models import gone, is_gone, spec_files, there, without_champion
from riskseg.pipeline.open_journal import meant, read_journal
from riskseg.pipeline.stages import Stage
from riskseg.results.models import ModelSummary
from riskseg.store.files import folder_beside
from riskseg.store.records import ModelRecord
from riskseg.workspace import Workspace

if TYPE_CHECKING:
    from riskseg.learning.artefact import Model
    from riskseg.learning.train import Trained
    from riskseg.store.journal import Journal


def opened(
    workspace: Workspace, name: str, version: str | None = None, *, lone: bool = False
) -> tuple[Model, bool]:
    """(the version; whether it is the champion). Where none is named it is the champion; `lone`:
    where there is no champion, the only version there is.

    A name may bring its version along, and a version may be the beginning of one:
    `late_payment@0d62`. Raises RS401, RS406, RS410.
    """
    from riskseg.learning.artefact import load

    if version is None and "@" in name:
        name, version = name.split("@", 1)
    with read_journal(workspace) as journal:
        champion = journal.champion(name)
        recorded = [record.version for record in journal.models(name)]
    if version is not None:
        known_models = spec_files(workspace).keys() | ({name} if recorded else set())
        chosen_version = _chosen(name, version, [*recorded, *there(workspace, name)], known_models)
    elif champion is not None:
        chosen_version = champion.version
    else:
        if not recorded:
            raise _untrained(workspace, name)
        if not lone or len(set(recorded)) > 1:
            raise without_champion(workspace, name, recorded)
        chosen_version = recorded[0]
    promoted = champion is not None and champion.version == chosen_version
    if is_gone(workspace, name, chosen_version):
        raise gone(workspace, name, chosen_version, champion=promoted)
    folder = workspace.models / name / chosen_version
    return load(folder, shown=workspace.shown(folder)), promoted


def _untrained(workspace: Workspace, name: str) -> ProblemsError:
    known = spec_files(workspace)
    hint = f"Run `riskseg train {name}`." if name in known else did_you_mean(name, known)
    return problem("RS401", f'The model "{name}" has not been trained here.', hint=hint)


def _chosen(name: str, version: str, versions: Iterable[str], models: Iterable[str]) -> str:
    """The version that is meant by its name or the beginning of it. Raises RS401."""
    known_versions = sorted(set(versions))
    matches = meant(version, known_versions)
    if len(matches) == 1:
        return matches[0]
    if matches:
        message = f'"{version}" could be {" or ".join(matches)} of {name}.'
        raise problem("RS401", message, hint="Give more of the version.")
    raise problem(
        "RS401",
        f'There is no version "{version}" of a model "{name}".',
        hint=did_you_mean(version, known_versions) or did_you_mean(name, set(models) - {name}),
    )


def summarised(model: Model, champion_version: str | None) -> ModelSummary:
    """What a version is and how good it is, where the champion is of this version."""
    from riskseg.learning.show import summary

    champion = model.version == champion_version
    return ModelSummary.model_validate(
        {**summary(model), "champion": champion, "champion_version": champion_version}
    )


@dataclass(frozen=True)
class Recorded:
    """A version that the journal has now, and the champion's version, if there is one."""

    model: Model
    champion_version: str | None

    @property
    def champion(self) -> bool:
        """Whether it is this one."""
        return self.model.version == self.champion_version


def keep(
    workspace: Workspace,
    name: str,
    trained: Trained,
    journal: Journal,
    at: datetime,
    *,
    by: str = "train",
    promote: str | None = None,
) -> Recorded:
    """Write a version's files, then the journal; see :func:`record`."""
    from riskseg.learning.artefact import load

    home = workspace.models / name
    home.mkdir(parents=True, exist_ok=True)
    with folder_beside(home / trained.version, token="train") as version_part:
        for file_name, file_content in trained.files.items():
            (version_part / file_name).write_bytes(file_content)
    model = load(home / trained.version)
    return record(workspace, journal, model, at, by=by, promote=promote)


def record(
    workspace: Workspace,
    journal: Journal,
    model: Model,
    at: datetime,
    *,
    by: str,
    promote: str | None = None,
) -> Recorded:
    """Record a version whose files are there, and make it the champion where that is asked for
    (`promote` is the reason), where there is no champion, or where the champion's folder is gone.

    A version that ranks barely better than chance is made the champion only where that is asked.
    """
    model_name, version, known_by = model.name, model.version, model.manifest.known_by
    journal.record_model(
        ModelRecord(
            model=model_name,
            version=version,
            fingerprint=version,
            metrics={
                model_name: metrics.as_json()
                for model_name, metrics in model.manifest.metrics.items()
            }
            | ({"known_by": known_by.isoformat()} if known_by is not None else {}),
            at=at,
        )
    )
    champion = journal.champion(model_name)
    current = None if champion is None else champion.version
    promotion_reason = promote
    if promotion_reason is None and not too_weak(model.manifest, model.evidence):
        if current is None:
            promotion_reason = "there was no champion"
        elif is_gone(workspace, model_name, current):
            promotion_reason = f"the folder of {current} is gone"
    if promotion_reason is not None and current != version:
        journal.promote(model_name, version, at=at, by=by, reason=promotion_reason)
        current = version
    return Recorded(model, current)


KEEP = Stage("keep", "write the version as text, then the journal")
