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

import numpy as np

from riskseg.domain.facts import Fact
from riskseg.domain.problems import problem
from riskseg.learning.calibration import FARTHEST, Calibration

if TYPE_CHECKING:
    from riskseg.learning.artefact import Model

OPSET, ML_OPSET, IR = 18, 5, 9
ML = "ai.onnx.ml"


def onnx_model(model: Model) -> bytes:
    """The graph, as the bytes of an ONNX file: the same for the same model.

    Raises ProblemsError: RS024 where the package onnx is not installed, RS004 where the learner
    offers no ONNX, RS406 for trees that treat zeros as missing, which ONNX cannot express.
    """
    try:
        from onnx import checker, helper
    except ImportError:
        raise problem(
            "RS024",
            "The package onnx, which writes ONNX files, is not installed.",
            hint="Install it with: pip install 'riskseg[exports]'.",
        ) from None
    graph = Graph()
    outputs = model.learned_by.onnx_outputs(graph, model)
    probability = _probability(graph, outputs["margin"], model.calibration)
    built = helper.make_model(
        graph.finished(model.name, {"probability": probability, **outputs}),
        producer_name="riskseg",
        doc_string=f"{model.name} {model.version}",
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(ML, ML_OPSET)],
        ir_version=IR,
    )
    checker.check_model(built)
    return bytes(built.SerializeToString())


class Graph:
    """Nodes in order, every one with one output whose name it gives back."""

    def __init__(self) -> None:
        from onnx import TensorProto, helper, numpy_helper

        self.helper, self.types, self.tensor = helper, TensorProto, numpy_helper.from_array
        self.nodes: list[Any] = []
        self.inputs: list[Any] = []
        self.constants: list[Any] = []

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        output_name = f"riskseg/node/{len(self.nodes)}"
        self.nodes.append(
            self.helper.make_node(operator, inputs, [output_name], domain=domain, **attributes)
        )
        return output_name

    def constant(self, value: Any) -> str:
        """Whole numbers as int64, others as double."""
        array = np.asarray(value)
        array = array.astype(np.int64 if array.dtype.kind == "i" else np.float64)
        constant_name = f"riskseg/constant/{len(self.constants)}"
        self.constants.append(self.tensor(array, constant_name))
        return constant_name

    def input(self, fact: Fact) -> str:
        kind = self.types.STRING if fact.kind.is_textual else self.types.DOUBLE
        self.inputs.append(self.helper.make_tensor_value_info(fact.name, kind, ["accounts", 1]))
        return fact.name

    def double(self, node: str) -> str:
        return self.add("Cast", node, to=self.types.DOUBLE)

    def whole(self, node: str) -> str:
        return self.add("Cast", node, to=self.types.INT64)

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
        input_names = {graph_input.name for graph_input in self.inputs}
        outputs_made = []
        for output, node in outputs.items():
            output_name = output + "_" * (output in input_names)
            self.nodes.append(self.helper.make_node("Identity", [node], [output_name]))
            output_type = self.types.DOUBLE
            outputs_made.append(
                self.helper.make_tensor_value_info(output_name, output_type, ["accounts", 1])
            )
        return self.helper.make_graph(self.nodes, name, self.inputs, outputs_made, self.constants)


def _probability(graph: Graph, margin: str, calibration: Calibration) -> str:
    def times(node: str, factor: float, offset: float) -> str:
        product = graph.add("Mul", node, graph.constant([[factor]]))
        return graph.add("Add", product, graph.constant([[offset]]))

    log_odds = margin
    if calibration.kind == "sigmoid":
        log_odds = times(log_odds, calibration.slope, calibration.intercept)
    elif calibration.kind == "beta":
        # ln(1 + exp(x)) without overflow.
        log_odds_size = graph.add("Abs", log_odds)
        decay = graph.add("Exp", graph.add("Neg", log_odds_size))
        decay = graph.add("Log", graph.add("Add", decay, graph.constant([[1.0]])))
        zero = graph.constant([[0.0]])
        decay_above = graph.add("Add", graph.add("Max", log_odds, zero), decay)
        decay_below = graph.add("Add", graph.add("Max", graph.add("Neg", log_odds), zero), decay)
        log_odds = graph.add(
            "Add",
            times(decay_below, -calibration.a, calibration.c),
            graph.add("Mul", decay_above, graph.constant([[calibration.b]])),
        )
    elif calibration.kind == "isotonic":
        log_odds = _lines(graph, log_odds, calibration.points)
    if calibration.then is not None:
        log_odds = times(log_odds, *calibration.then)
    log_odds = graph.add("Max", log_odds, graph.constant([[-FARTHEST]]))
    log_odds = graph.add("Min", log_odds, graph.constant([[FARTHEST]]))
    one_node = graph.constant([[1.0]])
    log_odds = graph.add(
        "Div", one_node, graph.add("Add", graph.add("Exp", graph.add("Neg", log_odds)), one_node)
    )
    million = graph.constant([[1e6]])
    return graph.add("Div", graph.add("Round", graph.add("Mul", log_odds, million)), million)


def _lines(graph: Graph, margin: str, points: Sequence[tuple[float, float]]) -> str:
    """Straight lines between points, level beyond the ends."""
    slopes = [(b - y) / (a - x) for (x, y), (a, b) in pairwise(points)]
    starts = [points[0], *points]
    segment = graph.place(margin, [x for x, _ in points])
    x, y, slope = (
        graph.add("Gather", graph.constant(list(values)), segment, axis=0)
        for values in (*zip(*starts, strict=True), [0.0, *slopes, 0.0])
    )
    rise = graph.add("Mul", graph.add("Sub", margin, x), slope)
    return graph.add("Add", rise, y)
