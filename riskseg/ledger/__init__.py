"""From sources to a checked ledger, and from the ledger to bill facts as of any date.

Returns SQL and plain objects; `run/` carries them out.
"""
