"""The shape of a generated portfolio, worked out from its tables alone.

Bills are paid oldest first by cumulative amounts. Days count from the day before history
begins, as columns of dense account-by-day arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

FROM = 500  # pence overdue that count as arrears
FAR = 10**6


def pence(column: pa.ChunkedArray) -> np.ndarray:
    whole = pc.multiply(column.fill_null(0), pa.scalar(100)).cast(pa.int64())
    return whole.to_numpy()


@dataclass
class Shape:
    """A portfolio as arrays: `overdue[a, t]` is the balance overdue at the close of day t."""

    tables: dict[str, pa.Table]
    since: date
    until: date

    def __post_init__(self) -> None:
        accounts, bills, payments = (self.tables[n] for n in ("accounts", "bills", "payments"))
        self.count, self.days = len(accounts), (self.until - self.since).days + 1
        self.ends = np.minimum(
            self.day(accounts["closed_on"]), self.day(accounts["written_off_on"])
        )
        self.opens = self.day(accounts["opened_on"])
        owner, issued = self.owner(bills), self.day(bills["issued_on"])
        due, amount = self.day(bills["due_on"]), pence(bills["amount"])
        stands = self.day(bills["cancelled_on"]) == FAR
        owner, due, amount, issued = owner[stands], due[stands], amount[stands], issued[stands]
        order = np.lexsort((due, owner))
        self.owner_of_bill, self.due, amount = owner[order], due[order], amount[order]
        total = np.cumsum(amount)
        before = np.searchsorted(self.owner_of_bill, self.owner_of_bill, side="left")
        self.owed_with = total - (total - amount)[before]
        grid = (self.count, self.days)
        fallen = np.zeros(grid, np.int64)
        past = self.due + 1 < self.days
        np.add.at(fallen, (self.owner_of_bill[past], self.due[past] + 1), amount[past])
        self.paid = np.zeros(grid, np.int64)
        status = payments["status"].to_numpy(zero_copy_only=False)
        sign = np.select([status == "settled", status == "reversed"], [1, -1], 0)
        np.add.at(
            self.paid,
            (self.owner(payments), self.day(payments["paid_on"])),
            sign * pence(payments["amount"]),
        )
        np.cumsum(self.paid, axis=1, out=self.paid)
        self.overdue = np.cumsum(fallen, axis=1) - self.paid
        self.live = (self.opens[:, None] <= np.arange(self.days)) & (
            np.arange(self.days) < self.ends[:, None]
        )

    def day(self, column: pa.ChunkedArray) -> np.ndarray:
        days = column.cast(pa.int32()).cast(pa.int64()).fill_null(FAR * 10).to_numpy()
        return np.minimum(days - (self.since - date(1970, 1, 1)).days, FAR)

    def owner(self, table: pa.Table) -> np.ndarray:
        return pc.utf8_slice_codeunits(table["account_id"], 1).cast(pa.int64()).to_numpy() - 1

    def unpaid(self, days_past_due: int) -> tuple[np.ndarray, np.ndarray]:
        """Of bills, those whose day `days_past_due` after due is known; and those unpaid then."""
        when = self.due + days_past_due
        known = when < self.days
        paid = self.paid[self.owner_of_bill, np.minimum(when, self.days - 1)]
        return known, known & (self.owed_with - paid >= FROM)

    def reaches(self, days_past_due: int, after: int, until: int, *, by_due: bool) -> np.ndarray:
        """Accounts with a bill unpaid that many days after due, of the bills whose due day (or
        the day itself) lies after `after` and not after `until`."""
        _, unpaid = self.unpaid(days_past_due)
        when = self.due if by_due else self.due + days_past_due
        hit = np.zeros(self.count, bool)
        hit[self.owner_of_bill[unpaid & (when > after) & (when <= until)]] = True
        return hit

    def bill_due(self, after: int, until: int) -> np.ndarray:
        """Accounts with a bill due in the window."""
        hit = np.zeros(self.count, bool)
        hit[self.owner_of_bill[(self.due > after) & (self.due <= until)]] = True
        return hit

    def arrears_share(self, day: int) -> float:
        """Of live accounts, the share in arrears at the close of a day."""
        return float((self.overdue[:, day] >= FROM)[self.live[:, day]].mean())

    def funnel(self, first: int, last: int) -> dict[str, float]:
        """Of arrears episodes that start in those days, the share that each stage reaches."""
        within = self.overdue >= FROM
        starts = within.copy()
        starts[:, 1:] &= ~within[:, :-1]
        episode = np.cumsum(starts, axis=1)
        counted = starts.copy()
        counted[:, :first] = False
        counted[:, last:] = False
        keys = np.unique((np.arange(self.count)[:, None] * 10_000 + episode)[counted])
        events = self.tables["events"]
        action = events.filter(pc.equal(events["kind"], "action"))
        owner, day = self.owner(action), self.day(action["happened_on"])
        name = action["ref"].to_numpy(zero_copy_only=False)
        key = owner * 10_000 + episode[owner, day]
        stages = {
            "notice": ("sms", "letter"),
            "further": ("call", "support_review", "final_notice"),
            "visit": ("visit",),
            "last": ("agency",),
        }
        return {
            stage: float(np.isin(keys, key[np.isin(name, names)]).mean())
            for stage, names in stages.items()
        }

    def history(self, day: int) -> np.ndarray:
        """What a simple model would look at, as of a day: of the last 360 days' bills, how many
        were unpaid on the due day and after 7, 14 and 30 days, and the arrears now."""
        columns = [np.log1p(np.maximum(self.overdue[:, day], 0) / 100)]
        for past in (1, 7, 14, 30, 60):
            _, unpaid = self.unpaid(past)
            when = self.due + past
            for window in (90, 360):
                these = unpaid & (when <= day) & (when > day - window)
                count = np.bincount(self.owner_of_bill[these], minlength=self.count)
                columns.append(np.log1p(count))
        return np.column_stack(columns)
