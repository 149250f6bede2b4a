"""Which discs are near each other, without looking at every pair."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ROUNDING = 1e-9
"""Share by which the search reaches farther than asked for, so that rounding loses no pair."""


def close_pairs(
    centres: NDArray[np.float64], radius: NDArray[np.float64], gap: float
) -> NDArray[np.int64]:
    """Finds all pairs of discs whose gap is at most the given one.

    Args:
        centres: (n, 2) centres in um.
        radius: (n,) radii in um.
        gap: Largest gap in um; pairs that exceed it by rounding only may be among those found.

    Returns:
        (p, 2) indices i < j of the discs, sorted by i, then by j.
    """
    if len(radius) < 2:
        return np.empty((0, 2), dtype=np.int64)
    # The check of a config comes by here, and not all of them have a layout.
    from scipy.spatial import KDTree

    largest = (2.0 * float(radius.max()) + gap) * (1.0 + _ROUNDING)
    pairs = KDTree(centres).query_pairs(max(largest, 0.0), output_type="ndarray")
    first, second = pairs.T
    offset = centres[first] - centres[second]
    reach = (radius[first] + radius[second] + gap) * (1.0 + _ROUNDING)
    near = np.sqrt(offset[:, 0] ** 2 + offset[:, 1] ** 2) <= reach
    order = np.lexsort((second[near], first[near]))
    return np.asarray(pairs[near][order], dtype=np.int64)
