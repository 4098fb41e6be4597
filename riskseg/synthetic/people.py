"""Who the households are: what is hidden about them, and what their creditor can see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from riskseg.synthetic import world as w
from riskseg.synthetic.world import Days, Flags, Floats, Ints, Reason


@dataclass(frozen=True, slots=True)
class Households:
    """One chunk of accounts; every array has one entry an account. Days count from the first
    day of history; those before it are negative."""

    party: Ints  # the place in the chunk of the party's first account
    type: Ints
    attention: Floats
    ability: Floats
    willingness: Floats
    vulnerable: Flags
    shock_from: Days  # NEVER where there is none
    shock_until: Days
    opened: Days
    closed: Days  # NEVER for those who stay
    region: Ints
    property: Ints
    tariff: Ints
    size: Ints
    method: Ints
    quarterly: Flags
    arm: Ints
    known_vulnerable: Flags
    vulnerable_unknown: Flags
    medical: Flags
    medical_unknown: Flags

    def __len__(self) -> int:
        return len(self.party)


def draw_households(count: int, days: int, rng: np.random.Generator) -> Households:
    """`count` households whose accounts live some of the `days` days of history."""
    household = np.arange(count)
    second = (household % 2 == 1) & (rng.random(count) < w.SECOND_ACCOUNT)
    party = household - second

    region = _pick(rng, w.REGION_SHARES, count)[party]
    kind = _types(rng, region)[party]
    attention = _around(rng, kind, [household_type.attention for household_type in w.TYPES])[party]
    ability = _around(rng, kind, [household_type.ability for household_type in w.TYPES])[party]
    willingness = _around(rng, kind, [household_type.willingness for household_type in w.TYPES])[
        party
    ]
    vulnerable = _one_of_type(rng, kind, [household_type.vulnerable for household_type in w.TYPES])[
        party
    ]
    shock_from, shock_until = _shocks(rng, ability, days)

    opened, closed = _lives(rng, count, days)
    by_debit = _one_of_type(rng, kind, [household_type.direct_debit for household_type in w.TYPES])
    by_hand = 1 + _pick(rng, (0.55, 0.20, 0.25), count)
    strained = ability < 0.5
    tariff = np.where(
        rng.random(count) < np.where(strained, 0.25, 0.02), 2, _pick(rng, (0.6, 0.4), count)
    )
    is_known_vulnerable = rng.random(count) < np.where(
        vulnerable, w.VULNERABLE_KNOWN, w.VULNERABLE_WRONGLY
    )
    medical = vulnerable & (rng.random(count) < w.MEDICAL_NEED)
    return Households(
        party=party,
        type=kind,
        attention=attention,
        ability=ability,
        willingness=willingness,
        vulnerable=vulnerable,
        shock_from=shock_from[party],
        shock_until=shock_until[party],
        opened=opened,
        closed=closed,
        region=region,
        property=_pick(rng, w.PROPERTY_SHARES, count),
        tariff=tariff,
        size=1 + _pick(rng, (0.30, 0.34, 0.16, 0.13, 0.05, 0.02), count),
        method=np.where(by_debit, w.DIRECT_DEBIT, by_hand),
        quarterly=rng.random(count) < w.QUARTERLY,
        arm=_pick(rng, w.ARM_SHARES, count),
        known_vulnerable=is_known_vulnerable,
        vulnerable_unknown=rng.random(count) < w.FLAG_UNKNOWN,
        medical=medical,
        medical_unknown=rng.random(count) < w.FLAG_UNKNOWN / 2,
    )


def miss_chances(people: Households, who: Ints, by_hand: Flags, strain: Floats) -> Floats:
    """The chance that a bill is missed for each Reason, shape (len(who), 3).

    `strain` is added to the log-odds of not affording it: the shock and the season. A direct
    debit cannot forget.
    """
    chances = np.empty((len(who), len(Reason)))
    chances[:, Reason.FORGOT] = w.FORGETS * (1 - people.attention[who]) * by_hand
    chances[:, Reason.CANNOT] = w.logistic(
        w.CANNOT_AT_ZERO + w.CANNOT_BY_ABILITY * people.ability[who] + strain
    )
    chances[:, Reason.WILL_NOT] = w.WILL_NOT * (1 - people.willingness[who]) ** 2
    total_chance = chances.sum(axis=1, keepdims=True)
    return np.asarray(chances * np.minimum(1.0, w.MISS_AT_MOST / total_chance), dtype=np.float64)


def daily_rates(people: Households, who: Ints, reason: Ints, shocked: Flags) -> Floats:
    """The chance a day that arrears missed for `reason` are paid, before any action."""
    ability = people.ability[who]
    rates = np.choose(
        reason,
        [
            0.004 + 0.008 * people.attention[who],
            0.004 + 0.012 * ability,
            0.003 + 0.005 * people.willingness[who],
        ],
    )
    cannot_now = shocked & (reason == Reason.CANNOT)
    return np.asarray(np.where(cannot_now, rates * w.SHOCK_SLOWS, rates), dtype=np.float64)


def boosts(people: Households, who: Ints, reason: Ints, action: Ints) -> Floats:
    """How many times an action raises the daily rate while the response lasts, less one."""
    response = np.where(people.vulnerable[who], w.VULNERABLE_RESPONSE[action], 1.0)
    return np.asarray(w.BOOST[reason, action] * response, dtype=np.float64)


def uplifts(people: Households) -> Floats:
    """The expected response, shape (accounts, actions): how much likelier an account in arrears,
    outside a shock, pays something within RESPONSE_DAYS of an action than without it, averaged
    over the reasons for which it misses bills."""
    everyone = np.arange(len(people))
    no_strain = np.zeros(len(people))
    chances = miss_chances(people, everyone, people.method != w.DIRECT_DEBIT, no_strain)
    weights = chances / chances.sum(axis=1, keepdims=True)
    uplift = np.zeros((len(people), len(w.ACTIONS)))
    for reason in Reason:
        reason_of_all = np.full(len(people), reason.value)
        rate = daily_rates(people, everyone, reason_of_all, np.zeros(len(people), dtype=np.bool_))
        for action in range(len(w.ACTIONS)):
            raised = rate * (
                1 + boosts(people, everyone, reason_of_all, np.full(len(people), action))
            )
            gain = (1 - rate) ** w.RESPONSE_DAYS - (1 - raised) ** w.RESPONSE_DAYS
            uplift[:, action] += weights[:, reason] * gain
    return uplift


def _pick(rng: np.random.Generator, shares: tuple[float, ...], count: int) -> Ints:
    edges = np.cumsum(shares)[:-1]
    return np.searchsorted(edges, rng.random(count), side="right").astype(np.int64)


def _types(rng: np.random.Generator, region: Ints) -> Ints:
    shares = np.array([household_type.share for household_type in w.TYPES])
    strained = np.array([household_type.ability < 0.5 for household_type in w.TYPES])
    weights = shares * np.where(strained, np.array(w.REGION_HARDSHIP)[:, None], 1.0)
    edges = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)[:, :-1]
    return np.asarray((rng.random(len(region))[:, None] >= edges[region]).sum(axis=1))


def _around(rng: np.random.Generator, kind: Ints, means: list[float]) -> Floats:
    mean = np.array(means)[kind]
    return rng.beta(mean * w.SPREAD, (1 - mean) * w.SPREAD)


def _one_of_type(rng: np.random.Generator, kind: Ints, shares: list[float]) -> Flags:
    return np.asarray(rng.random(len(kind)) < np.array(shares)[kind])


def _shocks(rng: np.random.Generator, ability: Floats, days: int) -> tuple[Days, Days]:
    before = 180  # a shock may have begun before history does
    rate = w.SHOCKS_A_YEAR * (1 + (w.SHOCKS_STRAINED - 1) * (1 - ability))
    hit = rng.random(len(ability)) < 1 - np.exp(-rate * (days + before) / 365)
    begins = rng.integers(-before, days, len(ability))
    shock_ends = (
        begins + w.SHOCK_SHORTEST + rng.exponential(w.SHOCK_MEAN, len(ability)).astype(np.int64)
    )
    return _days(np.where(hit, begins, w.NEVER)), _days(np.where(hit, shock_ends, w.NEVER))


def _lives(rng: np.random.Generator, count: int, days: int) -> tuple[Days, Days]:
    moves = w.MOVES_A_YEAR * days / 365
    is_new = rng.random(count) < moves / (1 + moves)  # as many come as go
    years = np.minimum(rng.exponential(w.MEAN_ACCOUNT_YEARS, count), w.OLDEST_ACCOUNT_YEARS)
    opened = np.where(is_new, rng.integers(0, days, count), -1 - (years * 365).astype(np.int64))
    leaves_after = 60 + rng.exponential(365 / w.MOVES_A_YEAR, count)
    closed = np.maximum(opened, 0) + leaves_after.astype(np.int64)
    return _days(opened), _days(np.where(closed < days, closed, w.NEVER))


def _days(values: npt.NDArray[np.int64]) -> Days:
    return values.astype(np.int32)
