"""The day an account's latest bill became known: when a model observed at issue looks at it."""

from __future__ import annotations

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.relations import Relation

LATEST_KNOWN_ON = Fact(
    "latest_known_on",
    Kind.DATE,
    nullable=True,
    words="the latest bill became known on {value}",
)


def latest_known() -> Relation:
    """`latest_known` (snap, known_on): the day on which the bill issued last was issued and
    recorded. Null where that bill asks for nothing: nothing is learned from such a bill.

    Reads `ledger_bills` and `snapshots`. The bill is the one that features call the latest.
    """
    last = "(b.issued_on, b.due_on, b.bill_id)"
    return Relation(
        "latest_known",
        f"select s.snap, case when arg_max(b.minor, {last}) > 0 then arg_max(b.known_on, {last}) "
        "end as known_on from snapshots s join ledger_bills b on b.account_no = s.account_no "
        "and b.known_on <= s.as_of and b.minor >= 0 "
        "and (b.cancelled_on is null or b.cancelled_on > s.as_of) group by s.snap",
    )
