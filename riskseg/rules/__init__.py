"""The checked model of a strategy, and how its conditions become SQL and terms of a proof."""
