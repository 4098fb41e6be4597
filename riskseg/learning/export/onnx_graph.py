"""A model as an ONNX graph, for a runtime that knows nothing of riskseg.

Inputs: a tensor (accounts, 1) for each feature under its own name; double with NaN for null
(booleans are 0 and 1), or strings with "" for null. Outputs, each (accounts, 1) and double:
`probability` at six decimals, `margin` (log-odds of the bad outcome), and for a scorecard
`score`. An output whose name a feature has already gets an underscore after it.

Scorecards are plain operators on whole hundredths. Trees are one TreeEnsemble in double, which
came with version 5 of ai.onnx.ml (ONNX 1.16): the older operators add in single precision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from riskseg.domain.facts import Fact
from riskseg.domain.problems import problem
from riskseg.learning.calibration import FARTHEST, Calibration
from riskseg.learning.scorecard.tables import Bins, Scorecard
from riskseg.learning.trees.boosted import Boosted
from riskseg.learning.trees.text import Missing, Tree, read_trees

if TYPE_CHECKING:
    from riskseg.learning.artefact import Model

OPSET, ML_OPSET, IR = 18, 5, 9
ML = "ai.onnx.ml"
LEAST_OR_EQUAL = 0  # TreeEnsemble's BRANCH_LEQ
SUM = 1


def onnx_model(model: Model) -> bytes:
    """The graph, as the bytes of an ONNX file: the same for the same model.

    Raises ProblemsError: RS004 where the package onnx is not installed, RS406 for trees that
    treat zeros as missing, which ONNX cannot say.
    """
    try:
        from onnx import checker, helper
    except ImportError:
        raise problem(
            "RS004",
            "The package onnx, which writes ONNX files, is not installed.",
            hint="Install it with: pip install 'riskseg[onnx]'",
        ) from None
    graph = _Graph()
    if isinstance(model.scorer, Boosted):
        margin = _boosted(graph, model.scorer, model.facts)
    else:
        score, margin = _scorecard(graph, model.scorer, model.facts)
    told = {"probability": _probability(graph, margin, model.calibration), "margin": margin}
    if isinstance(model.scorer, Scorecard):
        told["score"] = score
    built = helper.make_model(
        graph.finished(model.name, told),
        producer_name="riskseg",
        doc_string=f"{model.name} {model.version}",
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(ML, ML_OPSET)],
        ir_version=IR,
    )
    checker.check_model(built)
    return bytes(built.SerializeToString())


class _Graph:
    """Nodes in order, every one with one output whose name it gives back."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.inputs: list[Any] = []
        self.constants: list[Any] = []

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        from onnx import helper

        out = f"riskseg/node/{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [out], domain=domain, **attributes))
        return out

    def constant(self, value: Any) -> str:
        """Whole numbers as int64, others as double."""
        import numpy as np
        from onnx import numpy_helper

        told = np.asarray(value)
        told = told.astype(np.int64 if told.dtype.kind == "i" else np.float64)
        name = f"riskseg/constant/{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(told, name))
        return name

    def input(self, fact: Fact) -> str:
        from onnx import TensorProto, helper

        kind = TensorProto.STRING if fact.kind.is_textual else TensorProto.DOUBLE
        self.inputs.append(helper.make_tensor_value_info(fact.name, kind, ["accounts", 1]))
        return fact.name

    def double(self, told: str) -> str:
        from onnx import TensorProto

        return self.add("Cast", told, to=TensorProto.DOUBLE)

    def whole(self, told: str) -> str:
        from onnx import TensorProto

        return self.add("Cast", told, to=TensorProto.INT64)

    def place(self, values: str, edges: Sequence[float]) -> str:
        """How many of the rising edges each value, none of them NaN, has reached."""
        if not edges:
            return self.whole(self.add("IsNaN", values))
        reached = self.add("GreaterOrEqual", values, self.constant([list(edges)]))
        return self.add("ReduceSum", self.whole(reached), self.constant([1]), keepdims=1)

    def codes(self, text: str, codes: dict[str, int], other: int) -> str:
        """Whole numbers for levels; `codes` may be empty."""
        return self.add(
            "LabelEncoder",
            text,
            domain=ML,
            keys_strings=list(codes) or [""],
            values_int64s=list(codes.values()) or [other],
            default_int64=other,
        )

    def finished(self, name: str, outputs: Mapping[str, str]) -> Any:
        """The whole graph; an output that has the name of a feature gets an underscore."""
        from onnx import TensorProto, helper

        taken = {one.name for one in self.inputs}
        told = []
        for output, node in outputs.items():
            shown = output + "_" * (output in taken)
            self.nodes.append(helper.make_node("Identity", [node], [shown]))
            kind = TensorProto.DOUBLE
            told.append(helper.make_tensor_value_info(shown, kind, ["accounts", 1]))
        return helper.make_graph(self.nodes, name, self.inputs, told, self.constants)


