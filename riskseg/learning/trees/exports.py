"""Boosted trees in SQL and in ONNX, and where their splits are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from riskseg.domain.facts import Fact
from riskseg.domain.problems import problem
from riskseg.learning.export.onnx_graph import ML, Graph
from riskseg.learning.export.sql import sql_input, sql_inputs, sql_number, sql_text
from riskseg.learning.learner import Edges, SqlStages
from riskseg.learning.trees.text import ZERO, Missing, Tree, read_trees

if TYPE_CHECKING:
    from riskseg.learning.trees.boosted import Boosted

# Trees added in one select: engines bound how deep an expression may nest.
TREES_AT_ONCE = 50
LEAST_OR_EQUAL = 0  # TreeEnsemble's BRANCH_LEQ
SUM = 1


def edges(boosted: Boosted) -> dict[str, Edges]:
    """For each feature, the thresholds of all splits with the codes, and the levels that splits
    separate."""
    trees = read_trees(boosted.text).trees
    return {
        column.name: Edges(
            frozenset(
                float(threshold)
                for tree in trees
                for threshold in tree.threshold[tree.feature == index]
            )
            | frozenset(column.special_values),
            frozenset(column.levels or ()),
        )
        for index, column in enumerate(boosted.columns)
    }


def sql_stages(boosted: Boosted, facts: Sequence[Fact]) -> SqlStages:
    """Trees added one after the other, as LightGBM does."""
    inputs = []
    for column, fact in zip(boosted.columns, facts, strict=True):
        column_sql = sql_input(fact)
        if column.levels is not None:
            whens = " ".join(
                f"when {sql_text(level)} then {code}e0" for code, level in enumerate(column.levels)
            )
            column_sql = f"case {column_sql} {whens} end" if whens else "cast(null as double)"
        if column.special_values:
            code_list = ", ".join(map(sql_number, column.special_values))
            column_sql = f"case when {column_sql} in ({code_list}) then null else {column_sql} end"
        if column.fill is not None:
            column_sql = f"coalesce({column_sql}, {sql_number(column.fill)})"
        inputs.append(column_sql)
    stages = [("riskseg_inputs", sql_inputs(inputs))]
    input_columns = ", ".join(f"x{index}" for index in range(len(inputs)))
    trees = read_trees(boosted.text).trees
    sum_before = "cast(0 as double)"
    for first_tree in range(0, max(len(trees), 1), TREES_AT_ONCE):
        tree_terms = [_tree(tree, 0) for tree in trees[first_tree : first_tree + TREES_AT_ONCE]]
        sum_sql = "\n + ".join([sum_before, *tree_terms])
        stage_name = f"riskseg_trees_{first_tree // TREES_AT_ONCE + 1}"
        stages.append(
            (stage_name, f"select account_id, {input_columns}, {sum_sql} as margin\nfrom {{}}")
        )
        sum_before = "margin"
    return SqlStages(tuple(stages))


def _tree(tree: Tree, node: int) -> str:
    if node < 0 or not len(tree.feature):
        return sql_number(float(tree.value[-1 - node if node < 0 else 0]))
    column, threshold = f"x{tree.feature[node]}", float(tree.threshold[node])
    default = bool(tree.default_left[node])
    if tree.missing[node] == Missing.NOTHING:  # then a null counts as 0.0
        default = threshold >= 0.0
    goes_left = f"{column} <= {sql_number(threshold)}"
    if math.isinf(threshold):  # it parts every number from null
        goes_left = f"{column} is not null"
    if tree.missing[node] == Missing.ZERO:
        is_zero = f"abs({column}) <= {sql_number(ZERO)}"
        goes_left = f"{is_zero} or {goes_left}" if default else f"not {is_zero} and {goes_left}"
    if default:
        goes_left = f"{column} is null or {goes_left}"
    left_case, right_case = (
        _tree(tree, int(child)) for child in (tree.left[node], tree.right[node])
    )
    return f"case when {goes_left} then {left_case} else {right_case} end"


def onnx_outputs(graph: Graph, boosted: Boosted, facts: Sequence[Fact]) -> dict[str, str]:
    """One TreeEnsemble in double; the node of the margin."""
    input_columns = []
    for column, fact in zip(boosted.columns, facts, strict=True):
        column_input = graph.input(fact)
        if column.levels is not None:
            code_by_level = {level: level_code for level_code, level in enumerate(column.levels)}
            level_code = graph.double(graph.codes(column_input, code_by_level, -1))
            is_unknown_level = graph.add("Less", level_code, graph.constant([[0.0]]))
            column_input = graph.add(
                "Where", is_unknown_level, graph.constant([[float("nan")]]), level_code
            )
        for special in column.special_values:
            coded = graph.add("Equal", column_input, graph.constant([[special]]))
            column_input = graph.add("Where", coded, graph.constant([[float("nan")]]), column_input)
        if column.fill is not None:
            unknown = graph.add("IsNaN", column_input)
            column_input = graph.add(
                "Where", unknown, graph.constant([[column.fill]]), column_input
            )
        input_columns.append(column_input)
    matrix = graph.add("Concat", *input_columns, axis=1)
    ensemble = _ensemble(graph, read_trees(boosted.text).trees)
    return {"margin": graph.add("TreeEnsemble", matrix, domain=ML, **ensemble)}


def _ensemble(graph: Graph, trees: Sequence[Tree]) -> dict[str, Any]:
    """The attributes of TreeEnsemble. Nodes and leaves are numbered through all trees."""
    attributes: dict[str, list[Any]] = {
        ensemble_attribute: []
        for ensemble_attribute in (
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
        attributes["tree_roots"].append(node)
        leaves += [float(leaf_value) for leaf_value in tree.value]
        if not len(tree.feature):  # a tree is a split at least: one with the same leaf twice
            tree = _split(tree)
        if (tree.missing == Missing.ZERO).any():
            raise problem("RS406", "The trees treat zeros as missing, which ONNX cannot express.")
        # Where a split does not know NaN, it counts as 0.0.
        nan_left = np.where(tree.missing == Missing.NAN, tree.default_left, tree.threshold >= 0.0)
        for branch, children in (("true", tree.left), ("false", tree.right)):
            ids = np.where(children < 0, leaf - 1 - children, node + children)
            attributes[f"nodes_{branch}nodeids"] += ids.tolist()
            attributes[f"nodes_{branch}leafs"] += (children < 0).astype(int).tolist()
        attributes["nodes_featureids"] += tree.feature.tolist()
        attributes["nodes_missing_value_tracks_true"] += nan_left.astype(int).tolist()
        splits += tree.threshold.tolist()
    modes = np.full(len(splits), LEAST_OR_EQUAL, dtype=np.uint8)
    return {
        **attributes,
        "n_targets": 1,
        "aggregate_function": SUM,
        "post_transform": 0,
        "nodes_modes": graph.tensor(modes, "nodes_modes"),
        "nodes_splits": graph.tensor(np.array(splits), "nodes_splits"),
        "leaf_targetids": [0] * len(leaves),
        "leaf_weights": graph.tensor(np.array(leaves), "leaf_weights"),
    }


def _split(tree: Tree) -> Tree:
    zeros = np.zeros(1, dtype=np.int64)
    leaf = -1 - zeros
    flags = np.zeros(1, dtype=np.bool_)
    return Tree(
        zeros, np.zeros(1), leaf, leaf, flags, zeros, zeros + 1, tree.value, tree.leaf_count
    )
