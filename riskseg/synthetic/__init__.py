"""A generated utility portfolio whose truth is known: for trying things out and for measuring.

Nothing in it comes from real people. The story it follows stands in `world.py` and, in words,
in the README that is written beside the data.
"""

from riskseg.synthetic.portfolio import Portfolio, generate, write

__all__ = ["Portfolio", "generate", "write"]
