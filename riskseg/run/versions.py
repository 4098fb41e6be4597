"""`models`: what is trained, how good it is, which version is the champion."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskseg.domain.problems import Problems, ProblemsError, did_you_mean, problem
from riskseg.learning.artefact import Model
from riskseg.learning.scorecard.tables import Scorecard
from riskseg.run.journal import meant, open_journal, read_journal
from riskseg.run.models import gone, is_gone, spec_files, there, without_champion
from riskseg.run.outputs import check_output
from riskseg.run.session import locked, open_checked
from riskseg.workspace import Workspace

if TYPE_CHECKING:
    from riskseg.learning.train import Trained
    from riskseg.store.journal import Journal


@dataclass(frozen=True)
class Version:
    """One trained version. `at` is when it was trained, or registered; `auc` that of its hold-out.
    Where its files are not `there`, `learner` is empty and `auc` None."""

    model: str
    version: str
    learner: str
    champion: bool
    at: datetime
    auc: float | None
    there: bool = True


def versions(root: Path) -> list[Version]:
    """Every version the journal knows whose files are there, and champions whose are not; the
    latest first."""
    from riskseg.learning.artefact import load
    from riskseg.learning.show import summary

    workspace = open_checked(root)
    found = []
    with read_journal(workspace) as journal:
        for record in journal.models():
            last = journal.champion(record.model)
            champion = last is not None and last.version == record.version
            folder = workspace.models / record.model / record.version
            if (folder / "manifest.json").is_file():
                told = summary(load(folder, shown=workspace.shown(folder)))
                found.append(
                    Version(
                        record.model,
                        record.version,
                        told["learner"],
                        champion,
                        record.at,
                        (told["metrics"]["hold_out"] or {}).get("auc"),
                    )
                )
            elif champion:
                found.append(
                    Version(record.model, record.version, "", True, record.at, None, there=False)
                )
    return found


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
        known = spec_files(workspace).keys() | ({name} if recorded else set())
        chosen = _chosen(name, version, [*recorded, *there(workspace, name)], known)
    elif champion is not None:
        chosen = champion.version
    else:
        if not recorded:
            raise _untrained(workspace, name)
        if not lone or len(set(recorded)) > 1:
            raise without_champion(workspace, name, recorded)
        chosen = recorded[0]
    promoted = champion is not None and champion.version == chosen
    if is_gone(workspace, name, chosen):
        raise gone(workspace, name, chosen, champion=promoted)
    folder = workspace.models / name / chosen
    return load(folder, shown=workspace.shown(folder)), promoted


def _untrained(workspace: Workspace, name: str) -> ProblemsError:
    known = spec_files(workspace)
    mend = f"Run `riskseg train {name}`." if name in known else did_you_mean(name, known)
    return problem("RS401", f'The model "{name}" has not been trained here.', mend=mend)


def _chosen(name: str, version: str, versions: Iterable[str], models: Iterable[str]) -> str:
    """The version that is meant by its name or the beginning of it. Raises RS401."""
    known = sorted(set(versions))
    found = meant(version, known)
    if len(found) == 1:
        return found[0]
    if found:
        told = f'"{version}" could be {" or ".join(found)} of {name}.'
        raise problem("RS401", told, mend="Give more of the version.")
    raise problem(
        "RS401",
        f'There is no version "{version}" of a model "{name}".',
        mend=did_you_mean(version, known) or did_you_mean(name, set(models) - {name}),
    )


def show(root: Path, name: str, version: str | None = None) -> dict[str, Any]:
    """The summary of a version, as :func:`opened` finds it. Raises RS401, RS406, RS411."""
    from riskseg.learning.show import summary

    workspace = open_checked(root)
    model, champion = opened(workspace, name, version, lone=True)
    with read_journal(workspace) as journal:
        current = journal.champion(model.name)
    return summary(model) | {
        "champion": champion,
        "champion_version": None if current is None else current.version,
    }


def card(root: Path, name: str, version: str | None, out: Path) -> str:
    """Write a version's card, one page of HTML; the version. Raises RS401, RS406."""
    from riskseg.learning.card import card as page
    from riskseg.store.files import write_beside

    workspace = open_checked(root)
    problems = Problems()
    check_output(workspace, out, problems, (".html", ".htm"))
    problems.raise_if_any()
    model, _ = opened(workspace, name, version, lone=True)
    with write_beside(out, token="card") as part:
        part.write_text(
            page(
                model.manifest,
                model.evidence,
                model.scorer.as_json() if isinstance(model.scorer, Scorecard) else None,
                model.reference,
            ),
            encoding="utf-8",
        )
    return model.version


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
    from riskseg.store.files import folder_beside

    home = workspace.models / name
    home.mkdir(parents=True, exist_ok=True)
    with folder_beside(home / trained.version, token="train") as part:
        for file, content in trained.files.items():
            (part / file).write_bytes(content)
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
    from riskseg.learning.evidence.verdict import too_weak
    from riskseg.store.records import ModelRecord

    name, version = model.name, model.version
    journal.record_model(
        ModelRecord(
            model=name,
            version=version,
            fingerprint=version,
            metrics={learner: dict(m) for learner, m in model.manifest["metrics"].items()}
            | ({"known_by": known_by} if (known_by := model.manifest.get("known_by")) else {}),
            at=at,
        )
    )
    champion = journal.champion(name)
    current = None if champion is None else champion.version
    reason = promote
    if reason is None and not too_weak(model.manifest, model.evidence):
        if current is None:
            reason = "there was no champion"
        elif is_gone(workspace, name, current):
            reason = f"the folder of {current} is gone"
    if reason is not None and current != version:
        journal.promote(name, version, at=at, by=by, reason=reason)
        current = version
    return Recorded(model, current)


def promote(root: Path, name: str, version: str, *, at: datetime, by: str, reason: str) -> str:
    """Make a version, named in full or by its beginning, the champion from now on; its full name.

    Raises RS401, RS406, RS410.
    """
    workspace = open_checked(root)
    model, _ = opened(workspace, name, version)
    with locked(workspace), open_journal(workspace) as journal:
        if all(r.version != model.version for r in journal.models(name)):
            folder = workspace.shown(workspace.models / name / model.version)
            raise problem(
                "RS401",
                f"The journal does not know {name} {model.version}: it was not trained here.",
                file=folder,
                mend=f"Run `riskseg models register {folder} --promote`.",
            )
        journal.promote(name, model.version, at=at, by=by, reason=reason)
    return model.version
