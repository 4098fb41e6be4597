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
        head, trees, tail = _parts(text)
        heads.append(head)
        blocks += [_shared(tree, len(texts)) if len(texts) > 1 else tree for tree in trees]
        tails.append(tail)
    blocks = [f"Tree={number}\n{block}" for number, block in enumerate(blocks)]
    sizes = " ".join(str(len(block.encode())) for block in blocks)
    head = re.sub(r"^tree_sizes=.*$", f"tree_sizes={sizes}", heads[0], flags=re.MULTILINE)
    return head + "".join(blocks) + "end of trees\n\n" + _tail(tails)


def leaves_of(text: str) -> int:
    """The leaves of all trees of a text."""
    return sum(int(count) for count in re.findall(r"^num_leaves=(\d+)$", text, re.MULTILINE))


def _parts(text: str) -> tuple[str, list[str], str]:
    """(everything before the first tree, each tree without its number, what follows)."""
    body, _, tail = _THREADS.sub("", text).partition("end of trees\n\n")
    head, *trees = _TREE.split(body)
    return head, trees, tail


def _shared(tree: str, size: int) -> str:
    def divide(found: re.Match[str]) -> str:
        values = " ".join(repr(float(value) / size) for value in found[2].split())
        return f"{found[1]}={values}"

    shared = _VALUES.sub(divide, tree)
    return _SHRINKAGE.sub(lambda found: f"shrinkage={float(found[1]) / size!r}", shared)


def _tail(tails: Sequence[str]) -> str:
    """The counts of splits added up, most first, and the parameters of the first."""
    counts: dict[str, int] = {}
    for tail in tails:
        for name, count in re.findall(r"^(\S+)=(\d+)$", tail.partition("parameters:")[0], re.M):
            counts[name] = counts.get(name, 0) + int(count)
    ranked = sorted(counts.items(), key=lambda pair: -pair[1])
    listed = "".join(f"{name}={count}\n" for name, count in ranked)
    return f"feature_importances:\n{listed}\nparameters:{tails[0].partition('parameters:')[2]}"
