"""What is billed and when: it follows from the household, its use and the season alone."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date

import numpy as np

from riskseg.synthetic import world as w
from riskseg.synthetic.people import Households
from riskseg.synthetic.world import Days, Flags, Floats, Ints


@dataclass(frozen=True, slots=True)
class Bills:
    """Bills of a chunk, shape (accounts, places), in order of due day. An empty place has the
    amount 0 and the days NEVER."""

    issued: Days
    due: Days
    amount: Ints  # pence
    decided: Days  # the day the household would pay it, if it pays in time or nearly so
    cancelled: Days
    disputed: Days
    answered: Days  # the day the dispute ends
    founded: Flags  # the dispute is right: the bill is wrong
    final: Flags
    recorded: Days


def draw_bills(people: Households, since: date, days: int, rng: np.random.Generator) -> Bills:
    """All bills that would be issued in `days` days from `since`."""
    issued, season = _billing_days(people, since, days, rng)
    use = _monthly_use(people, rng)
    months = np.where(people.quarterly, 3, 1)[:, None]
    noise = np.exp(0.12 * rng.standard_normal(issued.shape))
    billed = np.rint(use[:, None] * months * (1 + w.WINTER * season) * noise).astype(np.int64)

    issued, amount, final = _with_final_bill(people, issued, billed, use, days, rng)
    is_issued = issued < w.NEVER
    amount = np.where(is_issued, amount, 0)
    wrong = is_issued & (rng.random(issued.shape) < w.MISBILLED) & ~final
    wrong &= np.cumsum(wrong, axis=1) == 1  # one an account, so that there is one place for it
    inflated = np.rint(amount * rng.uniform(1.4, 2.5, amount.shape)).astype(np.int64)
    noticed = wrong & (rng.random(issued.shape) < w.MISBILLED_DISPUTED)
    wilful = w.UNFOUNDED_DISPUTES * (1 + 12 * (1 - people.willingness[:, None]) ** 2)
    is_disputed = noticed | (is_issued & ~wrong & (rng.random(issued.shape) < wilful))
    disputed = issued + rng.integers(2, 10, issued.shape)
    answered = disputed + rng.integers(8, 30, issued.shape)
    is_late = ~is_disputed & (rng.random(issued.shape) < w.RECORDED_LATE)
    late = np.where(is_late, rng.integers(1, 10, issued.shape), 0)  # before it can be cancelled
    bills = Bills(
        issued=_days(issued),
        due=_days(issued + w.DAYS_TO_PAY),
        amount=np.where(wrong, inflated, amount),
        decided=_days(_days_of_decision(people, issued, final, rng)),
        cancelled=_days(np.where(wrong & (answered < days), answered, w.NEVER)),
        disputed=_days(np.where(is_disputed, disputed, w.NEVER)),
        answered=_days(np.where(is_disputed, answered, w.NEVER)),
        founded=wrong,
        final=final,
        recorded=_days(issued + late),
    )
    return _in_due_order(bills, _billed_again(people, bills, amount, rng))


def _billed_again(
    people: Households, bills: Bills, right_amount: Ints, rng: np.random.Generator
) -> Bills:
    """The bill that takes the place of a cancelled one, on the day of cancelling."""
    cancelled = bills.cancelled < w.NEVER
    issued = bills.cancelled.min(axis=1, keepdims=True)
    by_debit = (people.method == w.DIRECT_DEBIT)[:, None]
    pays_after = np.where(by_debit, w.DAYS_TO_PAY, rng.integers(2, w.DAYS_TO_PAY, issued.shape))
    is_late = rng.random(issued.shape) < w.REBILL_RECORDED_LATE
    late = np.where(is_late, rng.integers(1, 10, issued.shape), 0)
    never, no = np.full_like(issued, w.NEVER), np.zeros(issued.shape, dtype=np.bool_)
    return Bills(
        issued=_days(issued),
        due=_days(issued + w.DAYS_TO_PAY),
        amount=np.where(cancelled, right_amount, 0).sum(axis=1, keepdims=True),
        decided=_days(issued + pays_after),
        cancelled=never,
        disputed=never,
        answered=never,
        founded=no,
        final=no,
        recorded=_days(issued + late),
    )


def _in_due_order(bills: Bills, more: Bills) -> Bills:
    order = np.argsort(np.hstack([bills.due, more.due]), axis=1, kind="stable")
    pairs = {f.name: (getattr(bills, f.name), getattr(more, f.name)) for f in fields(Bills)}
    return Bills(**{k: np.take_along_axis(np.hstack(v), order, axis=1) for k, v in pairs.items()})


def _days(values: Ints | Days) -> Days:
    """Days as they are stored; what follows from NEVER is NEVER too."""
    return np.minimum(values, w.NEVER).astype(np.int32)


def _billing_days(
    people: Households, since: date, days: int, rng: np.random.Generator
) -> tuple[Ints, Floats]:
    """Each account has its own day of the month, so chosen that many due days gather in its
    last ten days, before payday; quarterly payers are billed every third month."""
    first_month = np.datetime64(since, "M")
    last_day = np.datetime64(since, "D") + np.timedelta64(days - 1, "D")
    months = first_month + np.arange(
        (last_day.astype("datetime64[M]") - first_month).astype(np.int64) + 1
    )
    begins = (months.astype("datetime64[D]") - np.datetime64(since, "D")).astype(np.int64)
    by_payday = rng.random(len(people)) < w.DUE_BY_PAYDAY
    own_day = np.where(
        by_payday, rng.integers(8, 15, len(people)), rng.integers(0, 28, len(people))
    )
    own_month = rng.integers(0, 3, len(people))
    issued = begins[None, :] + own_day[:, None]
    turn = (np.arange(len(months))[None, :] + own_month[:, None]) % 3 == 0
    billed = turn | ~people.quarterly[:, None]
    billed &= (issued >= 0) & (issued < days)
    billed &= (issued >= people.opened[:, None] + 20) & (issued <= people.closed[:, None])
    middle = issued - np.where(people.quarterly, 45, 15)[:, None]
    return np.where(billed, issued, w.NEVER), w.winter(day_of_year(middle, since))


def day_of_year(day: Ints | Days, since: date) -> Days:
    """The day's place in a year of 365.25 days, near enough for seasons."""
    return np.asarray(day + since.timetuple().tm_yday, dtype=np.int32)


