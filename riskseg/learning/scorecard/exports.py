"""A scorecard in SQL, in ONNX and as a table of points, and where its points change."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from riskseg.domain.facts import Fact
from riskseg.learning.export.onnx_graph import Graph
from riskseg.learning.export.sql import (
    Named,
    sql_input,
    sql_inputs,
    sql_names,
    sql_number,
    sql_text,
)
from riskseg.learning.learner import Edges, SqlStages
from riskseg.learning.scorecard.tables import Bins, PairTable, Scorecard, Table, decimal


def edges(card: Scorecard) -> dict[str, Edges]:
    """By feature, the cuts and the levels of all its tables."""
    by_feature: dict[str, Edges] = {}
    bins_of_all = [table.bins for table in card.tables]
    bins_of_all += [
        bins for pair_table in card.pairs for bins in (pair_table.first, pair_table.second)
    ]
    for bins in bins_of_all:
        edges_known = by_feature.get(bins.name, Edges())
        by_feature[bins.name] = Edges(
            edges_known.cuts | (frozenset() if bins.levels is not None else frozenset(bins.cuts)),
            edges_known.levels | frozenset(bins.levels or ()),
        )
    return by_feature


def sql_stages(card: Scorecard, facts: Sequence[Fact]) -> SqlStages:
    """Points added as whole hundredths, then the score and the margin."""
    sql_name = sql_names(facts)
    points = [_table_sql(table, sql_name) for table in card.tables]
    points += [_pair_sql(pair, sql_name) for pair in card.pairs]
    points_sum = "\n + ".join([f"cast({card.base} as bigint)", *points])
    stages = (
        ("riskseg_inputs", sql_inputs(sql_input(fact) for fact in facts)),
        ("riskseg_points", f"select account_id, {points_sum} as hundredths\nfrom {{}}"),
        ("riskseg_scores", "select *, hundredths / 1e2 as score from {}"),
        (
            "riskseg_margins",
            f"select *, ({sql_number(card.scale.offset)} - score) / "
            f"{sql_number(card.scale.factor)} as margin from {{}}",
        ),
    )
    return SqlStages(stages, score=True)


def _table_sql(table: Table, name: Named) -> str:
    return _case(table.bins, name, [str(points) for points in table.points])


def _pair_sql(table: PairTable, name: Named) -> str:
    wide = table.second.count
    row_cases = [
        _case(
            table.second,
            name,
            [str(cell_points) for cell_points in table.points[row_start : row_start + wide]],
        )
        for row_start in range(0, len(table.points), wide)
    ]
    return _case(table.first, name, row_cases)


def _case(bins: Bins, name: Named, values: Sequence[str]) -> str:
    """A case expression: the value of the bin that a row falls in."""
    column = name(bins.name)
    whens: list[str] = []
    for bin_described, value in zip(bins.described(), values, strict=True):
        if "missing" in bin_described:
            whens.insert(0, f"when {column} is null then {value}")
        elif "levels" in bin_described:
            if bin_described["levels"]:
                levels = ", ".join(map(sql_text, bin_described["levels"]))
                whens.append(f"when {column} in ({levels}) then {value}")
        elif bin_described.get("to") is not None:
            whens.append(f"when {column} < {sql_number(bin_described['to'])} then {value}")
        else:  # the last range, or the levels of no other bin
            whens.append(f"else {value}")
    return f"case {' '.join(whens)} end"


def onnx_outputs(graph: Graph, card: Scorecard, facts: Sequence[Fact]) -> dict[str, str]:
    """Plain operators on whole hundredths; the nodes of the margin and of the score."""
    inputs = {fact.name: graph.input(fact) for fact in facts}
    lookups = [(_bin(graph, table.bins, inputs), table.points) for table in card.tables]
    for pair in card.pairs:
        first_bins = graph.add(
            "Mul", _bin(graph, pair.first, inputs), graph.constant([[pair.second.count]])
        )
        bin_of_pair = graph.add("Add", first_bins, _bin(graph, pair.second, inputs))
        lookups.append((bin_of_pair, pair.points))
    points_total = graph.constant([[card.base]])
    for index, points_of_bins in lookups:
        points = graph.add("Gather", graph.constant(list(points_of_bins)), index, axis=0)
        points_total = graph.add("Add", points_total, points)
    score = graph.add("Div", graph.double(points_total), graph.constant([[100.0]]))
    lost = graph.add("Sub", graph.constant([[card.scale.offset]]), score)
    margin = graph.add("Div", lost, graph.constant([[card.scale.factor]]))
    return {"margin": margin, "score": score}


def _bin(graph: Graph, bins: Bins, inputs: dict[str, str]) -> str:
    input_values = inputs[bins.name]
    missing_bin = bins.count - 1
    if bins.levels is None:
        unknown = graph.add("IsNaN", input_values)
        known_input = graph.add("Where", unknown, graph.constant([[0.0]]), input_values)
        bin_index = graph.place(known_input, bins.cuts)
        return graph.add("Where", unknown, graph.constant([[missing_bin]]), bin_index)
    bin_of_level = {"": missing_bin}
    for place_of, bin_shown in enumerate(bins.described()):
        bin_of_level |= dict.fromkeys(bin_shown.get("levels", ()), place_of)
    return graph.codes(input_values, bin_of_level, bins.count - 2)


def points_rows(card: Scorecard) -> Iterator[dict[str, Any]]:
    """The scale, the base, and a line for each bin of each table and pair."""
    scale = {
        "score_at": card.scale.score,
        "odds_at": card.scale.odds,
        "points_to_double_odds": card.scale.to_double,
    }
    for scale_key, scale_value in scale.items():
        yield {"what": "scale", "feature": scale_key, "value": scale_value}
    yield {"what": "base", "value": decimal(card.base)}
    for table in card.tables:
        for bin_described, points in zip(table.bins.described(), table.points, strict=True):
            bin_cells = _place(table.bins.name, bin_described)
            yield {"what": "points", **bin_cells, "value": decimal(points)}
    for pair in card.pairs:
        firsts, seconds = pair.first.described(), pair.second.described()
        bin_pairs = [(first_bin, second_bin) for first_bin in firsts for second_bin in seconds]
        for (first_bin, second_bin), points in zip(bin_pairs, pair.points, strict=True):
            second_cells = _place(pair.second.name, second_bin)
            yield {
                "what": "pair",
                **_place(pair.first.name, first_bin),
                **{f"{cell_column}_2": cell for cell_column, cell in second_cells.items()},
                "value": decimal(points),
            }


def _place(name: str, shown: Mapping[str, Any]) -> dict[str, Any]:
    if "missing" in shown:
        return {"feature": name, "bin": "missing"}
    if "other" in shown:
        return {"feature": name, "bin": "other"}
    if "levels" in shown:
        levels = json.dumps(list(shown["levels"]), ensure_ascii=False)
        return {"feature": name, "bin": "levels", "levels": levels}
    end_texts = {
        end_key: "" if shown[end_key] is None else repr(shown[end_key])
        for end_key in ("from", "to")
    }
    return {"feature": name, "bin": "range", **end_texts}
