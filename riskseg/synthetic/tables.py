"""A chunk's arrays as Arrow tables: the columns, their types and what they mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskseg.synthetic import world as w
from riskseg.synthetic.billing import Bills
from riskseg.synthetic.days import CHANNELS, NONE, OUTCOMES, Happening, History, Status
from riskseg.synthetic.luck import Luck
from riskseg.synthetic.people import Households, miss_chances, uplifts
from riskseg.synthetic.rows import Rows
from riskseg.synthetic.world import Days, Flags, Floats, Ints

ID = pa.string()
WORD = pa.string()
DAY = pa.date32()
MONEY = pa.decimal128(18, 2)
SHARE = pa.float64()
PER_ACCOUNT = 10_000  # numbers of bills, payments and agreements within an account stay below


def _field(name: str, kind: pa.DataType, means: str) -> pa.Field:
    return pa.field(name, kind, metadata={"means": means})


SCHEMAS: dict[str, pa.Schema] = {
    "accounts": pa.schema(
        [
            _field("account_id", ID, "one account"),
            _field("party_id", ID, "who owes; about 3% of parties hold two accounts"),
            _field("opened_on", DAY, "the account's first day, often before history begins"),
            _field("closed_on", DAY, "the day of moving out or of write-off; null while live"),
            _field("written_off_on", DAY, "the day old debt was given up; null mostly"),
            _field("region", WORD, ", ".join(w.REGIONS)),
            _field("tariff", WORD, ", ".join(w.TARIFFS)),
            _field("household_size", pa.int32(), "people in the household"),
            _field("property_type", WORD, ", ".join(w.PROPERTIES)),
            _field("payment_method", WORD, "today's: " + ", ".join(w.METHODS)),
            _field("billed_quarterly", pa.bool_(), "one bill a quarter instead of a month"),
            _field("trial_arm", WORD, "drawn at random: " + ", ".join(w.ARMS)),
            _field("is_vulnerable", pa.bool_(), "what the creditor knows; null is unknown"),
            _field("has_continuous_medical_need", pa.bool_(), "likewise; null is unknown"),
            _field("breathing_space_from", DAY, "first day of the last hold, or null"),
            _field("breathing_space_until", DAY, "its last day, included"),
        ]
    ),
    "bills": pa.schema(
        [
            _field("account_id", ID, "the account billed"),
            _field("bill_id", ID, "one bill"),
            _field("issued_on", DAY, "the account's own billing day"),
            _field("due_on", DAY, f"{w.DAYS_TO_PAY} days later"),
            _field("amount", MONEY, "what is owed"),
            _field("kind", WORD, "always charge"),
            _field("cancelled_on", DAY, "the day a wrong bill was withdrawn; null mostly"),
            _field("recorded_on", DAY, "when the ledger first showed it"),
        ]
    ),
    "payments": pa.schema(
        [
            _field("payment_id", ID, "one payment, or one attempt, or one reversal"),
            _field("account_id", ID, "the account paid to; no bill is named"),
            _field("paid_on", DAY, "the day it happened"),
            _field("amount", MONEY, "always positive, for reversals too"),
            _field("method", WORD, ", ".join(w.METHODS)),
            _field("status", WORD, "settled; failed: no money came; reversed: this row takes back"),
            _field("reverses", ID, "the payment_id that a reversed row takes back"),
            _field("recorded_on", DAY, "up to two days later"),
        ]
    ),
    "events": pa.schema(
        [
            _field("account_id", ID, "the account it concerns"),
            _field("happened_on", DAY, "the day it happened"),
            _field("kind", WORD, ", ".join(h.name.lower() for h in Happening)),
            _field("channel", WORD, ", ".join(CHANNELS)),
            _field("outcome", WORD, ", ".join(OUTCOMES)),
            _field("amount", MONEY, "promised; an instalment; a disputed bill's amount"),
            _field(
                "until",
                DAY,
                "last day of a promise, plan, complaint or breathing space; it may lie ahead",
            ),
            _field("ref", WORD, "the action; the promise or plan"),
            _field("recorded_on", DAY, "up to a day later"),
            _field("bill_id", ID, "the disputed bill"),
        ]
    ),
    "instalments": pa.schema(
        [
            _field("account_id", ID, "the account it concerns"),
            _field("plan_id", ID, "the plan: the `ref` of its event"),
            _field("due_on", DAY, "the day by which it is to be paid; it may lie ahead"),
            _field("amount", MONEY, "what is to be paid"),
            _field("recorded_on", DAY, "the day the plan was agreed"),
        ]
    ),
    "truth": pa.schema(
        [
            _field("account_id", ID, "the account"),
            _field("type", WORD, ", ".join(t.name for t in w.TYPES)),
            _field("attention", SHARE, "0 forgets everything, 1 nothing"),
            _field("ability", SHARE, "0 can pay nothing, 1 anything"),
            _field("willingness", SHARE, "0 would rather not, 1 always would"),
            _field("truly_vulnerable", pa.bool_(), "whether or not the creditor knows"),
            _field("shock_from", DAY, "first day of an income shock, or null"),
            _field("shock_until", DAY, "its last day; it may lie ahead"),
            _field(
                "miss_probability",
                SHARE,
                "of missing a bill, by its first payment method, outside a shock, in spring",
            ),
            _field("miss_probability_in_shock", SHARE, "the same within a shock"),
            *(
                _field(
                    f"uplift_{name}",
                    SHARE,
                    f"added chance that something is paid within {w.RESPONSE_DAYS} days of {name}, "
                    "in arrears and outside a shock; promises and plans it leads to come on top",
                )
                for name in w.ACTIONS
            ),
        ]
    ),
}


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a chunk stands: the number of its first account, and the first and last day."""

    first: int
    since: date
    days: int

    @property
    def epoch(self) -> int:
        return (self.since - date(1970, 1, 1)).days