def _scorecard(graph: _Graph, card: Scorecard, facts: Sequence[Fact]) -> tuple[str, str]:
    """(score, margin)."""
    inputs = {fact.name: graph.input(fact) for fact in facts}
    places = [(_bin(graph, table.bins, inputs), table.points) for table in card.tables]
    for pair in card.pairs:
        first = graph.add(
            "Mul", _bin(graph, pair.first, inputs), graph.constant([[pair.second.count]])
        )
        both = graph.add("Add", first, _bin(graph, pair.second, inputs))
        places.append((both, pair.points))
    total = graph.constant([[card.base]])
    for place, told in places:
        points = graph.add("Gather", graph.constant(list(told)), place, axis=0)
        total = graph.add("Add", total, points)
    score = graph.add("Div", graph.double(total), graph.constant([[100.0]]))
    lost = graph.add("Sub", graph.constant([[card.scale.offset]]), score)
    return score, graph.add("Div", lost, graph.constant([[card.scale.factor]]))


def _bin(graph: _Graph, bins: Bins, inputs: dict[str, str]) -> str:
    values = inputs[bins.name]
    missing = bins.count - 1
    if bins.levels is None:
        unknown = graph.add("IsNaN", values)
        known = graph.add("Where", unknown, graph.constant([[0.0]]), values)
        place = graph.place(known, bins.cuts)
        return graph.add("Where", unknown, graph.constant([[missing]]), place)
    codes = {"": missing}
    for place_of, shown in enumerate(bins.described()):
        codes |= dict.fromkeys(shown.get("levels", ()), place_of)
    return graph.codes(values, codes, bins.count - 2)


def _boosted(graph: _Graph, boosted: Boosted, facts: Sequence[Fact]) -> str:
    columns = []
    for column, fact in zip(boosted.columns, facts, strict=True):
        values = graph.input(fact)
        if column.levels is not None:
            codes = {level: code for code, level in enumerate(column.levels)}
            code = graph.double(graph.codes(values, codes, -1))
            strange = graph.add("Less", code, graph.constant([[0.0]]))
            values = graph.add("Where", strange, graph.constant([[float("nan")]]), code)
        for special in column.special_values:
            coded = graph.add("Equal", values, graph.constant([[special]]))
            values = graph.add("Where", coded, graph.constant([[float("nan")]]), values)
        if column.fill is not None:
            unknown = graph.add("IsNaN", values)
            values = graph.add("Where", unknown, graph.constant([[column.fill]]), values)
        columns.append(values)
    matrix = graph.add("Concat", *columns, axis=1)
    return graph.add("TreeEnsemble", matrix, domain=ML, **_ensemble(read_trees(boosted.text).trees))


