"""The table that events of the journal are read as."""

from __future__ import annotations

import pyarrow as pa

# Texts, unless said otherwise; dates are ISO texts, so that every database keeps them alike.
# `contact` is "yes" of an action that reaches the customer. Of an issued action, `segment` is the
# segment of the account on the day, and `strategy` the version that issued it.
_DAYS = ("happened_on", "recorded_on", "until", "due_on", "episode")
COLUMNS = (
    "event_id",
    "account_id",
    "kind",
    *_DAYS[:2],
    "path",
    "step",
    "action",
    "channel",
    "template",
    "due_on",
    "episode",
    "outcome",
    "amount",
    "until",
    "ref",
    "reason",
    "made_by",
    "contact",
    "bill_id",
    "segment",
    "strategy",
)
SCHEMA = pa.schema(
    [pa.field(name, pa.date32() if name in _DAYS else pa.string()) for name in COLUMNS]
)


def no_events() -> pa.Table:
    """A table of none. Arrow would load pandas to make an empty column of an empty list."""
    return pa.table([pa.nulls(0, column.type) for column in SCHEMA], schema=SCHEMA)