def chunk_tables(
    frame: Frame, people: Households, bills: Bills, history: History, rng: np.random.Generator
) -> dict[str, pa.Table]:
    """The chunk as it was known at the close of the last day: what was recorded later is not
    there. `rng` draws only the delays of recording."""
    return {
        "accounts": accounts_table(frame, people, history),
        "bills": bills_table(frame, bills, history),
        "payments": _payments(frame, history, rng),
        "events": _events(frame, history.events, rng.random(len(history.events))),
        "instalments": _instalments(frame, history.instalments),
        "truth": _truth(frame, people),
    }


def accounts_table(frame: Frame, people: Households, history: History) -> pa.Table:
    everyone = np.arange(len(people))
    written_off = history.written_off
    sheltered = history.sheltered_from < w.NEVER
    return _table(
        "accounts",
        {
            "account_id": _account_ids(frame, everyone),
            "party_id": _numbered("C", frame.first + people.party, 8),
            "opened_on": _dates(frame, people.opened),
            "closed_on": _dates(frame, np.minimum(people.closed, written_off)),
            "written_off_on": _dates(frame, written_off),
            "region": _words(w.REGIONS, people.region),
            "tariff": _words(w.TARIFFS, people.tariff),
            "household_size": pa.array(people.size.astype(np.int32)),
            "property_type": _words(w.PROPERTIES, people.property),
            "payment_method": _words(w.METHODS, history.last_method),
            "billed_quarterly": pa.array(people.quarterly),
            "trial_arm": _words(w.ARMS, people.arm),
            "is_vulnerable": pa.array(people.known_vulnerable, mask=people.vulnerable_unknown),
            "has_continuous_medical_need": pa.array(people.medical, mask=people.medical_unknown),
            "breathing_space_from": _dates(frame, history.sheltered_from),
            "breathing_space_until": _dates(
                frame, np.where(sheltered, history.sheltered_until, w.NEVER)
            ),
        },
    )


def bills_table(frame: Frame, bills: Bills, history: History) -> pa.Table:
    is_recorded = (bills.amount > 0) & (bills.issued < frame.days) & (bills.recorded < frame.days)
    is_recorded &= bills.issued < history.written_off[:, None]
    account, place = np.nonzero(is_recorded)
    return _table(
        "bills",
        {
            "account_id": _account_ids(frame, account),
            "bill_id": _bill_ids(frame, account, place),
            "issued_on": _dates(frame, bills.issued[is_recorded]),
            "due_on": _dates(frame, bills.due[is_recorded]),
            "amount": _money(bills.amount[is_recorded]),
            "kind": _words(("charge",), np.zeros(len(account), np.int64)),
            "cancelled_on": _dates(frame, bills.cancelled[is_recorded]),
            "recorded_on": _dates(frame, bills.recorded[is_recorded]),
        },
    )


