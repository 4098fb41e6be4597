"""SQL of this house for other databases: read as forms of a closed list, and written anew.

`read` gives the form of an expression, :class:`Writer` writes forms for one of `DIALECTS`. What is
not on the list, or has no spelling there, is an UnknownFormError: nothing is translated by guess.
"""

from riskseg.expressions.dialects.dialect import Dialect
from riskseg.expressions.dialects.forms import SqlType, UnknownFormError
from riskseg.expressions.dialects.known import DIALECTS
from riskseg.expressions.dialects.layout import Writer
from riskseg.expressions.dialects.reading import parsed, read
from riskseg.expressions.dialects.statement import statement

__all__ = [
    "DIALECTS",
    "Dialect",
    "SqlType",
    "UnknownFormError",
    "Writer",
    "parsed",
    "read",
    "statement",
]
