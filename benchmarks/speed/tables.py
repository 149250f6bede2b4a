"""What was measured, as tables and plots."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

Row = dict[str, Any]
"""A measured run: its name and the entries of ``march.Measured``."""


def _limit(row: Row) -> float:
    return float(row["iterations"] * sum(row["bare"].values()))


def limits(rows: Sequence[Row]) -> list[list[str]]:
    """Runs against the linear algebra that they cannot do without; the first row is the header."""
    header = [
        *("run", "ranks", "dofs (nodal)", "steps (rejected)", "iterations", "median a step"),
        *("time steps in s", "bare iteration in ms", "time over bare", "contact", "the rest"),
    ]
    lines = [header]
    for row in rows:
        phases, march = row["phases"], row["march"]
        rest = march - sum(phases.values())
        lines.append(
            [
                row["name"],
                str(row["ranks"]),
                f"{row['dofs']} ({row['nodal_dofs']})",
                f"{row['steps']} ({row['rejected']})",
                str(row["iterations"]),
                f"{row['median_iterations']:g}",
                f"{march:.1f}",
                " + ".join(f"{1e3 * seconds:.1f}" for seconds in row["bare"].values()),
                f"{march / _limit(row):.2f}",
                f"{phases['contact'] / march:.1%}",
                f"{rest / march:.1%}",
            ]
        )
    return lines


def growth(rows: Sequence[Row]) -> list[list[str]]:
    """Cost over the number of particles; the first row is the header."""
    header = [
        *(
            "particles",
            "ranks",
            "dofs",
            "packing in s",
            "meshing in s",
            "steps",
            "iterations a step",
        ),
        *("s an iteration", "of these factorise and solve", "others", "MiB", "KiB a dof"),
    ]
    lines = [header]
    for row in rows:
        phases, count = row["phases"], row["iterations"]
        algebra = (phases["factorise"] + phases["solve"]) / count
        lines.append(
            [
                str(row["particles"]),
                str(row["ranks"]),
                str(row["dofs"]),
                f"{row['packing']:.1f}",
                f"{row['meshing']:.1f}",
                str(row["steps"]),
                f"{count / row['steps']:.1f}",
                f"{row['march'] / count:.3f}",
                f"{algebra:.3f}",
                f"{row['march'] / count - algebra:.3f}",
                f"{row['memory']:.0f}",
                f"{1024.0 * row['memory'] / row['dofs']:.1f}",
            ]
        )
    return lines


def exponent(rows: Sequence[Row]) -> float:
    """Power of the number of dofs that the time of an iteration grows with, on one rank."""
    serial = [row for row in rows if row["ranks"] == 1]
    dofs = np.log([row["dofs"] for row in serial])
    seconds = np.log([row["march"] / row["iterations"] for row in serial])
    return float(np.polyfit(dofs, seconds, 1)[0])


def markdown(lines: Sequence[Sequence[str]]) -> str:
    """A table whose first row is the header."""
    header, *rows = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([header, "| " + " | ".join(["---"] * len(lines[0])) + " |", *rows])


def draw_limits(rows: Sequence[Row], path: Path) -> None:
    """Bars of the phases in units of the bare linear algebra, to a PNG file."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 0.6 + 0.45 * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    left = np.zeros(len(rows))
    names = [f"{row['name']}, {row['ranks']} rank" + "s" * (row["ranks"] > 1) for row in rows]
    phases = list(rows[0]["phases"])
    parts = [[row["phases"][phase] for row in rows] for phase in phases]
    parts.append([row["march"] - sum(row["phases"].values()) for row in rows])
    for name, part in zip([*phases, "everything else"], parts, strict=True):
        width = np.array(part) / [_limit(row) for row in rows]
        axes.barh(names, width, left=left, label=name)
        left += width
    axes.axvline(1.0, color="black", linewidth=0.8)
    axes.invert_yaxis()
    axes.set_xlabel("time steps over iterations times a bare one")
    axes.tick_params(labelsize=7)
    axes.legend(fontsize=6)
    figure.savefig(path, dpi=200)


def draw_growth(rows: Sequence[Row], path: Path) -> None:
    """Time of an iteration over the number of dofs, to a PNG file."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 3.2), layout="constrained")
    axes = figure.add_subplot()
    for ranks, marker in ((1, "o"), (2, "s")):
        chosen = [row for row in rows if row["ranks"] == ranks]
        if not chosen:
            continue
        dofs = [row["dofs"] for row in chosen]
        total = [row["march"] / row["iterations"] for row in chosen]
        algebra = [
            (row["phases"]["factorise"] + row["phases"]["solve"]) / row["iterations"]
            for row in chosen
        ]
        plural = "s" if ranks > 1 else ""
        axes.plot(dofs, total, f"{marker}-", label=f"all, {ranks} rank{plural}")
        axes.plot(dofs, algebra, f"{marker}--", label=f"factorise and solve, {ranks} rank{plural}")
    axes.set(xscale="log", yscale="log", xlabel="displacement dofs", ylabel="s an iteration")
    axes.legend(fontsize=7)
    figure.savefig(path, dpi=200)
