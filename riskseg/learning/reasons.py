"""Why an account's probability is what it is, in words, for any number of accounts at once.

Contributions (SHAP values, or points lost) say how much each feature moved the probability away
from the average. They are added over families and ranked; then each candidate is put to the test:
with the family's features at ordinary values, the model's own margin must move the way the reason
says, and as far as is worth a word. What fails is no reason. Nor is a fact whose value does not
hurt: that no bill is overdue, or that what is usual is so here too, is never given as a reason why
the risk is higher. In favour it is the other way round. See docs/decisions/0022.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.words import NOTHING_RAISES_RISK
from riskseg.learning.evidence.model import Effect
from riskseg.learning.wording import (
    LARGE,
    few_words,
    sentences,
    whole_of,
)
from riskseg.learning.words import NO_CURRENCY, Currency

if TYPE_CHECKING:
    import pandas as pd

    from riskseg.learning.frame import Coded, Floats

# Contributions closer than this are equal, and the order of the features decides.
DIGITS = 6
# The least effect on the log-odds that is worth a reason: a twentieth of the odds.
LEAST_EFFECT = 0.05
# The fact that is named bears at least this share of its family's contribution.
LEAST_SHARE_OF_FAMILY = 0.1
# A value is practically usual within this share of the way from the usual value to where the
# outermost twentieth of the accounts begins, and a share (of bills, of a limit) within 0.05.
LEAST_OF_THE_WAY = 0.2
LEAST_OF_SHARES = 0.05
OUTER = 0.05
# The units of shares, and how much the whole is in each.
SHARES = {"share": 1.0, "percent": 100.0}
# Of an amount out of a whole (paid of what was billed), so much is practically all of it.
PRACTICALLY_ALL = 0.9
# "A short history": at most so much of the usual.
FEW = 0.5
# What is said where nothing can be named as a reason why the risk is higher.
NOTHING = NOTHING_RAISES_RISK
# Adverse candidates beyond those wanted, tried where one fails its test.
SPARE = 2
# Fewer rows are not worth a thread of their own.
LEAST_SHARE = 10_000


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that moved a probability; `contribution` is that of the feature's whole family:
    points lost in a scorecard, log-odds in boosted trees, positive where the risk is raised.
    `feature` is the family's member that moved it most, `value` the account's own value of it."""

    feature: str
    contribution: float
    value: Any
    words: str


@dataclass(frozen=True)
class Reasons:
    """The reasons of a batch: `places` and `contributions` have a row an account, and columns for
    the adverse reasons, strongest first, then one for the strongest favourable one. A place is
    that of a fact in `facts`; -1 where there is no such reason. `usual` are values to compare
    with, by feature."""

    facts: tuple[Fact, ...]
    batch: pd.DataFrame
    places: NDArray[np.int16]
    contributions: Floats
    currency: Currency = NO_CURRENCY
    usual: Mapping[str, Any] = field(default_factory=dict)

    def of(self, row: int) -> tuple[Reason, ...]:
        """One account's reasons, the favourable one last."""
        reasons_of_row = []
        for fact_index, contribution in zip(self.places[row], self.contributions[row], strict=True):
            if fact_index >= 0:
                fact = self.facts[fact_index]
                value_of_row = self.batch[fact.name].iloc[[row]]
                fact_value = None if value_of_row.isna().iloc[0] else value_of_row.iloc[0]
                fact_sentence = self._sentences(fact, [row])[0].as_py()
                reasons_of_row.append(
                    Reason(fact.name, float(contribution), fact_value, fact_sentence)
                )
        return tuple(reasons_of_row)

    def _sentences(self, fact: Fact, rows: Any) -> pa.Array:
        batch = self.batch.iloc[rows]
        return sentences(batch[fact.name], fact, self.currency, batch, self.usual.get(fact.name))

    def texts(self) -> pa.Array:
        """Each account's reasons as one line: the adverse ones, or that there are none, then what
        speaks in its favour."""
        adverse = [self._column(column) for column in range(self.places.shape[1] - 1)]
        none = pa.array((self.places[:, :-1] < 0).all(axis=1))
        adverse.append(pc.if_else(none, NOTHING, pa.scalar(None, pa.string())))
        favourable = pc.binary_join_element_wise("in favour: ", self._column(-1), "")
        joined: pa.Array = pc.binary_join_element_wise(
            *adverse, favourable, "; ", null_handling="skip"
        )
        return joined

    def _column(self, column: int) -> pa.Array:
        """The words of one reason of every account; null where it has none."""
        fact_indices = self.places[:, column]
        texts_of_facts, rows_of_facts = (
            [pa.nulls(int((fact_indices < 0).sum()), pa.string())],
            [np.flatnonzero(fact_indices < 0)],
        )
        for fact_index, fact in enumerate(self.facts):
            rows_of_fact = np.flatnonzero(fact_indices == fact_index)
            if len(rows_of_fact):
                texts_of_facts.append(self._sentences(fact, rows_of_fact))
                rows_of_facts.append(rows_of_fact)
        order = np.argsort(np.concatenate(rows_of_facts), kind="stable")
        return pa.concat_arrays(texts_of_facts).take(pa.array(order))


