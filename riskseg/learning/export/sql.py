"""A model as one SQL statement, for an engine that knows nothing of riskseg.

It reads a table `accounts` with a column `account_id` and a column for each of the model's
features, under the feature's own name; a NaN counts as null. It gives `account_id`, `score`
(scorecards alone), `margin` (log-odds of the bad outcome) and `probability` at six decimals.
Bins are added as whole hundredths; trees are added one after the other, as LightGBM does.

The statement is made of forms that every database on the list spells in its own way, holds NaN
equal to itself, and adds from left to right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import did_you_mean, problem
from riskseg.domain.relations import literal, quoted
from riskseg.expressions.dialects import DIALECTS, statement
from riskseg.learning.calibration import FARTHEST, Calibration

if TYPE_CHECKING:
    from riskseg.learning.artefact import Model

Named = Callable[[str], str]


def sql(model: Model, dialect: str = "duckdb") -> str:
    """The statement that scores `accounts`.

    Raises ProblemsError (RS004) for a dialect that is not one of
    :data:`riskseg.expressions.dialects.DIALECTS`, and for a learner that offers no SQL.
    """
    if dialect not in DIALECTS:
        message = f'"{dialect}" is not a dialect of SQL that models are exported to.'
        raise problem("RS004", message, hint=did_you_mean(dialect, DIALECTS))
    margin = model.learned_by.sql_stages(model)
    calibrated = f"select *, {_log_odds(model.calibration)} as log_odds from {{}}"
    stages, previous = [], "accounts"
    for stage_name, stage_select in (*margin.stages, ("riskseg_calibrated", calibrated)):
        stages.append((stage_name, stage_select.format(previous)))
        previous = stage_name
    score = "score, " if margin.score else ""
    # Six decimals by floor: engines round doubles each in their own way, or not at all.
    probability = "floor(1e6 / (1e0 + exp(-log_odds)) + 0.5e0) / 1e6"
    last = f"select account_id, {score}margin, {probability} as probability from {previous}"
    return f"{_head(model)}{statement(stages, last, DIALECTS[dialect])}\n"


def _head(model: Model) -> str:
    lines = [f"{model.name} {model.version}, {model.learner}"]
    if model.population is not None:
        lines.append(f"It scores accounts where: {model.population}")
    return "".join(f"-- {' '.join(line.split())}\n" for line in lines)


def _log_odds(calibration: Calibration) -> str:
    log_odds = "margin"
    if calibration.kind == "sigmoid":
        log_odds = f"{sql_number(calibration.slope)} * margin + {sql_number(calibration.intercept)}"
    elif calibration.kind == "beta":
        # ln(1 + exp(x)) without overflow.
        decay = "ln(1e0 + exp(-abs(margin)))"
        log_odds = (
            f"{sql_number(calibration.c)}"
            f" - {sql_number(calibration.a)} * (greatest(-margin, 0e0) + {decay})"
            f" + {sql_number(calibration.b)} * (greatest(margin, 0e0) + {decay})"
        )
    elif calibration.kind == "isotonic":
        log_odds = _lines(calibration.points)
    if calibration.then is not None:
        slope, intercept = calibration.then
        log_odds = f"{sql_number(slope)} * ({log_odds}) + {sql_number(intercept)}"
    return f"greatest({sql_number(-FARTHEST)}, least({sql_number(FARTHEST)}, {log_odds}))"


def _lines(points: Sequence[tuple[float, float]]) -> str:
    """Straight lines between points, level beyond the ends."""
    whens = [f"when margin <= {sql_number(points[0][0])} then {sql_number(points[0][1])}"]
    for (x, y), (next_x, next_y) in pairwise(points):
        slope = (next_y - y) / (next_x - x)
        whens.append(
            f"when margin < {sql_number(next_x)}"
            f" then {sql_number(slope)} * (margin - {sql_number(x)}) + {sql_number(y)}"
        )
    return f"case {' '.join(whens)} else {sql_number(points[-1][1])} end"


def sql_inputs(inputs: Iterable[str]) -> str:
    input_columns = (f"{sql} as x{n}" for n, sql in enumerate(inputs))
    return "select account_id, " + ",\n ".join(input_columns) + "\nfrom {}"


def sql_input(fact: Fact) -> str:
    column = _name(fact.name)
    if fact.kind.is_textual:
        return f"cast({column} as varchar)"
    if fact.kind is Kind.BOOLEAN:
        return (
            f"case when cast({column} as boolean) then 1e0 when {column} is not null then 0e0 end"
        )
    return f"nullif(cast({column} as double), cast('NaN' as double))"


def sql_names(facts: Sequence[Fact]) -> Named:
    column_by_feature = {fact.name: f"x{n}" for n, fact in enumerate(facts)}
    return column_by_feature.__getitem__


def sql_number(value: float) -> str:
    """A double, to the last bit."""
    text = repr(float(value))
    return text if "e" in text else f"{text}e0"


def sql_text(value: str) -> str:
    return _braces(literal(value))


def _name(name: str) -> str:
    return _braces(quoted(name))


def _braces(text: str) -> str:
    """Stages are joined by `str.format`."""
    return text.replace("{", "{{").replace("}", "}}")