def _ensemble(trees: Sequence[Tree]) -> dict[str, Any]:
    """The attributes of TreeEnsemble. Nodes and leaves are numbered through all trees."""
    import numpy as np
    from onnx import numpy_helper

    told: dict[str, list[Any]] = {
        name: []
        for name in (
            "tree_roots",
            "nodes_featureids",
            "nodes_truenodeids",
            "nodes_trueleafs",
            "nodes_falsenodeids",
            "nodes_falseleafs",
            "nodes_missing_value_tracks_true",
        )
    }
    splits: list[float] = []
    leaves: list[float] = []
    for tree in trees:
        node, leaf = len(splits), len(leaves)
        told["tree_roots"].append(node)
        leaves += [float(value) for value in tree.value]
        if not len(tree.feature):  # a tree is a split at least: one with the same leaf twice
            tree = _split(tree)
        if (tree.missing == Missing.ZERO).any():
            raise problem("RS406", "The trees treat zeros as missing, which ONNX cannot say.")
        # Where a split does not know NaN, it counts as 0.0.
        nan_left = np.where(tree.missing == Missing.NAN, tree.default_left, tree.threshold >= 0.0)
        for way, children in (("true", tree.left), ("false", tree.right)):
            ids = np.where(children < 0, leaf - 1 - children, node + children)
            told[f"nodes_{way}nodeids"] += ids.tolist()
            told[f"nodes_{way}leafs"] += (children < 0).astype(int).tolist()
        told["nodes_featureids"] += tree.feature.tolist()
        told["nodes_missing_value_tracks_true"] += nan_left.astype(int).tolist()
        splits += tree.threshold.tolist()
    modes = np.full(len(splits), LEAST_OR_EQUAL, dtype=np.uint8)
    return {
        **told,
        "n_targets": 1,
        "aggregate_function": SUM,
        "post_transform": 0,
        "nodes_modes": numpy_helper.from_array(modes, "nodes_modes"),
        "nodes_splits": numpy_helper.from_array(np.array(splits), "nodes_splits"),
        "leaf_targetids": [0] * len(leaves),
        "leaf_weights": numpy_helper.from_array(np.array(leaves), "leaf_weights"),
    }


def _split(tree: Tree) -> Tree:
    import numpy as np

    one = np.zeros(1, dtype=np.int64)
    leaf = -1 - one
    flags = np.zeros(1, dtype=np.bool_)
    return Tree(one, np.zeros(1), leaf, leaf, flags, one, one + 1, tree.value, tree.leaf_count)


def _probability(graph: _Graph, margin: str, calibration: Calibration) -> str:
    def times(told: str, by: float, plus: float) -> str:
        product = graph.add("Mul", told, graph.constant([[by]]))
        return graph.add("Add", product, graph.constant([[plus]]))

    told = margin
    if calibration.kind == "sigmoid":
        told = times(told, calibration.slope, calibration.intercept)
    elif calibration.kind == "beta":
        # ln(1 + exp(x)) without overflow.
        size = graph.add("Abs", told)
        tail = graph.add("Exp", graph.add("Neg", size))
        tail = graph.add("Log", graph.add("Add", tail, graph.constant([[1.0]])))
        zero = graph.constant([[0.0]])
        above = graph.add("Add", graph.add("Max", told, zero), tail)
        below = graph.add("Add", graph.add("Max", graph.add("Neg", told), zero), tail)
        told = graph.add(
            "Add",
            times(below, -calibration.a, calibration.c),
            graph.add("Mul", above, graph.constant([[calibration.b]])),
        )
    elif calibration.kind == "isotonic":
        told = _lines(graph, told, calibration.points)
    if calibration.then is not None:
        told = times(told, *calibration.then)
    told = graph.add("Max", told, graph.constant([[-FARTHEST]]))
    told = graph.add("Min", told, graph.constant([[FARTHEST]]))
    one = graph.constant([[1.0]])
    told = graph.add("Div", one, graph.add("Add", graph.add("Exp", graph.add("Neg", told)), one))
    million = graph.constant([[1e6]])
    return graph.add("Div", graph.add("Round", graph.add("Mul", told, million)), million)


def _lines(graph: _Graph, margin: str, points: Sequence[tuple[float, float]]) -> str:
    """Straight lines between points, level beyond the ends."""
    slopes = [(b - y) / (a - x) for (x, y), (a, b) in pairwise(points)]
    starts = [points[0], *points]
    place = graph.place(margin, [x for x, _ in points])
    x, y, slope = (
        graph.add("Gather", graph.constant(list(told)), place, axis=0)
        for told in (*zip(*starts, strict=True), [0.0, *slopes, 0.0])
    )
    rise = graph.add("Mul", graph.add("Sub", margin, x), slope)
    return graph.add("Add", rise, y)
