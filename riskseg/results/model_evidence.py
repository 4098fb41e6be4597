"""What is known of how good a model is: stored with its version, and shown in results."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from riskseg.results.interval import Interval
from riskseg.results.part import Part

CheckStatus = Literal["holds", "watch", "unknown"]


class Measured(Part):
    """A part of a version's evidence.json as well: read strictly, other keys may stand beside."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False, extra="ignore")


class CalibrationGroup(Measured):
    """Rows of like probability: what was predicted and what came true."""

    low: float
    """The lowest probability of the group."""
    high: float
    """The highest."""
    mean: float
    rate: Interval
    rows: Annotated[int, Field(ge=0)]
    bad: float


class ProtectedLevel(Measured):
    """How well the features of a model predict a level of a protected attribute."""

    attribute: str
    level: str | bool | int | float | None = None
    rows: Annotated[int, Field(ge=0)] = 0
    in_model: bool
    """Whether the model has learned from the attribute."""
    stands_in: bool = False
    """Whether the features predict the level so well that they stand in for it."""
    auc: Interval | None
    through: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """The features that predict it most."""

    @property
    def name(self) -> str:
        """The attribute, and the level of it where one is named."""
        level = f"{self.level:g}" if isinstance(self.level, float) else self.level
        return self.attribute if level is None else f"{self.attribute} {level}"

    @property
    def by_chance(self) -> bool:
        """Whether the level is predicted no better than chance."""
        return self.auc is not None and self.auc.low <= 0.5


class ModelCheck(Part):
    """A question asked of a model, with its answer."""

    topic: str
    status: CheckStatus
    found: str
    act: str = ""
    """What to do about it where it does not hold."""


class Verdict(Part):
    """What to think of a model, in sentences."""

    ranking: str
    calibration: str
    certainty: str
    checks: tuple[ModelCheck, ...]
    too_weak: str
    """Why it ranks too badly to be made the champion by itself; empty where it does not."""
