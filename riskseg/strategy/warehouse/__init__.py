"""A strategy for a warehouse: one query over a table of facts, a test of it, and a dbt package."""