def _monthly_use(people: Households, rng: np.random.Generator) -> Floats:
    use = w.BILL_BASE * np.array(w.PROPERTY_USE)[people.property] + w.BILL_A_HEAD * people.size
    own = np.exp(0.25 * rng.standard_normal(len(people)))
    return np.asarray(use * own * np.array(w.TARIFF_PRICE)[people.tariff], dtype=np.float64)


def _with_final_bill(
    people: Households, issued: Ints, amount: Ints, use: Floats, days: int, rng: np.random.Generator
) -> tuple[Ints, Ints, Flags]:
    """Movers get one more bill, for the days since the last, in the week after they leave."""
    on = people.closed + rng.integers(1, 8, len(people))
    on = np.where(on < days, on, w.NEVER)
    part_of_use = np.rint(use * rng.uniform(0.2, 1.0, len(people))).astype(np.int64)
    final = np.zeros((len(people), issued.shape[1] + 1), dtype=np.bool_)
    final[:, -1] = on < w.NEVER
    return np.hstack([issued, on[:, None]]), np.hstack([amount, part_of_use[:, None]]), final


def _days_of_decision(
    people: Households, issued: Ints, final: Flags, rng: np.random.Generator
) -> Ints:
    """Direct debits are taken on the due day. The rest pay between bill and due day, a few
    some days late; those with less attention more often."""
    due = issued + w.DAYS_TO_PAY
    early = due - rng.integers(0, 12, issued.shape)
    slips = rng.random(issued.shape) < 0.08 + 0.18 * (1 - people.attention[:, None])
    by_hand = np.where(slips, due + rng.integers(1, 14, issued.shape), early)
    debit = (people.method == w.DIRECT_DEBIT)[:, None] & ~final
    return np.where(debit, due, by_hand)
