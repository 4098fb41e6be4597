"""A model's spec: what it asks, of whom, observed when, learned how.

Reading one gives an :class:`AuthoredSpec`: the checked :class:`ModelSpec` together with the
document it came from, so that later stages can point at the line they disagree with.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    create_model,
)

from riskseg.domain.definitions import DEFAULT_DAYS_PAST_DUE
from riskseg.domain.documents import Document, Shape, parse_yaml, read_yaml
from riskseg.domain.facts import MOST_DAYS
from riskseg.domain.problems import Problems, did_you_mean
from riskseg.learning.learner import FeatureName
from riskseg.learning.learners import DEFAULT_LEARNERS, known_learner, registered

# The name of a learner that is registered.
LearnerName = Annotated[str, AfterValidator(known_learner)]

# What an event means where the spec leaves the numbers out: (days past due, horizon in days).
EVENTS: dict[str, tuple[int, int]] = {"late": (14, 60), "default": (DEFAULT_DAYS_PAST_DUE, 180)}
# The share of the parties held out where the spec leaves it out.
HELD_SHARE = 0.25
NOT_YET = ("self_cure", "action")


def _days(value: Any) -> int:
    """Whole days from the text of a duration."""
    days_written = re.fullmatch(r"([1-9][0-9]*) days?", value) if isinstance(value, str) else None
    if not days_written:
        raise ValueError('a duration is written in whole days, as in "30 days"')
    if len(days_written[1]) > 5 or int(days_written[1]) > MOST_DAYS:
        raise ValueError(f"a duration is at most {MOST_DAYS:,} days")
    return int(days_written[1])


Days = Annotated[int, BeforeValidator(_days)]


# What lies beside the specs under such a name is something else: models/features.yaml.
RESERVED_NAMES = ("features",)


def _not_reserved(name: str) -> str:
    if name in RESERVED_NAMES:
        raise ValueError(f"models/{name}.yaml is not the spec of a model")
    return name


ModelName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$"), AfterValidator(_not_reserved)]


class Target(Shape):
    """What is to be predicted: an event on the bills, or a column of the accounts."""

    event: str | None = None
    days_past_due: Annotated[int, Field(strict=True, ge=0, le=MOST_DAYS)] | None = None
    horizon_days: Annotated[int, Field(strict=True, ge=1, le=MOST_DAYS)] | None = None
    action: str | None = None
    column: FeatureName | None = None
    positive: StrictStr | StrictBool | StrictInt | StrictFloat | None = None

    @property
    def dpd(self) -> int:
        """Days past due at which the event has happened; 0 for a column."""
        if self.days_past_due is not None or self.event is None:
            return self.days_past_due or 0
        return EVENTS[self.event][0]

    @property
    def horizon(self) -> int:
        """Days after the as-of date in which the event counts; 0 for a column."""
        if self.horizon_days is not None or self.event is None:
            return self.horizon_days or 0
        return EVENTS[self.event][1]

    @property
    def label_days(self) -> int:
        """Days from the as-of date until the label is known; 0 for a column."""
        return self.horizon + (self.dpd if self.event == "late" else 0)


class Observe(Shape):
    """When an account is looked at. `for` covers training, embargo and hold-out together."""

    every: Days = 30
    for_: Days = Field(default=360, alias="for")
    history: Days = 180
    at: Literal["issue"] | date | None = None


class HoldOut(Shape):
    """What is kept apart for validation: the last days, or a share of the parties."""

    last: Days | None = None
    share: Annotated[float, Field(gt=0, le=0.5)] | None = None


# Strict would want a tuple, and YAML has lists.
Names = Annotated[tuple[FeatureName, ...], Field(strict=False)]


class FeatureChoice(Shape):
    """Features to leave out, static ones to let in, and those to keep whatever their drift."""

    exclude: Names = ()
    static: Names = ()
    keep: Names = ()


class Fairness(Shape):
    """Attributes by whose levels a model is judged; those it should not stand in for; and the
    probability from which an account is taken to be treated (left out, the share of bad outcomes
    in training)."""

    by: Names = ()
    protected: Names = ()
    cut: Annotated[float, Field(gt=0, lt=1)] | None = None


class Sample(Shape):
    """The most good and the most bad outcomes to learn from, about; where there are more they are
    drawn, and each stands for as many as were not."""

    goods: Annotated[int, Field(strict=True, ge=500)] = 500_000
    bads: Annotated[int, Field(strict=True, ge=500)] = 500_000


class Asked(Shape):
    """Evidence that costs time, and so is made on request."""

    learning_curve: StrictBool = False


class ChampionRule(Shape):
    """The learner to ship unless another is significantly better by more than a margin: in AUC, or
    in the share of its log loss that the other saves."""

    prefer: LearnerName | None = None
    unless_auc_gain: Annotated[float, Field(ge=0, lt=0.5)] = 0.005
    unless_log_loss_gain: Annotated[float, Field(ge=0, lt=0.5)] = 0.003


class ModelSpec(Shape):
    """A checked spec. Everything but `name` and `target` has a default.

    One that was read has, under the name of each learner, that learner's settings as well: see
    :func:`spec_shape`.
    """

    name: ModelName
    question: str = ""
    target: Target
    observe: Observe = Observe()
    hold_out: HoldOut | None = None
    population: str | None = None
    features: FeatureChoice = FeatureChoice()
    learners: tuple[LearnerName, ...] = Field(default=DEFAULT_LEARNERS, strict=False)
    calibration: Literal["auto", "none", "sigmoid", "beta", "isotonic"] = "auto"
    champion: ChampionRule = ChampionRule()
    refit: StrictBool = False
    fairness: Fairness = Fairness()
    sample: Sample = Sample()
    evidence: Asked = Asked()
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**31)] = 7

    @property
    def repeats(self) -> bool:
        """Whether accounts are observed again and again, so that time can be held out."""
        return self.target.event is not None and not isinstance(self.observe.at, date)

    @property
    def hold_out_days(self) -> int | None:
        """Days held out at the end; None where a share of the parties is held out instead."""
        if self.hold_out is not None:
            return self.hold_out.last
        return 90 if self.repeats else None

    @property
    def hold_out_share(self) -> float | None:
        """The share of parties held out; None where the last days are held out instead."""
        if self.hold_out is not None:
            return self.hold_out.share
        return None if self.repeats else HELD_SHARE

    @property
    def label_days(self) -> int:
        """Days from the as-of date until the label is known; 0 for a column."""
        return self.target.label_days

    def settings(self, learner: LearnerName) -> Any:
        """What the spec says of how a learner learns: an instance of its settings."""
        return getattr(self, learner)

    def as_json(self) -> dict[str, Any]:
        """The spec as a manifest keeps it, with the settings of the learners that it lists and of
        those it would list by default."""
        others = {learner.name for learner in registered()} - {*self.learners, *DEFAULT_LEARNERS}
        return self.model_dump(mode="json", by_alias=True, exclude=others)

    @property
    def preferred(self) -> LearnerName:
        """The learner that ships unless another is clearly better."""
        return self.champion.prefer or self.learners[0]


def spec_shape() -> type[ModelSpec]:
    """The shape of a spec, with a key for the settings of every learner that is registered."""
    settings: dict[str, Any] = {}
    for learner in registered():
        if learner.name in ModelSpec.model_fields:
            raise ValueError(f"a learner cannot be called {learner.name}: a spec has such a key")
        settings[learner.name] = (learner.settings, learner.settings())
    return create_model("ModelSpec", __base__=ModelSpec, **settings)


@dataclass(frozen=True)
class AuthoredSpec:
    """A checked spec and the document it was read from."""

    spec: ModelSpec
    document: Document

    @property
    def file(self) -> str:
        return self.document.file

    def line(self, *path: str | int) -> int | None:
        return self.document.line(*path)


def read_spec(path: Path, problems: Problems, shown: str | None = None) -> AuthoredSpec | None:
    """The spec in a YAML file, or None after adding its Problems."""
    return _checked(read_yaml(path, problems, shown=shown), problems)


def parse_spec(text: str, file: str, problems: Problems) -> AuthoredSpec | None:
    """The spec in YAML text, or None after adding its Problems."""
    return _checked(parse_yaml(text, file, problems), problems)


def _checked(document: Document | None, problems: Problems) -> AuthoredSpec | None:
    spec = document.shaped(spec_shape(), problems) if document is not None else None
    if document is None or spec is None:
        return None
    authored = AuthoredSpec(spec, document)
    before = len(problems)
    _check_target(authored, problems)
    if len(problems) == before:  # the rest depends on what the target is
        _check_dates(authored, problems)
    _check_learners(authored, problems)
    return authored if len(problems) == before else None


def _check_target(authored: AuthoredSpec, problems: Problems) -> None:
    target = authored.spec.target

    def fault(code: str, message: str, hint: str, *path: str) -> None:
        line = authored.line("target", *path)
        problems.add(code, message, file=authored.file, line=line, hint=hint)

    if (target.event is None) == (target.column is None):
        fault(
            "RS004",
            "A target is either an event or a column.",
            "Write {event: late} or {column: NAME}.",
        )
    elif target.column is not None:
        for key in ("days_past_due", "action"):
            if getattr(target, key) is not None:
                message = f'"{key}" does not go with a column: its value is the outcome.'
                fault("RS004", message, f"Remove `{key}`.", key)
    elif target.event in NOT_YET:
        fault(
            "RS408",
            f'The target event "{target.event}" is not supported in this version.',
            "Use late or default, or a column of the accounts.",
            "event",
        )
    elif target.event not in EVENTS:
        message = f'"{target.event}" is not a target event.'
        fault("RS004", message, did_you_mean(str(target.event), EVENTS), "event")
    else:
        for key in ("action", "positive"):
            if getattr(target, key) is not None:
                message = f'"{key}" does not go with the event {target.event}.'
                fault("RS004", message, f"Remove `{key}`.", key)


def _check_dates(authored: AuthoredSpec, problems: Problems) -> None:
    spec, keys_written = authored.spec, authored.spec.observe.model_fields_set

    def fault(message: str, hint: str, *path: str) -> None:
        problems.add("RS004", message, file=authored.file, line=authored.line(*path), hint=hint)

    if spec.target.column is not None and keys_written and not isinstance(spec.observe.at, date):
        fault(
            "A column is observed once, not repeatedly.",
            "Remove `observe`, or write {at: DATE}.",
            "observe",
        )
    elif spec.observe.at is not None and "every" in keys_written:
        fault('"every" and "at" do not go together.', "Keep one of them.", "observe", "every")
    if spec.hold_out is not None:
        if (spec.hold_out.last is None) == (spec.hold_out.share is None):
            hint = "Write {last: 90 days} or {share: 0.25}."
            fault("A hold-out is either the last days or a share.", hint, "hold_out")
        elif spec.hold_out.last is not None and isinstance(spec.observe.at, date):
            message = "Accounts observed once have no last days to hold out."
            fault(message, "Write {share: 0.25}.", "hold_out", "last")
    days_held_out = spec.hold_out_days
    if days_held_out is not None and spec.repeats:
        if days_held_out < spec.observe.every:
            message = f"{days_held_out} days held out hold no observation of every account."
            hint = f"Hold out at least {spec.observe.every} days."
            fault(message, hint, *(("hold_out", "last") if spec.hold_out else ("observe",)))
        least_observed = least_for(spec.observe.every, days_held_out, spec.label_days)
        if spec.observe.for_ < least_observed:
            message = (
                f"{spec.observe.for_} days of observing leave nothing to train on: the hold-out "
                f"takes {days_held_out} of them and the wait for the last training label "
                f"{spec.label_days}."
            )
            key_path = ("observe", "for") if "for_" in keys_written else ("observe",)
            fault(message, f"Observe for at least {least_observed} days.", *key_path)


def _check_learners(authored: AuthoredSpec, problems: Problems) -> None:
    spec = authored.spec
    if len(set(spec.learners)) < len(spec.learners):
        line = authored.line("learners")
        problems.add("RS004", "A learner is listed twice.", file=authored.file, line=line)
    if not spec.learners:
        hint = f"List one or more of {', '.join(learner.name for learner in registered())}."
        line = authored.line("learners")
        problems.add("RS004", "There is no learner.", file=authored.file, line=line, hint=hint)
    elif spec.preferred not in spec.learners:
        problems.add(
            "RS004",
            f"The champion cannot be {spec.preferred}: it is not among the learners.",
            file=authored.file,
            line=authored.line("champion", "prefer"),
            hint=f"Add {spec.preferred} to `learners`, or prefer {spec.learners[0]}.",
        )
    for learner in registered():
        if learner.name in spec.model_fields_set and learner.name not in spec.learners:
            problems.add(
                "RS004",
                f"There are settings for {learner.name}, and it is not among the learners.",
                file=authored.file,
                line=authored.line(learner.name),
                hint=f"Add {learner.name} to `learners`, or remove `{learner.name}`.",
            )
    for learner in registered():
        learner.check(authored, spec.settings(learner.name), problems)


def least_for(every: int, held: int | None, label: int) -> int:
    """The fewest days of observing that leave every account one training date.

    Out of time, the window holds the hold-out, then the embargo of one label before it
    (whose last day is the last training date), then one cycle of training dates.
    """
    return every if held is None else held + label + every - 1