class Tried(Protocol):
    """A model whose margins are worked out again with other values in some of the features: see
    :class:`riskseg.learning.learner.FittedModel`."""

    def coded(self, batch: pd.DataFrame) -> Coded: ...

    def coded_margin(self, coded: Coded) -> Floats: ...


@dataclass(frozen=True)
class Ordinary:
    """By feature, the value nearest to the average account's risk: of those no riskier than it
    (`safer`), and of those no safer (`riskier`). None stands for a null. Of numbers, `usual` is
    the median, `ends` are the least and the greatest value, and `outer` those beyond which a
    twentieth of the accounts lies; special values do not count."""

    safer: Mapping[str, Any]
    riskier: Mapping[str, Any]
    usual: Mapping[str, float] = field(default_factory=dict)
    ends: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    outer: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        effects: Sequence[Effect],
        facts: Sequence[Fact] = (),
        *,
        measured: bool = True,
    ) -> Ordinary:
        """From the effects of a model's evidence: the mean margin at some values of a feature,
        and how common each is. Where that was not `measured` on accounts, nothing is usual."""
        codes = {fact.name: fact.special_values for fact in facts}
        safer, riskier, usual, ends, outer = {}, {}, {}, {}, {}
        for effect in effects:
            effect_name, points = effect.feature, effect.points
            share = sum(point.share for point in points) or 1.0
            average = sum(point.margin * point.share for point in points) / share
            below = [point for point in points if point.margin <= average] or points
            above = [point for point in points if point.margin >= average] or points
            safer[effect_name] = max(below, key=lambda point: point.margin).value
            riskier[effect_name] = min(above, key=lambda point: point.margin).value
            known = sorted(
                (float(point.value), point.share)
                for point in points
                if isinstance(point.value, float | int)
                and point.value not in codes.get(effect_name, ())
            )
            if known:
                ends[effect_name] = (known[0][0], known[-1][0])
            if known and measured:
                usual[effect_name] = _reached(known, 0.5)
                outer[effect_name] = (_reached(known, OUTER), _reached(known, 1 - OUTER))
        return cls(safer, riskier, usual, ends, outer)


def _reached(points: Sequence[tuple[float, float]], share_wanted: float) -> float:
    """The value at which so much of the shares is reached, of (value, share) by rising value."""
    total_wanted, so_far = share_wanted * sum(point_share for _, point_share in points), 0.0
    for reached_value, point_share in points:
        so_far += point_share
        if so_far >= total_wanted - 1e-9:
            return reached_value
    return points[-1][0]


