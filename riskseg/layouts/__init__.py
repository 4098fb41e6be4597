"""Layouts: how well-known systems name what the data contract asks for.

A layout is one YAML file in `systems/`: per contract table, which files or tables it comes from and
how its columns are named. A new one is a new file there.
"""

from riskseg.layouts.layout import Completed, Layout, LayoutTable, Reads, layouts, plain
from riskseg.layouts.places import Place, find_places

__all__ = [
    "Completed",
    "Layout",
    "LayoutTable",
    "Place",
    "Reads",
    "find_places",
    "layouts",
    "plain",
]
