"""Control totals of a run, added up range by range beside its decisions, and held to agree.

The money of payments is added up from the rows of the ledger; what became of it, from what
allocation made of them. The two have nothing in common but the rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from riskseg.engine import Engine
from riskseg.ledger.payments import TAKEN_BACK
from riskseg.pipeline.load import Ledger
from riskseg.results.control_totals import ControlTotals, MoneyIn, SourceRows

_PAID = ("settled", "pending", "failed", "later", "no_account")
_DONE = ("allocated", "credit", "overdue")
# The accounts that are decided. Others, which share a party or a premise with one of them and are
# decided elsewhere or not at all, have numbers below 0.
_ASKED = "(select * from snapshots where snap > 0)"


class ControlTotalsError(AssertionError):
    """Rows or money were lost between the sources and the decisions: a fault of riskseg's own."""


class Controls:
    """What a run has added up so far, in `sums`, which those of other accounts may be added to;
    `scale` is the number of decimals of money."""

    def __init__(self, engine: Engine, ledger: Ledger, as_of: date, scale: int) -> None:
        self.engine, self.ledger, self.as_of, self.scale = engine, ledger, as_of, scale
        self.sums: Counter[str] = Counter()

    def add(self, accounts: tuple[int, int]) -> None:
        """Add the range of accounts that was just decided: its first number and its last."""
        engine, sums = self.engine, self.sums
        sums["accounts_set_apart"] += engine.value(
            "select count(*) from decided join quarantined_accounts using (account_no)"
        )
        if not self.ledger.billed:
            return
        self._take(_PAID, self._payments_sql(accounts))
        self._take(("paid_out",), _PAID_OUT)
        if self.ledger.undone:
            self._take(("taken_back",), _taken_back("p.settled"))
            self._take(("came_back",), _taken_back("p.refund"))
        if self.ledger.money.credits:
            self._take(("credit_notes",), _CREDIT_NOTES)
        self._take(_DONE, "select sum(paid), sum(credit), sum(overdue) from totals where snap > 0")

    def _take(self, names: tuple[str, ...], select: str) -> None:
        for name, amount in zip(names, self.engine.rows(select)[0], strict=True):
            self.sums[name] += int(amount or 0)

    def _payments_sql(self, accounts: tuple[int, int]) -> str:
        first, last = accounts
        known = f"p.known_on <= date '{self.as_of}'"
        here = f"{known} and s.snap is not null"
        conditions = {
            "settled": f"{here} and p.settled",
            "pending": f"{here} and p.pending",
            "failed": f"{here} and not p.settled and not p.pending",
            "later": f"not ({known})",
            "no_account": f"{known} and s.snap is null",
        }
        listed = ", ".join(
            f"sum(p.amount_minor) filter (where {conditions[name]})" for name in _PAID
        )
        return f"""
            select {listed}
            from ledger_payments p
            left join {_ASKED} s on s.account_no = p.account_no
            where p.account_no between {first} and {last}
                and p.reverses is null and not p.refund
            """

    def finished(self, set_apart: Mapping[str, int], by_segment: Decimal) -> ControlTotals:
        """The totals. `set_apart` are the rows in the quarantine files, `by_segment` what the
        segments of the result hold overdue. Raises ControlTotalsError where they do not agree."""
        billed = self.ledger.billed
        controls = ControlTotals(
            rows={name: self._rows(name, set_apart.get(name, 0)) for name in self.ledger.sources},
            money=self._money() if billed else None,
            overdue_by_account=self._amount("overdue") if billed else None,
            overdue_by_segment=round(by_segment, self.scale) if billed else None,
            accounts_set_apart=self.sums["accounts_set_apart"],
        )
        _check(controls)
        return controls

    def _rows(self, table: str, set_apart: int) -> SourceRows:
        used = self.engine.value(f"select count(*) from {table} where fault is null")
        return SourceRows(read=self.ledger.rows[table], used=used, set_apart=set_apart)

    def _amount(self, name: str) -> Decimal:
        return Decimal(self.sums[name]).scaleb(-self.scale)

    def _money(self) -> MoneyIn:
        whole, apart = 0, 0
        if "payments" in self.ledger.sources:
            whole, apart = self.engine.rows(_WHOLE)[0]
        amounts = {
            name: self._amount(name) for name in (*_PAID, "credit_notes", "taken_back", "credit")
        }
        paid_out = self._amount("paid_out") - self._amount("came_back")
        return MoneyIn(
            **amounts,
            paid_in=Decimal(whole).scaleb(-self.scale),
            set_apart=Decimal(apart).scaleb(-self.scale),
            allocated=self._amount("allocated") - paid_out,
            paid_out=paid_out,
        )


def _check(controls: ControlTotals) -> None:
    """Raise ControlTotalsError for each identity that does not hold, with the figures."""
    identities: list[tuple[str, Decimal | int | None, Decimal | int | None]] = [
        (f"rows of {name}", rows.read, rows.used + rows.set_apart)
        for name, rows in controls.rows.items()
    ]
    if (m := controls.money) is not None:
        into = m.settled + m.pending + m.failed + m.later + m.no_account + m.set_apart
        identities += [
            ("money of payments", m.paid_in, into),
            (
                "money settled",
                m.settled + m.credit_notes,
                m.taken_back + m.allocated + m.paid_out + m.credit,
            ),
        ]
    identities.append(
        (
            "overdue by account and by segment",
            controls.overdue_by_account,
            controls.overdue_by_segment,
        )
    )
    broken = [f"{name}: {one} is not {other}" for name, one, other in identities if one != other]
    if broken:
        raise ControlTotalsError(f"Control totals do not agree. {'; '.join(broken)}. {controls!r}")


# All payments, and those that are bad rows, whatever they are taken for.
_WHOLE = """
            select coalesce(sum(amount_minor), 0),
                coalesce(sum(amount_minor) filter (where fault is not null), 0)
            from payments
            where reverses is null and not refund
            """
_PAID_OUT = f"""
            select sum(p.amount_minor)
            from ledger_payments p
            join {_ASKED} s on s.account_no = p.account_no and p.known_on <= s.as_of
            where p.refund and p.reverses is null
            """
_CREDIT_NOTES = f"""
            select -sum(b.amount_minor)
            from ledger_bills b
            join {_ASKED} s on s.account_no = b.account_no and b.known_on <= s.as_of
            where b.amount_minor < 0
                and (b.cancelled_on is null or b.cancelled_on > s.as_of)
            """


def _taken_back(of: str) -> str:
    """What reversals have taken back of the payments `p` that meet a condition."""
    return f"""
            select sum(least(p.amount_minor, u.back))
            from (
                select p.account_no, p.undoes, {TAKEN_BACK} as back
                from ledger_payments p
                join {_ASKED} s on s.account_no = p.account_no and p.known_on <= s.as_of
                where p.settled and p.reverses is not null
                group by p.account_no, p.undoes
            ) u
            join ledger_payments p on p.account_no = u.account_no and p.part_id = u.undoes
            join {_ASKED} s on s.account_no = p.account_no and p.known_on <= s.as_of
            where {of} and p.reverses is null
            """
