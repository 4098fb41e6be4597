"""Several boosters as one: LightGBM's text of a model whose margin is the mean of theirs.

A bag that is one file is scored, explained and exported as any other model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_TREE = re.compile(r"Tree=\d+\n")
_VALUES = re.compile(r"^(leaf_value|internal_value)=(.*)$", re.MULTILINE)
_SHRINKAGE = re.compile(r"^shrinkage=(.*)$", re.MULTILINE)
# How many threads worked is written into the text but is no part of the model.
_THREADS = re.compile(r"\[num_threads: \d+\]\n")


def merged(texts: Sequence[str]) -> str:
    """One text whose raw prediction is the mean of those of `texts`, to rounding.

    All must have learned from the same columns with the same parameters but for the seed: head
    and parameters are those of the first. Leaf and internal values are divided by the number
    of texts, so that the sum over all trees is the mean. Format: LightGBM's version 4, see
    `GBDT::SaveModelToString`.
    """
    heads, blocks, tails = [], [], []
    for text in texts:
        tree_head, trees, tree_tail = _parts(text)
        heads.append(tree_head)
        blocks += [_shared(tree, len(texts)) if len(texts) > 1 else tree for tree in trees]
        tails.append(tree_tail)
    blocks = [f"Tree={tree_number}\n{block}" for tree_number, block in enumerate(blocks)]
    sizes = " ".join(str(len(block.encode())) for block in blocks)
    tree_head = re.sub(r"^tree_sizes=.*$", f"tree_sizes={sizes}", heads[0], flags=re.MULTILINE)
    return tree_head + "".join(blocks) + "end of trees\n\n" + _tail(tails)


def leaves_of(text: str) -> int:
    """The leaves of all trees of a text."""
    return sum(int(count) for count in re.findall(r"^num_leaves=(\d+)$", text, re.MULTILINE))


def _parts(text: str) -> tuple[str, list[str], str]:
    """(everything before the first tree, each tree without its number, what follows)."""
    body, _, tail = _THREADS.sub("", text).partition("end of trees\n\n")
    head, *trees = _TREE.split(body)
    return head, trees, tail


def _shared(tree: str, size: int) -> str:
    def divide(leaf_line: re.Match[str]) -> str:
        shared_values = " ".join(repr(float(value) / size) for value in leaf_line[2].split())
        return f"{leaf_line[1]}={shared_values}"

    shared = _VALUES.sub(divide, tree)
    return _SHRINKAGE.sub(lambda leaf_line: f"shrinkage={float(leaf_line[1]) / size!r}", shared)


def _tail(tails: Sequence[str]) -> str:
    """The counts of splits added up, most first, and the parameters of the first."""
    gain_by_feature: dict[str, int] = {}
    for tail in tails:
        for importance_name, count in re.findall(
            r"^(\S+)=(\d+)$", tail.partition("parameters:")[0], re.M
        ):
            gain_by_feature[importance_name] = gain_by_feature.get(importance_name, 0) + int(count)
    features_ranked = sorted(
        gain_by_feature.items(), key=lambda feature_and_gain: -feature_and_gain[1]
    )
    listed = "".join(f"{importance_name}={count}\n" for importance_name, count in features_ranked)
    return f"feature_importances:\n{listed}\nparameters:{tails[0].partition('parameters:')[2]}"
