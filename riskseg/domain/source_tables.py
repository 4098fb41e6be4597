"""The tables that a workspace may have as sources; `ledger/contract.py` says what each holds."""

from __future__ import annotations

# Those whose rows are dated facts.
DATED_TABLES = ("bills", "payments", "events")
SOURCE_TABLES = ("accounts", *DATED_TABLES, "instalments")
