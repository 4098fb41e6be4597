"""The rule for small numbers, worked out plainly."""

from __future__ import annotations

from collections.abc import Mapping

FEW = ", with fewer than 10 accounts, or because such a group could be worked out from them: "


def not_shown(sizes: Mapping[str, int]) -> set[str]:
    """Of groups by how many accounts they hold, those of which no figures are shown."""
    left = sorted((size, group) for group, size in sizes.items() if size)
    hidden: list[tuple[int, str]] = []
    while left and (
        left[0][0] < 10 or (hidden and (len(hidden) == 1 or sum(n for n, _ in hidden) < 10))
    ):
        hidden.append(left.pop(0))
    return {group for _, group in hidden}
