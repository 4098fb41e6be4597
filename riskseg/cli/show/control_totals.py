"""How control totals are shown: each identity in a line, with the terms that are not nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from riskseg.cli.show.tables import money, number
from riskseg.domain.words import counted

if TYPE_CHECKING:
    from riskseg.results.control_totals import ControlTotals, MoneyIn


def control_lines(controls: ControlTotals, scale: int) -> Iterator[str]:
    """The lines of a run's control totals."""
    rows = (
        f"{name} {number(of.read)} = {number(of.used)} used"
        + (f" + {number(of.set_apart)} set apart" if of.set_apart else "")
        for name, of in controls.rows.items()
    )
    yield f"Rows read: {'; '.join(rows)}."
    if controls.money is not None:
        yield from _money(controls.money, scale)
        yield (
            f"Overdue: {money(controls.overdue_by_account, scale)} by account = "
            f"{money(controls.overdue_by_segment, scale)} by segment."
        )
    if controls.accounts_set_apart:
        yield (
            f"{counted(controls.accounts_set_apart, 'account')} with rows set apart: what is known "
            "of them is not all there is."
        )


def _money(m: MoneyIn, scale: int) -> Iterator[str]:
    into = (
        (m.settled, "settled"),
        (m.pending, "pending"),
        (m.failed, "failed"),
        (m.later, "known later"),
        (m.no_account, "of accounts that do not exist yet"),
        (m.set_apart, "set apart"),
    )
    yield f"Payments: {money(m.paid_in, scale)} = {_terms(into, scale)}."
    done = (
        (m.allocated, "on bills"),
        (m.credit, "credit"),
        (m.paid_out, "paid out"),
        (m.taken_back, "taken back"),
    )
    notes = f" + {money(m.credit_notes, scale)} credit notes" if m.credit_notes else ""
    yield f"Settled: {money(m.settled, scale)}{notes} = {_terms(done, scale)}."


def _terms(terms: Iterable[tuple[Decimal, str]], scale: int) -> str:
    """The terms that are not nothing, and the first in any case."""
    first, *others = terms
    shown = [first, *(term for term in others if term[0])]
    return " + ".join(f"{money(amount, scale)} {words}" for amount, words in shown)
