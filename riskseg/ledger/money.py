"""What the ledger at hand contains, and the conditions and orders that follow from it."""

from __future__ import annotations

from dataclasses import dataclass

from riskseg.ledger.plans import Plans


@dataclass(frozen=True, slots=True)
class Money:
    """What the ledger at hand contains: what it lacks costs nothing. `arrears_from` is in minor
    units; `reverses` says that payments fail or are reversed, `disputes` that bills have a disputed
    amount, `raises_disputes` that events dispute bills, `disputes_amounts` that some name an amount
    and no bill, `refunds` that money was paid out, `readable_ids` that the ids of bills are kept as
    texts and not as hashes. `plans` are None where nothing is paid in instalments."""

    names_bills: bool
    reverses: bool
    cancels: bool
    disputes: bool
    credits: bool
    arrears_from: int
    readable_ids: bool = False
    plans: Plans | None = None
    raises_disputes: bool = False
    refunds: bool = False
    disputes_amounts: bool = False

    @property
    def has_residuals(self) -> bool:
        """Whether less than the whole of a bill may be left to the pool."""
        return self.names_bills or self.disputes or self.raises_disputes

    # What all bills have alike is no column of theirs: tables of them are sorted several times.

    @property
    def residual(self) -> str:
        """SQL of what of a bill is left to the pool."""
        return "residual" if self.has_residuals else "amount_minor"

    @property
    def named_paid(self) -> str:
        """SQL of what payments that name a bill pay of it."""
        return "named_paid" if self.names_bills else "0"

    @property
    def in_dispute(self) -> str:
        """SQL of what of a bill is in dispute."""
        return "disputed" if self.disputes or self.raises_disputes else "cast(0 as bigint)"

    def bill_order(self, bill_id: str) -> str:
        """SQL by which bills of one day are put in order: the same however ids are kept."""
        return f"hash({bill_id})" if self.readable_ids else bill_id


def owed_sql(money: Money) -> str:
    """What is owed of the bill `b`, but for what events say of it."""
    return "greatest(b.amount_minor - b.disputed, 0)" if money.disputes else "b.amount_minor"


def owed_as_known_sql(money: Money) -> str:
    """What is owed of the bill `b`, beside `bill_disputes` d: less what was found not to be."""
    if not money.raises_disputes:
        return owed_sql(money)
    return f"greatest({owed_sql(money)} - coalesce(d.upheld, 0), 0)"


def due_order(money: Money, residual: str) -> str:
    """SQL of the order in which the pool pays bills.

    Bills alike in all of this are interchangeable, but for their attributes; the id last makes
    the order total."""
    order = ["due_on", "issued_on"]
    order += ["disputed"] if money.disputes or money.raises_disputes else []
    order += ["named_on"] if money.names_bills else []
    bill_order = money.bill_order("bill_id")
    # What a refund takes is laid among them, without an id.
    order += [residual, "amount_minor", *(["bill_id is not null"] if money.refunds else [])]
    return ", ".join(dict.fromkeys([*order, bill_order]))


def stands_sql(money: Money) -> str:
    """Whether the bill `b` is not cancelled as of the snapshot `s`."""
    return "(b.cancelled_on is null or b.cancelled_on > s.as_of)" if money.cancels else "true"


def known_rows(name: str, alias: str, shared: bool) -> str:
    """Rows of the ledger known at each snapshot `s`, to stand after FROM; less those of bills that
    are settled by then where these are `shared`."""
    table = f"open_{name}" if shared else f"ledger_{name}"
    conditions = [f"s.account_no = {alias}.account_no", f"{alias}.known_on <= s.as_of"]
    if shared:
        conditions.append(f"{alias}.settled_from > s.as_of")
    return f"""{table} {alias}
        join snapshots s on {" and ".join(conditions)}"""


def past_due_sql(money: Money) -> str:
    """Whether a bill that is not cleared is overdue as of `as_of`."""
    return "(due_on < as_of and plan_from is null)" if money.plans else "due_on < as_of"