def _may_speak(
    batch: pd.DataFrame, facts: Sequence[Fact], ordinary: Ordinary, currency: Currency
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether each row's value of each fact may be why the risk is higher, and why it is lower.
    What is not known, a code included, hurts wherever more or less of the fact would."""
    worse = np.ones((len(batch), len(facts)), dtype=np.bool_)
    better = worse.copy()
    for index, fact in enumerate(facts):
        if fact.kind.is_textual or fact.name not in ordinary.ends:
            continue
        fact_numbers = _numbers(batch, fact.name)
        is_known = ~(np.isnan(fact_numbers) | np.isin(fact_numbers, fact.special_values))
        hurts, helps = _meaning(fact_numbers, fact, ordinary, batch, currency)
        worse[:, index] = ~is_known | hurts
        better[:, index] = (is_known & helps) if fact.side else (~is_known | helps)
    return worse, better


def _numbers(batch: pd.DataFrame, name: str) -> Floats:
    numbers: Floats = batch[name].to_numpy(dtype=np.float64, na_value=np.nan)
    return numbers


def _meaning(
    numbers: Floats, fact: Fact, ordinary: Ordinary, batch: pd.DataFrame, currency: Currency
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether each known value hurts, and whether it helps."""
    usual = ordinary.usual.get(fact.name)
    signed = fact.side * numbers
    if (whole_feature := whole_of(fact)) is not None:
        full = (
            _numbers(batch, whole_feature)
            if whole_feature in batch.columns
            else np.zeros(len(batch))
        )
        enough = numbers >= PRACTICALLY_ALL * full
        return (full > 0) & ~enough, (full > 0) & enough
    if fact.hurts_beyond is not None and fact.side:
        beyond = signed > fact.side * fact.hurts_beyond
        beyond &= _seen_apart(numbers, fact.hurts_beyond, fact, currency)
        middle = signed if usual is None else np.full(len(batch), fact.side * usual)
        return beyond & (signed >= middle), ~beyond & (signed <= middle)
    safest, riskiest = sorted(fact.side * ordinary_end for ordinary_end in ordinary.ends[fact.name])
    if usual is None:
        anything = np.ones(len(batch), dtype=np.bool_)
        sure = bool(fact.direction)
        return (signed > safest, signed < riskiest) if sure else (anything, anything)
    differs = _differs(numbers, fact, ordinary, currency)
    if not fact.side:
        return differs, differs
    hurts, helps = differs & (signed > fact.side * usual), differs & (signed < fact.side * usual)
    if fact.direction and safest < riskiest:  # nobody is worse, or better, whatever is usual
        hurts, helps = hurts | (signed >= riskiest), helps | (signed <= safest)
    if few_words(fact):
        hurts &= numbers <= FEW * usual
    return hurts, helps


def _seen_apart(numbers: Floats, other: float, fact: Fact, currency: Currency) -> NDArray[np.bool_]:
    """Whether each value differs from another as both are shown."""
    units_shown = 10 ** (currency.scale if fact.unit == "money" else 2)
    # Above it, no number is rounded.
    rounded_numbers = np.round(np.clip(numbers, -LARGE, LARGE) * units_shown)
    apart = rounded_numbers != np.round(np.clip(other, -LARGE, LARGE) * units_shown)
    differs: NDArray[np.bool_] = np.where(np.abs(numbers) > LARGE, numbers != other, apart)
    return differs


def _differs(
    numbers: Floats, fact: Fact, ordinary: Ordinary, currency: Currency
) -> NDArray[np.bool_]:
    """Whether each value differs from the usual one by more than is practically nothing. Values
    that are no amounts, yes or no, always do: there is nothing usual to be near to."""
    if fact.kind is Kind.BOOLEAN:
        return np.ones(len(numbers), dtype=np.bool_)
    usual = ordinary.usual[fact.name]
    # Quarters: between two huge numbers, the difference is infinite.
    middle, low, high = (ordinary_end / 4 for ordinary_end in (usual, *ordinary.outer[fact.name]))
    way = np.where(numbers < usual, middle - low, high - middle)
    distance = np.abs(numbers / 4 - middle)
    far = distance >= LEAST_OF_THE_WAY * way
    if fact.unit in SHARES:
        far &= distance >= LEAST_OF_SHARES * SHARES[fact.unit] / 4
    differs: NDArray[np.bool_] = far & _seen_apart(numbers, usual, fact, currency)
    return differs


def _one_row(values: Mapping[str, Any], facts: Sequence[Fact]) -> pd.DataFrame:
    """A value of each fact as a batch."""
    import pandas as pd

    return pd.DataFrame(
        {
            fact.name: pd.Series(
                [values[fact.name]], dtype=object if fact.kind.is_textual else np.float64
            )
            for fact in facts
        }
    )


def ranked_reasons(
    batch: pd.DataFrame,
    contributions: Floats,
    facts: Sequence[Fact],
    ordinary: Ordinary,
    model: Tried,
    top: int,
    threads: int = 1,
    currency: Currency = NO_CURRENCY,
    worth: float = 1.0,
) -> Reasons:
    """The `top` families that raised each row's probability most, and the one that lowered it
    most, each tested against the model.

    `contributions` is (rows, facts), positive where the risk is raised; `worth` is how many of
    them make 1 of log-odds. Features of one family say much the same, so their contributions are
    added before they are ranked. They are tested against the `model`. A row's reasons hang on
    nothing but the row, so threads share the rows out.
    """

    def reasons_of_rows(rows: slice) -> tuple[NDArray[np.int16], Floats]:
        batch_part = batch.iloc[rows]
        may_be_named = _may_speak(batch_part, facts, ordinary, currency)
        return _ranked(
            batch_part, contributions[rows], facts, ordinary, model, top, may_be_named, worth
        )

    # One part a thread: making a model ready to score costs the same for few rows as for many.
    rows_each = max(-(-len(batch) // threads), LEAST_SHARE)
    row_slices = [
        slice(begin, begin + rows_each) for begin in range(0, max(len(batch), 1), rows_each)
    ]
    if threads > 1 and len(row_slices) > 1:
        with ThreadPoolExecutor(threads) as pool:
            ranked_parts = list(pool.map(reasons_of_rows, row_slices))
    else:
        ranked_parts = [reasons_of_rows(rows) for rows in row_slices]
    fact_indices = np.concatenate([fact_indices for fact_indices, _ in ranked_parts])
    totals = np.concatenate([totals for _, totals in ranked_parts])
    return Reasons(tuple(facts), batch, fact_indices, totals, currency, ordinary.usual)


def _ranked(
    batch: pd.DataFrame,
    contributions: Floats,
    facts: Sequence[Fact],
    ordinary: Ordinary,
    model: Tried,
    top: int,
    may: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    worth: float,
) -> tuple[NDArray[np.int16], Floats]:
    """(places, contributions) of a part of the rows, as `Reasons` holds them. `may` says which
    facts may be named as reasons for more risk, and for less."""
    families = list(dict.fromkeys(fact.family or fact.name for fact in facts))
    members = [
        [
            fact_number
            for fact_number, fact in enumerate(facts)
            if (fact.family or fact.name) == family
        ]
        for family in families
    ]
    # For the adverse and for the favourable: each family's total, and its member that speaks.
    totals = np.zeros((2, len(batch), len(families)))
    loudest = np.zeros((2, len(batch), len(families)), dtype=np.int16)
    for family_index, members_of_family in enumerate(members):
        contributions_of_members = np.round(contributions[:, members_of_family], DIGITS)
        family_total = np.round(contributions_of_members.sum(axis=1), DIGITS)
        for side, sign in enumerate((1, -1)):
            heard = np.where(may[side][:, members_of_family], sign * contributions_of_members, 0.0)
            loudest[side, :, family_index] = np.asarray(members_of_family)[heard.argmax(axis=1)]
            loudest_part = heard.max(axis=1)
            has_speaker = (loudest_part > 0) & (
                loudest_part >= LEAST_SHARE_OF_FAMILY * sign * family_total
            )
            totals[side, :, family_index] = np.where(has_speaker, family_total, 0.0)

    coded = model.coded(batch)
    current_margin = model.coded_margin(coded)
    ordinary_codes = {
        sign: model.coded(_one_row(values, facts))
        for sign, values in ((1, ordinary.safer), (-1, ordinary.riskier))
    }

    def confirmed(
        speaking_rows: NDArray[np.int64], families_asked: NDArray[Any], sign: int
    ) -> NDArray[np.bool_]:
        """Whether each row's margin moves as it should once the family `asked` of it is ordinary.
        One call for all families: a model takes as long to make ready for few rows as for many."""
        tried = [codes[speaking_rows] for codes in coded]
        for family_index in np.unique(families_asked):
            rows_of_family = families_asked == family_index
            for fact_number in members[family_index]:
                tried[fact_number][rows_of_family] = ordinary_codes[sign][fact_number][0]
        moves_as_said: NDArray[np.bool_] = (
            sign * (current_margin[speaking_rows] - model.coded_margin(tried)) >= LEAST_EFFECT
        )
        return moves_as_said

    fact_indices = np.full((len(batch), top + 1), -1, dtype=np.int16)
    family_totals = np.zeros((len(batch), top + 1))
    for side, (sign, first, wanted) in enumerate(((1, 0, top), (-1, top, 1))):
        reasons_found = np.zeros(len(batch), dtype=np.int64)
        order = np.argsort(-sign * totals[side], axis=1, kind="stable")
        for rank in range(min(wanted + SPARE, len(families))):
            family = order[:, rank]
            family_total = np.take_along_axis(totals[side], family[:, None], axis=1)[:, 0]
            speaking_rows = np.flatnonzero(
                (reasons_found < wanted) & (sign * family_total >= LEAST_EFFECT * worth)
            )
            if not len(speaking_rows):
                break
            speaking_rows = speaking_rows[confirmed(speaking_rows, family[speaking_rows], sign)]
            fact_indices[speaking_rows, first + reasons_found[speaking_rows]] = loudest[
                side, speaking_rows, family[speaking_rows]
            ]
            family_totals[speaking_rows, first + reasons_found[speaking_rows]] = family_total[
                speaking_rows
            ]
            reasons_found[speaking_rows] += 1
    return fact_indices, family_totals
