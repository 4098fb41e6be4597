"""Values in words: money with its currency, days as days, labels in place of codes, and a
sentence for each account's own value of a fact."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from riskseg.domain.columns import code_text
from riskseg.domain.facts import Fact, Kind, worded
from riskseg.learning.words import Currency

if TYPE_CHECKING:
    import pandas as pd

    from riskseg.learning.frame import Floats

# Above it, hundredths are no whole numbers of 64 bits.
LARGE = 1e15
# The other facts that a sentence names, as {bills_12m}.
_NAMED = re.compile(r"\{(?!value\})([a-z][a-z0-9_]*)\}")


def few_words(fact: Fact) -> str:
    """What is said of a value that is at most half of the usual, if that has words of its own."""
    return dict(fact.phrases).get("few", "")


def whole_of(fact: Fact) -> str | None:
    """The fact that this one is a part of, where it is an amount out of a whole of which less is
    riskier: paid of what was billed."""
    named = companions(fact)
    return named[0] if fact.side < 0 and named else None


def companions(fact: Fact) -> tuple[str, ...]:
    """The other facts that the fact's reason names."""
    return tuple(_NAMED.findall(dict(fact.phrases).get("reason", "")))


def sentences(
    values: pd.Series, fact: Fact, currency: Currency, batch: pd.DataFrame, usual: Any = None
) -> pa.Array:
    """What is said of each value. `batch` has the rows' other facts, `usual` is the value to
    compare with, where there is one to show."""
    phrases = dict(fact.phrases)
    null = values.isna().to_numpy()
    fact_numbers = None if fact.kind.is_textual else _numbers(values)
    shown_values = _shown(values, fact_numbers, fact, currency)
    is_one = np.zeros(len(values), dtype=bool) if fact_numbers is None else fact_numbers == 1
    fact_words = fact.words or f"{fact.name} is {{value}}"
    counted = shown_values
    if (
        fact_numbers is not None
        and fact_words.startswith("{value} {")
        and "0" not in dict(fact.labels)
    ):
        counted = pc.if_else(
            pa.array(fact_numbers == 0), "no", shown_values
        )  # "no bills", not "0 bills"
    sentence = _filled(fact_words, counted, is_one)
    if "reason" in phrases:
        sentence = _beside(sentence, phrases["reason"], shown_values, is_one, batch, fact, currency)
    if fact_numbers is not None:
        if "few" in phrases and usual:
            few = pa.array(fact_numbers <= usual / 2)
            sentence = pc.if_else(few, _filled(phrases["few"], shown_values, is_one), sentence)
        alone = fact.hurts_beyond is None and whole_of(fact) is None
        if alone and fact.kind is not Kind.BOOLEAN and usual:
            usual_text = _text_of(np.full(1, float(usual)), fact, currency)[0].as_py()
            compared = pc.binary_join_element_wise(sentence, f" (usual: {usual_text})", "")
            sentence = pc.if_else(pc.not_equal(shown_values, usual_text), compared, sentence)
        if "negative" in phrases:
            shown_below = _shown(values, np.abs(fact_numbers), fact, currency)
            early = _filled(phrases["negative"], shown_below, np.abs(fact_numbers) == 1)
            sentence = pc.if_else(pa.array(fact_numbers < 0), early, sentence)
        if "zero" in phrases:
            sentence = pc.if_else(pa.array(fact_numbers == 0), phrases["zero"], sentence)
        for code in fact.special_values:
            code_label = dict(fact.labels).get(code_text(code))
            coded = f"{fact.name} is {code_label or f'not known (code {code_text(code)})'}"
            sentence = pc.if_else(pa.array(fact_numbers == code), coded, sentence)
    unknown = phrases.get("unknown") or f"{fact.name} is not known"
    return pc.if_else(pa.array(null), unknown, sentence)


def _numbers(values: pd.Series) -> Floats:
    numbers: Floats = values.to_numpy(dtype=np.float64, na_value=np.nan)
    return numbers


def _filled(words: str, shown: pa.Array, is_one: NDArray[np.bool_]) -> pa.Array:
    """The words with each value in them, in the singular where it is one."""

    def filled(template: str) -> pa.Array:
        text_before, _, text_after = template.partition("{value}")
        middle = shown if "{value}" in template else pa.array([""] * len(shown))
        return pc.binary_join_element_wise(text_before, middle, text_after, "")

    several = filled(worded(words, one=False))
    if not is_one.any():
        return several
    return pc.if_else(pa.array(is_one), filled(worded(words, one=True)), several)


def _beside(
    sentence: pa.Array,
    words: str,
    shown: pa.Array,
    is_one: NDArray[np.bool_],
    batch: pd.DataFrame,
    fact: Fact,
    currency: Currency,
) -> pa.Array:
    """What is said, or the words that name other facts, where those are known and more than 1."""
    named_facts = _NAMED.findall(words)
    if not set(named_facts) <= set(batch.columns):
        return sentence
    fits = np.ones(len(shown), dtype=bool)
    text_by_name: dict[str, pa.Array] = {"value": shown}
    for companion_fact in named_facts:
        beside_numbers = _numbers(batch[companion_fact])
        fits &= beside_numbers > 1  # not where it is NaN
        numbers_or_zero = np.where(np.isnan(beside_numbers), 0.0, beside_numbers)
        alike = fact.unit == "money"  # an amount is of an amount, and bills are of bills
        text_by_name[companion_fact] = (
            _money_text(numbers_or_zero, currency) if alike else _plain_text(numbers_or_zero)
        )

    def filled(template: str) -> pa.Array:
        pieces = re.split(r"\{([a-z][a-z0-9_]*)\}", template)
        piece_texts = [
            text_by_name[piece] if position % 2 else piece for position, piece in enumerate(pieces)
        ]
        return pc.binary_join_element_wise(*piece_texts, "")

    whole_sentence = pc.if_else(
        pa.array(is_one), filled(worded(words, one=True)), filled(worded(words, one=False))
    )
    return pc.if_else(pa.array(fits), whole_sentence, sentence)


