"""A model as one SQL statement, for an engine that knows nothing of riskseg.

It reads a table `accounts` with a column `account_id` and a column for each of the model's
features, under the feature's own name; a NaN counts as null. It gives `account_id`, `score`
(scorecards alone), `margin` (log-odds of the bad outcome) and `probability` at six decimals.
Bins are added as whole hundredths; trees are added one after the other, as LightGBM does.

The statement is written for DuckDB and translated by sqlglot. Every engine on the list holds NaN
equal to itself, reads `1.5e0` as an exact double and adds from left to right.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, get_args

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import did_you_mean, problem
from riskseg.domain.relations import literal, quoted
from riskseg.learning.calibration import FARTHEST, Calibration
from riskseg.learning.scorecard.tables import Bins, PairTable, Scorecard, Table
from riskseg.learning.trees.boosted import Boosted
from riskseg.learning.trees.text import ZERO, Missing, Tree, read_trees

if TYPE_CHECKING:
    from riskseg.learning.artefact import Model

Dialect = Literal["duckdb", "postgres", "spark", "snowflake"]
DIALECTS: tuple[Dialect, ...] = get_args(Dialect)

# Trees added in one select: engines bound how deep an expression may nest.
TREES_AT_ONCE = 50

Named = Callable[[str], str]


def sql(model: Model, dialect: str = "duckdb") -> str:
    """The statement that scores `accounts`.

    Raises ProblemsError (RS004) for a dialect that is not one of :data:`DIALECTS`.
    """
    if dialect not in DIALECTS:
        what = f'"{dialect}" is not a dialect of SQL that models are exported to.'
        raise problem("RS004", what, hint=did_you_mean(dialect, DIALECTS))
    if isinstance(model.scorer, Boosted):
        stages = _boosted(model.scorer, model.facts)
        score = ""
    else:
        stages = _scorecard(model.scorer, model.facts)
        score = "score, "
    stages.append(
        ("riskseg_calibrated", f"select *, {_log_odds(model.calibration)} as log_odds from {{}}")
    )
    # Six decimals by floor: engines round doubles each in their own way, or not at all.
    probability = "floor(1e6 / (1e0 + exp(-log_odds)) + 0.5e0) / 1e6"
    told, before = [], "accounts"
    for name, text in stages:
        told.append(f"{name} as (\n{text.format(before)}\n)")
        before = name
    statement = (
        f"with {', '.join(told)}\n"
        f"select account_id, {score}margin, {probability} as probability\nfrom {before}"
    )
    if dialect != "duckdb":
        import sqlglot

        statement = sqlglot.transpile(statement, read="duckdb", write=dialect, pretty=True)[0]
    return f"{_head(model)}{statement}\n"


def _head(model: Model) -> str:
    lines = [f"{model.name} {model.version}, {model.learner}"]
    if model.population is not None:
        lines.append(f"It scores accounts where: {model.population}")
    return "".join(f"-- {' '.join(line.split())}\n" for line in lines)


def _scorecard(card: Scorecard, facts: Sequence[Fact]) -> list[tuple[str, str]]:
    name = _names(facts)
    points = [_table(table, name) for table in card.tables]
    points += [_pair(pair, name) for pair in card.pairs]
    total = "\n + ".join([f"cast({card.base} as bigint)", *points])
    return [
        ("riskseg_inputs", _inputs(_input(fact) for fact in facts)),
        ("riskseg_points", f"select account_id, {total} as hundredths\nfrom {{}}"),
        ("riskseg_scores", "select *, hundredths / 1e2 as score from {}"),
        (
            "riskseg_margins",
            f"select *, ({_number(card.scale.offset)} - score) / {_number(card.scale.factor)} "
            "as margin from {}",
        ),
    ]


def _table(table: Table, name: Named) -> str:
    return _case(table.bins, name, [str(points) for points in table.points])


def _pair(table: PairTable, name: Named) -> str:
    wide = table.second.count
    rows = [
        _case(table.second, name, [str(p) for p in table.points[start : start + wide]])
        for start in range(0, len(table.points), wide)
    ]
    return _case(table.first, name, rows)


def _case(bins: Bins, name: Named, told: Sequence[str]) -> str:
    """What is told of the bin that a row falls in."""
    column = name(bins.name)
    whens: list[str] = []
    for shown, one in zip(bins.described(), told, strict=True):
        if "missing" in shown:
            whens.insert(0, f"when {column} is null then {one}")
        elif "levels" in shown:
            if shown["levels"]:
                levels = ", ".join(map(_text, shown["levels"]))
                whens.append(f"when {column} in ({levels}) then {one}")
        elif shown.get("to") is not None:
            whens.append(f"when {column} < {_number(shown['to'])} then {one}")
        else:  # the last range, or the levels of no other bin
            whens.append(f"else {one}")
    return f"case {' '.join(whens)} end"


def _boosted(boosted: Boosted, facts: Sequence[Fact]) -> list[tuple[str, str]]:
    inputs = []
    for column, fact in zip(boosted.columns, facts, strict=True):
        told = _input(fact)
        if column.levels is not None:
            whens = " ".join(f"when {_text(one)} then {n}e0" for n, one in enumerate(column.levels))
            told = f"case {told} {whens} end" if whens else "cast(null as double)"
        if column.special_values:
            codes = ", ".join(map(_number, column.special_values))
            told = f"case when {told} in ({codes}) then null else {told} end"
        inputs.append(told if column.fill is None else f"coalesce({told}, {_number(column.fill)})")
    stages = [("riskseg_inputs", _inputs(inputs))]
    columns = ", ".join(f"x{n}" for n in range(len(inputs)))
    trees = read_trees(boosted.text).trees
    before = "cast(0 as double)"
    for start in range(0, max(len(trees), 1), TREES_AT_ONCE):
        part = [_tree(tree, 0) for tree in trees[start : start + TREES_AT_ONCE]]
        total = "\n + ".join([before, *part])
        name = f"riskseg_trees_{start // TREES_AT_ONCE + 1}"
        stages.append((name, f"select account_id, {columns}, {total} as margin\nfrom {{}}"))
        before = "margin"
    return stages


def _tree(tree: Tree, node: int) -> str:
    if node < 0 or not len(tree.feature):
        return _number(float(tree.value[-1 - node if node < 0 else 0]))
    column, threshold = f"x{tree.feature[node]}", float(tree.threshold[node])
    default = bool(tree.default_left[node])
    if tree.missing[node] == Missing.NOTHING:  # then a null counts as 0.0
        default = threshold >= 0.0
    goes = f"{column} <= {_number(threshold)}"
    if math.isinf(threshold):  # it parts every number from null
        goes = f"{column} is not null"
    if tree.missing[node] == Missing.ZERO:
        zero = f"abs({column}) <= {_number(ZERO)}"
        goes = f"{zero} or {goes}" if default else f"not {zero} and {goes}"
    if default:
        goes = f"{column} is null or {goes}"
    left, right = (_tree(tree, int(child)) for child in (tree.left[node], tree.right[node]))
    return f"case when {goes} then {left} else {right} end"


def _log_odds(calibration: Calibration) -> str:
    told = "margin"
    if calibration.kind == "sigmoid":
        told = f"{_number(calibration.slope)} * margin + {_number(calibration.intercept)}"
    elif calibration.kind == "beta":
        # ln(1 + exp(x)) without overflow.
        tail = "ln(1e0 + exp(-abs(margin)))"
        told = (
            f"{_number(calibration.c)}"
            f" - {_number(calibration.a)} * (greatest(-margin, 0e0) + {tail})"
            f" + {_number(calibration.b)} * (greatest(margin, 0e0) + {tail})"
        )
    elif calibration.kind == "isotonic":
        told = _lines(calibration.points)
    if calibration.then is not None:
        slope, intercept = calibration.then
        told = f"{_number(slope)} * ({told}) + {_number(intercept)}"
    return f"greatest({_number(-FARTHEST)}, least({_number(FARTHEST)}, {told}))"


def _lines(points: Sequence[tuple[float, float]]) -> str:
    """Straight lines between points, level beyond the ends."""
    whens = [f"when margin <= {_number(points[0][0])} then {_number(points[0][1])}"]
    for (x, y), (next_x, next_y) in pairwise(points):
        slope = (next_y - y) / (next_x - x)
        whens.append(
            f"when margin < {_number(next_x)}"
            f" then {_number(slope)} * (margin - {_number(x)}) + {_number(y)}"
        )
    return f"case {' '.join(whens)} else {_number(points[-1][1])} end"


def _inputs(told: Iterable[str]) -> str:
    columns = (f"{one} as x{n}" for n, one in enumerate(told))
    return "select account_id, " + ",\n ".join(columns) + "\nfrom {}"


def _input(fact: Fact) -> str:
    column = _name(fact.name)
    if fact.kind.is_textual:
        return f"cast({column} as varchar)"
    if fact.kind is Kind.BOOLEAN:
        return (
            f"case when cast({column} as boolean) then 1e0 when {column} is not null then 0e0 end"
        )
    return f"nullif(cast({column} as double), cast('NaN' as double))"


def _names(facts: Sequence[Fact]) -> Named:
    places = {fact.name: f"x{n}" for n, fact in enumerate(facts)}
    return places.__getitem__


def _number(value: float) -> str:
    """A double, to the last bit."""
    told = repr(float(value))
    return told if "e" in told else f"{told}e0"


def _text(value: str) -> str:
    return _braces(literal(value))


def _name(name: str) -> str:
    return _braces(quoted(name))


def _braces(text: str) -> str:
    """Stages are joined by `str.format`."""
    return text.replace("{", "{{").replace("}", "}}")
