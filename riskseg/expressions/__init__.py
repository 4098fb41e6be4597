"""The one expression language: a subset of SQL over named facts.

:func:`check` turns authored text into an :class:`Expression`, or Problems; :func:`to_sql` turns
that into an engine's SQL. Nothing is ever evaluated here, and nothing but facts can be reached.
"""

from riskseg.expressions.checking import Expression, check
from riskseg.expressions.constants import ConstantValue, by_name, names_used
from riskseg.expressions.few_digits import in_few_digits
from riskseg.expressions.functions import FUNCTIONS, Function
from riskseg.expressions.show import show
from riskseg.expressions.sql import to_sql
from riskseg.expressions.tree import Node, Type
from riskseg.expressions.typed import Scope
from riskseg.expressions.walk import names_in_cases, texts_compared

__all__ = [
    "FUNCTIONS",
    "ConstantValue",
    "Expression",
    "Function",
    "Node",
    "Scope",
    "Type",
    "by_name",
    "check",
    "in_few_digits",
    "names_in_cases",
    "names_used",
    "show",
    "texts_compared",
    "to_sql",
]
