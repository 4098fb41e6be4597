"""A trained model as it is kept and used. Its files are text: loading one runs none of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskseg.domain.facts import Fact
from riskseg.domain.problems import Problems, problem
from riskseg.learning.artefact_files import read
from riskseg.learning.calibration import Calibration
from riskseg.learning.drift import Watch
from riskseg.learning.evidence.model import Evidence
from riskseg.learning.learner import AnyLearner, FittedModel
from riskseg.learning.learners import learner_named
from riskseg.learning.manifest import FILE, FORMAT, Manifest
from riskseg.learning.reasons import Ordinary, Reasons, ranked_reasons
from riskseg.learning.reference import Reference
from riskseg.learning.stored import Unreadable, parsed
from riskseg.learning.wording import companions
from riskseg.learning.words import NO_CURRENCY, Currency

if TYPE_CHECKING:
    import pandas as pd

    from riskseg.learning.frame import Floats

TOP = 4


@dataclass(frozen=True)
class Model:
    """A model that scores. `features` are the columns a batch must have; `reference` is what the
    training window looked like, `evidence` how good the model was found to be."""

    manifest: Manifest
    version: str
    scorer: FittedModel
    calibration: Calibration
    reference: Reference
    evidence: Evidence

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def learner(self) -> str:
        return self.manifest.learner

    @property
    def learned_by(self) -> AnyLearner:
        return learner_named(self.learner)

    @property
    def points_json(self) -> dict[str, Any] | None:
        """The table of points, where the model has one."""
        return self.learned_by.points_json(self.scorer)

    @property
    def population(self) -> str | None:
        """The condition an account must meet to be scored."""
        return self.manifest.population

    @property
    def cut(self) -> float:
        """The probability from which an account is taken to be treated: the spec's, or the share
        of bad outcomes in training."""
        cut, training = self.manifest.spec.fairness.cut, self.manifest.training
        if cut is not None:
            return cut
        if self.manifest.learned_nothing:
            return 0.5
        return training.all_bads / training.stands_for

    @property
    def imported(self) -> bool:
        """Whether it was made elsewhere: there is no training window, and no hold-out."""
        return self.manifest.imported is not None

    @property
    def features(self) -> tuple[str, ...]:
        return self.scorer.features

    @cached_property
    def facts(self) -> tuple[Fact, ...]:
        """The features as they were when the model learned from them."""
        recorded = {fact.name: fact for fact in self.manifest.features}
        return tuple(recorded[name].fact() for name in self.features)

    @cached_property
    def ordinary(self) -> Ordinary:
        """The values that reasons are held against."""
        # A card from elsewhere, without accounts to compare with, does not say what is usual.
        measured = self.reference.probability is not None
        return Ordinary.of(self.evidence.effects, self.facts, measured=measured)

    @cached_property
    def named_in_reasons(self) -> tuple[str, ...]:
        """Facts beside the features that reasons name where they are to be had: "2 of 12 bills"
        takes both numbers."""
        beside = (companion_name for fact in self.facts for companion_name in companions(fact))
        return tuple(
            dict.fromkeys(
                companion_name for companion_name in beside if companion_name not in self.features
            )
        )

    def predict(self, batch: pd.DataFrame, threads: int = 1) -> Floats:
        """The probability of the bad outcome of each row, at six decimals.

        A row's probability depends on nothing but the row. Raises ProblemsError (RS409) where
        the batch lacks a feature.
        """
        self._check(batch)
        return self.calibration.probability(self.scorer.margin(batch, threads))

    def reasons(
        self,
        batch: pd.DataFrame,
        top: int = TOP,
        threads: int = 1,
        currency: Currency = NO_CURRENCY,
    ) -> Reasons:
        """What moved each row's probability most, by the model that scores it: upward, and the
        one strongest thing downward. Raises RS409 as :meth:`predict` does."""
        self._check(batch)
        return ranked_reasons(
            batch,
            self.scorer.contributions(batch, threads),
            self.facts,
            self.ordinary,
            self.scorer,
            top,
            threads,
            currency,
            self.learned_by.units_per_log_odds(self.scorer),
        )

    def watch(self, features: Sequence[str] | None = None, *, accounts: int | None = None) -> Watch:
        """A new count of how batches differ from the training window, in `features`; in all that
        the model has if left out. `accounts` says how many there are in all batches."""
        features = self.features if features is None else features
        return Watch(self.reference, features, accounts=accounts)

    def _check(self, batch: pd.DataFrame) -> None:
        missing_features = [name for name in self.features if name not in batch.columns]
        if missing_features:
            raise problem(
                "RS409",
                f"The model {self.name} {self.version} needs features that are not here: "
                f"{', '.join(missing_features)}.",
                hint="Bring back their sources, or train the model again.",
            )


def version_of(manifest: bytes) -> str:
    """A model's version: the manifest names every other file's hash, so its own says it all."""
    return hashlib.sha256(manifest).hexdigest()[:12]


def load(folder: Path, *, shown: str | None = None) -> Model:
    """The model in a folder named by its version.

    Raises ProblemsError: RS401 where there is none, RS406 for every file that is missing or is
    not what was trained.
    """
    shown_folder = shown or str(folder)
    problems = Problems()

    def damaged(file: str, what: str) -> None:
        hint = "Restore the file, or train the model again."
        problems.add("RS406", what, file=f"{shown_folder}/{file}", hint=hint)

    if not (folder / FILE).is_file():
        raise problem("RS401", f"There is no model in {shown_folder}.", hint="Run `riskseg train`.")
    manifest_bytes = (folder / FILE).read_bytes()
    if version_of(manifest_bytes) != folder.name:
        damaged(FILE, f"The file is not that of version {folder.name}.")
        problems.raise_if_any()
    try:
        return _read(folder, parsed(manifest_bytes, FILE), problems, damaged)
    except Unreadable as error:
        damaged(error.file, f"This is not a model that riskseg can read: {error}.")
        problems.raise_if_any()
        raise
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, RecursionError) as error:
        # Its hashes may all be right, and it is none of ours all the same.
        damaged(FILE, f"This is not a model that riskseg can read: {error!r}.")
        problems.raise_if_any()
        raise


def _read(
    folder: Path, manifest: Any, problems: Problems, damaged: Callable[[str, str], None]
) -> Model:
    """The model that the content of a manifest and the files it names give."""
    if manifest["format"] != FORMAT:
        damaged(FILE, f"Its format {manifest['format']} is not one this version reads.")
        problems.raise_if_any()
    file_contents: dict[str, bytes] = {}
    for file, digest in sorted(manifest["files"].items()):
        if not (folder / file).is_file():
            damaged(file, "The file is missing.")
            continue
        file_contents[file] = (folder / file).read_bytes()
        if hashlib.sha256(file_contents[file]).hexdigest() != digest:
            damaged(file, "The file has been changed since the model was trained.")
    problems.raise_if_any()

    contents = read(manifest, file_contents)
    return Model(
        contents.manifest,
        folder.name,
        contents.fitted,
        contents.calibration,
        contents.reference,
        contents.evidence,
    )