def _shown(values: pd.Series, numbers: Floats | None, fact: Fact, currency: Currency) -> pa.Array:
    """Each value as text, by its label where it has one; nulls as anything."""
    if numbers is None:
        known_values = values.where(~values.isna().to_numpy(), None).astype(object)
        shown_text = pa.array(known_values, pa.string())
        for labelled_value, label in fact.labels:
            shown_text = pc.if_else(
                pc.fill_null(pc.equal(shown_text, labelled_value), False), label, shown_text
            )
        return pc.fill_null(shown_text, "")
    return _text_of(np.where(np.isnan(numbers), 0.0, numbers), fact, currency)


def _text_of(numbers: Floats, fact: Fact, currency: Currency) -> pa.Array:
    if fact.kind is Kind.BOOLEAN:
        labels = dict(fact.labels)
        yes, no = labels.get("true", "yes"), labels.get("false", "no")
        return pc.if_else(pa.array(numbers != 0), yes, no)
    if fact.unit == "money":
        number_text = _money_text(numbers, currency)
    elif fact.unit == "share":
        with np.errstate(over="ignore"):
            percent = _decimal_text(numbers * 100, 0)
        number_text = pc.binary_join_element_wise(percent, "%", "")
    elif fact.unit == "percent":
        number_text = pc.binary_join_element_wise(_plain_text(numbers), "%", "")
    else:
        number_text = _plain_text(numbers)
    for labelled_value, label in fact.labels:
        number_text = pc.if_else(pa.array(numbers == float(labelled_value)), label, number_text)
    return number_text


def _money_text(numbers: Floats, currency: Currency) -> pa.Array:
    """As `riskseg.domain.words.money`, for many amounts at once."""
    text = _decimal_text(numbers, currency.scale, grouped=True)
    before = f"{currency.code} " if currency.code else ""
    return pc.binary_join_element_wise(before, text, "")


# Of numbers below it, a float holds six decimals.
_SMALL = 2.0**33


def _plain_text(numbers: Floats) -> pa.Array:
    """Whole numbers as they are, others with two decimals."""
    size = np.minimum(np.abs(numbers), LARGE)
    whole = units_of(size, 100) % 100 == 0
    return pc.if_else(pa.array(whole), _decimal_text(numbers, 0), _decimal_text(numbers, 2))


def units_of(numbers: Floats, units: int) -> NDArray[np.int64]:
    """The size of numbers in whole units, of which `units` are 1. A half is rounded up, as it is
    where features are kept at so many decimals: 48.5% is 49%."""
    size = np.abs(numbers) * units
    # Less what a float holds too little, or too much: 0.285 is a half of units of 0.01. A large one
    # has no such places: it is whole, or as good as whole.
    halves_up = np.floor(np.round(np.minimum(size, _SMALL), 6) + 0.5)
    in_units: NDArray[np.int64] = np.where(size < _SMALL, halves_up, np.round(size)).astype(
        np.int64
    )
    return in_units


def _decimal_text(numbers: Floats, decimals: int, *, grouped: bool = False) -> pa.Array:
    """Numbers with so many decimals, without a sign where all of them are 0; `grouped` with a
    comma between thousands."""
    units = 10**decimals
    large = np.abs(numbers) > LARGE
    in_units = units_of(np.where(large, 0.0, numbers), units)
    sign = pc.if_else(pa.array((numbers < 0) & (in_units > 0)), "-", "")
    whole_units = in_units // units
    decimal_text = _grouped(whole_units) if grouped else pa.array(whole_units).cast(pa.string())
    decimal_text = pc.binary_join_element_wise(sign, decimal_text, "")
    if decimals:
        decimals_text = pc.utf8_lpad(pa.array(in_units % units).cast(pa.string()), decimals, "0")
        decimal_text = pc.binary_join_element_wise(decimal_text, decimals_text, ".")
    if large.any():
        large_numbers, index_of_row = np.unique(numbers[large], return_inverse=True)
        number_form = f"{',' if grouped else ''}.{decimals}f"
        large_texts = [
            format(number, number_form if abs(number) < 1e21 else ".6g")
            for number in large_numbers.tolist()
        ]
        decimal_text = pc.replace_with_mask(
            decimal_text, pa.array(large), pa.array(large_texts).take(pa.array(index_of_row))
        )
    return decimal_text


def _grouped(whole: NDArray[np.int64]) -> pa.Array:
    """Whole numbers with a comma between thousands."""
    if not (whole >= 1000).any():
        return pa.array(whole).cast(pa.string())
    last_three = pa.array(whole % 1000).cast(pa.string())
    thousands = pc.binary_join_element_wise(
        _grouped(whole // 1000), pc.utf8_lpad(last_three, 3, "0"), ","
    )
    return pc.if_else(pa.array(whole >= 1000), thousands, last_three)
