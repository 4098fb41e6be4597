"""What use cases share: sessions, the loaded ledger, facts, scoring, deciding, versions.

Here the packages meet: they return SQL and plain objects, and `pipeline/` has the engine carry
them out.
"""