def _payments(frame: Frame, history: History, rng: np.random.Generator) -> pa.Table:
    payment_rows = history.payments
    account, day = payment_rows.column("account"), payment_rows.column("day")
    recorded = day + _delays(rng.random(len(day)))
    order = np.lexsort((day, account))
    order = order[recorded[order] < frame.days]
    payment_number = np.empty(
        len(day), np.int64
    )  # by place; a reversal is recorded after its payment
    payment_number[order] = _within(frame, account[order])
    reverses = payment_rows.column("reverses")[order]
    return _table(
        "payments",
        {
            "payment_id": _numbered("P", payment_number[order], 12),
            "account_id": _account_ids(frame, account[order]),
            "paid_on": _dates(frame, day[order]),
            "amount": _money(payment_rows.column("amount")[order]),
            "method": _words(w.METHODS, payment_rows.column("method")[order]),
            "status": _words(
                [payment_status.name.lower() for payment_status in Status],
                payment_rows.column("status")[order],
            ),
            "reverses": _where(reverses != NONE, _numbered("P", payment_number[reverses], 12)),
            "recorded_on": _dates(frame, recorded[order]),
        },
    )


def later_tables(
    frame: Frame,
    history: History,
    payments: int,
    events: int,
    instalments: int,
    luck: Luck,
    day: int,
) -> dict[str, pa.Table]:
    """Payments, events and instalments from these places on, whenever they are recorded. The id of
    a payment is its place, so that one that comes later can reverse it."""
    later_payments, later_events = history.payments.since(payments), history.events.since(events)
    account, paid_on = later_payments.column("account"), later_payments.column("day")
    place, reverses = payments + np.arange(len(account)), later_payments.column("reverses")
    recorded = paid_on + _delays(luck.shares(account, day, "recorded"))
    return {
        "payments": _table(
            "payments",
            {
                "payment_id": _numbered("P", place, 12),
                "account_id": _account_ids(frame, account),
                "paid_on": _dates(frame, paid_on),
                "amount": _money(later_payments.column("amount")),
                "method": _words(w.METHODS, later_payments.column("method")),
                "status": _words(
                    [payment_status.name.lower() for payment_status in Status],
                    later_payments.column("status"),
                ),
                "reverses": _where(reverses != NONE, _numbered("P", reverses, 12)),
                "recorded_on": _dates(frame, recorded),
            },
        ),
        "events": _events(
            frame, later_events, luck.shares(later_events.column("account"), day, "event recorded")
        ),
        "instalments": _instalments(frame, history.instalments.since(instalments)),
    }


def _events(frame: Frame, rows: Rows, shares: Floats) -> pa.Table:
    account, day, kind = (rows.column(name) for name in ("account", "day", "kind"))
    late = (kind != Happening.ACTION) & (shares < 0.2)
    recorded = day + late
    order = np.lexsort((day, account))
    order = order[recorded[order] < frame.days]
    account, kind = account[order], kind[order]
    amount, until, ref = (rows.column(name)[order] for name in ("amount", "until", "ref"))
    agreed = np.isin(kind, [Happening.PROMISE, Happening.PLAN])
    acted = kind == Happening.ACTION
    action_named = _where(acted, _words(w.ACTIONS, np.where(acted, ref, 0)))
    numbered = _agreement_ids(frame, account, ref)
    disputed = _bill_ids(frame, account, ref)
    return _table(
        "events",
        {
            "account_id": _account_ids(frame, account),
            "happened_on": _dates(frame, day[order]),
            "kind": _words([happening.name.lower() for happening in Happening], kind),
            "channel": _words(CHANNELS, rows.column("channel")[order]),
            "outcome": _words(OUTCOMES, rows.column("outcome")[order]),
            "amount": _money(amount, mask=amount == NONE),
            "until": _dates(frame, np.where(until == NONE, w.NEVER, until)),
            "ref": pc.coalesce(action_named, _where(agreed, numbered)),
            "recorded_on": _dates(frame, recorded[order]),
            "bill_id": _where(kind == Happening.DISPUTE, disputed),
        },
    )


