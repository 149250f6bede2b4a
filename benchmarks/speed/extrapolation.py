"""What the measured growth of solvers and set-up means for packings too large to measure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any

import numpy as np

Row = dict[str, Any]
"""A measured comparison: its name and the entries of ``solvers.Compared``."""

TARGET = 1e8  # dofs
DOFS_A_RANK = 200_000.0  # with this many per process
_GIB = 1024.0**3


@dataclass(frozen=True)
class Power:
    """A law factor * dofs^exponent."""

    factor: float
    exponent: float

    def beyond(self, dofs: float, largest: float, measured: float) -> float:
        """Value at more dofs than measured: from the largest measurement on, at least linear.

        An exponent below one shows overheads of the small packings, which do not last.
        """
        return float(measured * (dofs / largest) ** max(self.exponent, 1.0))

    def __call__(self, dofs: float) -> float:
        """Value at a number of dofs."""
        return float(self.factor * dofs**self.exponent)

    @classmethod
    def fit(cls, rows: Sequence[Row], value: Callable[[Row], float]) -> Power:
        """Least squares in logarithms over rows of different size."""
        dofs, values = (np.log([float(v) for v in c]) for c in (map(_dofs, rows), map(value, rows)))
        exponent, constant = np.polyfit(dofs, values, 1)
        return cls(float(np.exp(constant)), float(exponent))


def _dofs(row: Row) -> float:
    return float(row["dofs"])


def seconds(row: Row, name: str) -> float:
    """Seconds for one system: set-up for new values and solution."""
    solved = row["solvers"][name]
    return float(solved["set_up"] + solved["solve"])


def memory(row: Row, name: str) -> float:
    """Bytes that a solver holds, the matrix included."""
    return float(row["solvers"][name]["memory"])


def serial(rows: Sequence[Row]) -> list[Row]:
    """Rows of one process and the same mesh size, by dofs: those a law can be fitted to."""
    chosen = [row for row in rows if row["ranks"] == 1 and "fine" not in row["name"]]
    return sorted(chosen, key=_dofs)


def crossover(rows: Sequence[Row]) -> float | None:
    """Smallest measured dofs from which on the iterative solver is the faster one, if any."""
    found = None
    for row in reversed(serial(rows)):
        if seconds(row, "iterative") >= seconds(row, "direct"):
            break
        found = _dofs(row)
    return found


def sentences(rows: Sequence[Row]) -> list[str]:
    """Lines that say where the iterative solver wins and what the laws give for TARGET dofs."""
    chosen = serial(rows)
    if len(chosen) < 2:
        return []
    first = crossover(rows)
    won = f"from {first:.3g} dofs on" if first is not None else "at none of these sizes"
    iterations = max(row["solvers"]["iterative, 1e-6"]["iterations"] for row in rows)
    first_line = (
        f"On one process and the coarser mesh the iterative solver is the faster one {won}; all"
        f" systems take it at most {iterations} iterations to 1e-6. Laws fitted to the same rows,"
        f" continued to {TARGET:.0e} dofs on {TARGET / DOFS_A_RANK:.0f} processes:"
    )
    return [first_line, "", *_at_target(chosen)]


def _continued(chosen: Sequence[Row], value: Callable[[Row], float]) -> tuple[float, float]:
    """Exponent of the fitted law, and its continuation to TARGET dofs."""
    law, largest = Power.fit(chosen, value), chosen[-1]
    return law.exponent, law.beyond(TARGET, _dofs(largest), value(largest))


def _at_target(chosen: Sequence[Row]) -> list[str]:
    largest, ranks = chosen[-1], TARGET / DOFS_A_RANK
    lines = []
    for name in ("direct", "iterative"):
        exponent, time = _continued(chosen, partial(seconds, name=name))
        _, held = _continued(chosen, partial(memory, name=name))
        lines.append(
            f"- {name}: dofs^{exponent:.2f}, {time:.3g} s on one process,"
            f" {time / ranks:.2g} s at perfect scaling; {held / TARGET:.3g} bytes a"
            f" dof with the matrix, {held / ranks / _GIB:.2g} GiB a process."
        )
    motions = 6.0 * TARGET * largest["particles"] / largest["dofs"]
    _, solve = _continued(chosen, lambda row: row["solvers"]["iterative"]["motions_solve"])
    replicated = TARGET * largest["replicated"] / largest["dofs"]
    lines.append(
        f"- motions of bodies: {motions:.3g}; their system takes {solve:.2g} s an iteration on one"
        " process."
    )
    lines.append(f"- held by every process: mesh and surfaces, {replicated / _GIB:.2g} GiB.")
    (packed, packing), (meshed, meshing) = (
        _continued(chosen, itemgetter(stage)) for stage in ("packing", "meshing")
    )
    lines.append(
        f"- on one process: packing {packing / 3600.0:.2g} h (dofs^{packed:.2f}),"
        f" meshing {meshing / 3600.0:.2g} h (dofs^{meshed:.2f})."
    )
    lines.append("- where the exponent is below one, the continuation is linear.")
    return lines
