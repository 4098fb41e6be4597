"""Hand edits of a scorecard's bins, written in the spec so that they survive retraining."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr

from riskseg.domain.documents import Shape
from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems, did_you_mean
from riskseg.learning.scorecard.tables import Bins

if TYPE_CHECKING:
    from riskseg.learning.spec import AuthoredSpec

Finite = Annotated[StrictFloat, Field(allow_inf_nan=False)]
# Strict would want tuples, and YAML has lists.
Numbers = Annotated[tuple[StrictInt | Finite, ...], Field(strict=False)]
Group = Annotated[tuple[StrictStr, ...], Field(strict=False)]
MostBins = Annotated[StrictInt, Field(ge=2, le=60)]
LeastShare = Annotated[StrictFloat, Field(gt=0, le=0.5)]
# The shape of the bad rate along a number. `auto`: the declared direction, or one turn at most;
# `always`: the declared direction, or the one that fits better; `none`: any shape;
# `increasing`: more is riskier; `decreasing`: less is.
Monotone = Literal["auto", "always", "none", "increasing", "decreasing"]


class Edit(Shape):
    """What a person wants of one feature's bins.

    `cuts`: these cuts, no others (a bin holds its lower cut). `levels`: these groups of a text's
    levels, no others, in this order; every other level is "other". `without`: the automatic cut
    nearest to each of these goes. `specials`: numbers that are codes, each a bin of its own with
    no place in the feature's direction. `drop`: the feature is left out. `max_bins`,
    `min_bin_share` and `monotone` take the place of the scorecard's.
    """

    cuts: Numbers | None = None
    levels: Annotated[tuple[Group, ...], Field(strict=False)] | None = None
    without: Numbers = ()
    specials: Numbers = ()
    drop: StrictBool = False
    max_bins: MostBins | None = None
    min_bin_share: LeastShare | None = None
    monotone: Monotone | None = None

    @property
    def by_hand(self) -> tuple[str, ...]:
        """What is said of the bins themselves, which an additive scorecard does not begin with."""
        keys = ("cuts", "levels", "without", "specials")
        return tuple(key for key in keys if key in self.model_fields_set)


def with_special_values(edits: Mapping[str, Edit], features: Iterable[Fact]) -> dict[str, Edit]:
    """The edits, with the declared special values of each feature among its specials."""
    extended = dict(edits)
    for fact in features:
        if fact.special_values:
            edit = extended.get(fact.name, Edit())
            special_codes = tuple(sorted({*map(float, edit.specials), *fact.special_values}))
            extended[fact.name] = edit.model_copy(update={"specials": special_codes})
    return extended


def hand_bins(edit: Edit | None, name: str) -> Bins | None:
    """The bins that an edit gives outright, less its specials; None where data are to find them.

    For every form of scorecard. Cuts and levels are those of the spec in every fold alike.
    """
    if edit is None:
        return None
    if edit.cuts is not None:
        return Bins(name, tuple(float(cut) for cut in edit.cuts), None)
    if edit.levels is not None:
        group_ends = [0]
        for group in edit.levels:
            group_ends.append(group_ends[-1] + len(group))
        levels = tuple(level for group in edit.levels for level in group)
        return Bins(name, tuple(float(group_end) for group_end in group_ends[1:-1]), levels)
    return None


def around(codes: Iterable[float], *, whole: bool) -> tuple[float, ...]:
    """The cuts that set each code apart from every other number: at it and just above it, which
    for `whole` numbers is at the next one."""
    cuts = set(codes)
    for code in codes:
        # Nearer to 0 an engine may take a number for 0 itself.
        just_above = math.nextafter(code, math.inf) if code else sys.float_info.min
        cuts.add(max(math.floor(code) + 1.0, just_above) if whole else just_above)
    return tuple(sorted(filter(math.isfinite, cuts)))


def check_edits(
    authored: AuthoredSpec,
    edits: Mapping[str, Edit],
    features: Sequence[Fact],
    problems: Problems,
    others: Collection[str] = (),
) -> None:
    """Adds RS501 for features that do not exist and RS004 for edits that cannot be carried out.

    `others` are names that a workspace knows besides the features to learn from.
    """
    facts = {fact.name: fact for fact in features}
    spec = authored.spec
    for feature, edit in edits.items():

        def fault(
            code: str, message: str, hint: str, *path: str | int, _name: str = feature
        ) -> None:
            line = authored.line("scorecard", "edits", _name, *path)
            problems.add(code, message, file=authored.file, line=line, hint=hint)

        if feature in facts:
            _check(facts[feature], edit, fault)
        elif feature == spec.target.column:
            fault(
                "RS501",
                f'"{feature}" is the outcome: it is not learned from.',
                "Remove its edit.",
            )
        elif feature in others and feature not in spec.features.exclude:
            message = (
                f'"{feature}" is not learned from: it is known only as of today, or is a date.'
            )
            fault("RS501", message, "List it in `features: {static: […]}`, or remove its edit.")
        elif feature not in spec.features.exclude:
            fault(
                "RS501",
                f'"{feature}" is not a feature here.',
                did_you_mean(feature, facts),
            )


def _check(fact: Fact, edit: Edit, fault: Callable[..., None]) -> None:
    keys_written = sorted(edit.model_fields_set)
    if not keys_written:
        fault("RS004", f"The edit of {fact.name} is empty.", "Remove it, or give its cuts.")
    if edit.drop and len(keys_written) > 1:
        fault("RS004", f"{fact.name} is dropped, and edited.", "Keep one of them.", "drop")
    if edit.cuts is not None and edit.levels is not None:
        fault("RS004", '"cuts" and "levels" do not go together.', "Keep one of them.", "levels")
    if edit.without and (edit.cuts is not None or edit.levels is not None):
        message = '"without" removes automatic cuts, and here there are none.'
        fault("RS004", message, "Remove `without`.", "without")
    if edit.cuts is not None or edit.levels is not None:
        for edit_key in ("max_bins", "min_bin_share", "monotone"):
            if edit_key in keys_written:
                message = f'"{edit_key}" is for bins that are found, and here they are given.'
                fault("RS004", message, f"Remove `{edit_key}`.", edit_key)
    if fact.kind.is_textual:
        if "monotone" in keys_written:
            message = f'"monotone" is for numbers: the levels of {fact.name} are in order of risk.'
            fault("RS004", message, "Remove `monotone`.", "monotone")
        for edit_key in ("cuts", "without", "specials"):
            if edit_key in keys_written:
                message = f'"{edit_key}" are numbers, and {fact.name} is text.'
                fault("RS004", message, "Group its `levels`.", edit_key)
    elif edit.levels is not None:
        fault("RS004", f'{fact.name} is not text: it has no "levels".', "Give `cuts`.", "levels")
    if fact.kind is Kind.BOOLEAN and (
        edit.cuts or edit.without or edit.specials or edit.max_bins or edit.min_bin_share
    ):
        fault("RS004", f"{fact.name} is true or false: there is nothing to cut.", "Remove this.")
    for edit_key, edit_numbers in (("cuts", edit.cuts or ()), ("specials", edit.specials)):
        for index, (low, high) in enumerate(pairwise(edit_numbers)):
            if low >= high:
                message = f'"{edit_key}" do not rise: {high} comes after {low}.'
                fault(
                    "RS004", message, "Write them from low to high, each once.", edit_key, index + 1
                )
    known_levels = fact.levels or fact.seen
    levels_seen: set[str] = set()
    for index, level_group in enumerate(edit.levels or ()):
        if not level_group:
            fault("RS004", "A group has no levels.", "Remove it.", "levels", index)
        for level_index, level in enumerate(level_group):
            if level in levels_seen:
                message = f'"{level}" occurs twice.'
                fault("RS004", message, "Keep one of them.", "levels", index, level_index)
            elif known_levels and level not in known_levels:
                message = f'"{level}" is not a level of {fact.name}.'
                fault(
                    "RS004",
                    message,
                    did_you_mean(level, known_levels),
                    "levels",
                    index,
                    level_index,
                )
            levels_seen.add(level)
    if edit.levels is not None and not edit.levels:
        fault("RS004", "There is no group of levels.", "Give one, or remove `levels`.", "levels")