def _instalments(frame: Frame, rows: Rows) -> pa.Table:
    account, due = rows.column("account"), rows.column("due")
    order = np.lexsort((due, rows.column("ref"), account))
    account = account[order]
    return _table(
        "instalments",
        {
            "account_id": _account_ids(frame, account),
            "plan_id": _agreement_ids(frame, account, rows.column("ref")[order]),
            "due_on": _dates(frame, due[order]),
            "amount": _money(rows.column("amount")[order]),
            "recorded_on": _dates(frame, rows.column("day")[order]),
        },
    )


def _truth(frame: Frame, people: Households) -> pa.Table:
    everyone = np.arange(len(people))
    by_hand = people.method != w.DIRECT_DEBIT
    calm, shock = np.zeros(len(people)), np.full(len(people), w.CANNOT_IN_SHOCK)
    uplift = uplifts(people)
    return _table(
        "truth",
        {
            "account_id": _account_ids(frame, everyone),
            "type": _words([household_type.name for household_type in w.TYPES], people.type),
            "attention": _shares(people.attention),
            "ability": _shares(people.ability),
            "willingness": _shares(people.willingness),
            "truly_vulnerable": pa.array(people.vulnerable),
            "shock_from": _dates(frame, people.shock_from),
            "shock_until": _dates(frame, people.shock_until),
            "miss_probability": _shares(miss_chances(people, everyone, by_hand, calm).sum(axis=1)),
            "miss_probability_in_shock": _shares(
                miss_chances(people, everyone, by_hand, shock).sum(axis=1)
            ),
            **{
                f"uplift_{action_name}": _shares(uplift[:, action_index])
                for action_index, action_name in enumerate(w.ACTIONS)
            },
        },
    )


def _table(name: str, columns: Mapping[str, pa.Array]) -> pa.Table:
    schema = SCHEMAS[name]
    return pa.table([columns[field.name] for field in schema], schema=schema)


def _account_ids(frame: Frame, account: Ints) -> pa.Array:
    return _numbered("A", frame.first + account, 8)


def _bill_ids(frame: Frame, account: Ints, place: Ints) -> pa.Array:
    return _numbered("B", (frame.first + account) * PER_ACCOUNT + place + 1, 12)


def _agreement_ids(frame: Frame, account: Ints, number: Ints) -> pa.Array:
    return _numbered("R", (frame.first + account) * PER_ACCOUNT + number, 12)


def _delays(shares: Floats) -> Ints:
    """How many days pass before a payment is recorded: none for most."""
    return np.searchsorted([0.7, 0.9], shares, side="right")


def _within(frame: Frame, account: Ints) -> Ints:
    """Numbers 1, 2, … within each account, for accounts in order, made unique over all."""
    begins = np.searchsorted(account, account, side="left")
    return (frame.first + account) * PER_ACCOUNT + np.arange(len(account)) - begins + 1


def _numbered(letter: str, numbers: Ints, width: int) -> pa.Array:
    text = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), width, "0")
    return pc.binary_join_element_wise(letter, text, "")


def _words(words: Sequence[str], codes: Ints) -> pa.Array:
    return pa.array(list(words), type=pa.string()).take(pa.array(codes))


def _where(holds: Flags, values: pa.Array) -> pa.Array:
    return pc.if_else(pa.array(holds), values, pa.scalar(None, values.type))


def _dates(frame: Frame, days: Days | Ints) -> pa.Array:
    numbers = (days.astype(np.int64) + frame.epoch).astype(np.int32)
    return pa.array(numbers, mask=days >= w.NEVER).cast(pa.date32())


def _money(pence: Ints, mask: Flags | None = None) -> pa.Array:
    whole = np.empty((len(pence), 2), "<i8")  # a 128-bit number, its low half first
    whole[:, 0], whole[:, 1] = pence, pence >> 63
    money = pa.Array.from_buffers(MONEY, len(pence), [None, pa.py_buffer(whole)])
    return money if mask is None else _where(~mask, money)


def _shares(values: Floats) -> pa.Array:
    return pa.array(np.round(values, 6))
