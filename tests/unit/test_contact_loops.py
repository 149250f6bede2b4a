"""Compiled loops of contact that stand for themselves."""

from __future__ import annotations

import numpy as np

from creep_fem.contact import loops


def test_largest_norm_hides_no_vector_that_is_none() -> None:
    assert loops.largest_norm(np.empty((0, 2))) == 0.0
    assert loops.largest_norm(np.array([[0.0, 1.0], [3.0, -4.0], [2.0, 2.0]])) == 5.0
    for place in range(3):
        vectors = np.ones((3, 2))
        vectors[place, 1] = np.nan
        assert np.isnan(loops.largest_norm(vectors))
