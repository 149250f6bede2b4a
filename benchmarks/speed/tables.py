"""What was measured, as tables and plots."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.speed.extrapolation import seconds as _system

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Row = dict[str, Any]
"""A measured run: its name and the entries of ``march.Measured``."""


def _limit(row: Row) -> float:
    """Seconds that as many plain Newton iterations take."""
    return float(row["iterations"] * sum(row["bare"].values()))


def _limit_with_chords(row: Row) -> float:
    """The same with the residuals and solutions of the chord iterations."""
    bare = row["bare"]
    return _limit(row) + float(row["chord_iterations"] * (bare["residual"] + bare["solve"]))


def _rest(row: Row) -> float:
    return float(row["march"] - sum(row["phases"].values()))


def _algebra(row: Row) -> float:
    """Seconds for analyses, factorisations and solutions."""
    return float(sum(seconds for _, seconds in row["operations"].values()))


def _an_iteration(row: Row, seconds: float) -> str:
    return f"{seconds / row['iterations']:.3f}"


Columns = Mapping[str, Callable[[Row], str]]
"""What a table shows of a run, by the name of the column."""

LIMITS: Columns = {
    "run": lambda row: row["name"],
    "ranks": lambda row: str(row["ranks"]),
    "dofs (nodal)": lambda row: f"{row['dofs']} ({row['nodal_dofs']})",
    "steps (rejected)": lambda row: f"{row['steps']} ({row['rejected']})",
    "iterations (chord)": lambda row: f"{row['iterations']} ({row['chord_iterations']})",
    "median a step": lambda row: f"{row['median_iterations']:g}",
    "time steps in s": lambda row: f"{row['march']:.1f}",
    "bare iteration in ms": lambda row: " + ".join(f"{1e3 * s:.1f}" for s in row["bare"].values()),
    "time over bare": lambda row: f"{row['march'] / _limit(row):.2f}",
    "chords counted": lambda row: f"{row['march'] / _limit_with_chords(row):.2f}",
    "contact": lambda row: f"{row['phases']['contact'] / row['march']:.1%}",
    "the rest": lambda row: f"{_rest(row) / row['march']:.1%}",
    "command to first step in s": lambda row: f"{row['until_first_step']:.1f}",
}

GROWTH: Columns = {
    "particles": lambda row: str(row["particles"]),
    "ranks": lambda row: str(row["ranks"]),
    "dofs": lambda row: str(row["dofs"]),
    "packing in s": lambda row: f"{row['packing']:.1f}",
    "meshing in s": lambda row: f"{row['meshing']:.1f}",
    "steps": lambda row: str(row["steps"]),
    "iterations a step": lambda row: f"{row['iterations'] / row['steps']:.1f}",
    "s an iteration": lambda row: _an_iteration(row, row["march"]),
    "of these MUMPS": lambda row: _an_iteration(row, _algebra(row)),
    "others": lambda row: _an_iteration(row, row["march"] - _algebra(row)),
    "MiB": lambda row: f"{row['memory']:.0f}",
    "KiB a dof": lambda row: f"{1024.0 * row['memory'] / row['dofs']:.1f}",
}


def _solved(name: str) -> Callable[[Row], str]:
    """Cell with set-up and solution of a solver."""

    def cell(row: Row) -> str:
        solved = row["solvers"][name]
        return f"{solved['set_up']:.3f} + {solved['solve']:.3f}"

    return cell


def _held(name: str) -> Callable[[Row], str]:
    """Cell with what a solver holds, the matrix included."""
    return lambda row: f"{row['solvers'][name]['memory'] / row['dofs']:.0f}"


def _ratio(row: Row) -> float:
    return _system(row, "direct") / _system(row, "iterative")


SOLVERS: Columns = {
    "nominal packing": lambda row: row["name"],
    "particles": lambda row: str(row["particles"]),
    "ranks": lambda row: str(row["ranks"]),
    "dofs": lambda row: str(row["dofs"]),
    "contacts": lambda row: str(row["touching"]),
    "shift in GPa": lambda row: f"{row['shift']:g}",
    "direct in s": _solved("direct"),
    "iterative in s": _solved("iterative"),
    "iterations": lambda row: str(row["solvers"]["iterative"]["iterations"]),
    "to 1e-6 in s": _solved("iterative, 1e-6"),
    "iterations to 1e-6": lambda row: str(row["solvers"]["iterative, 1e-6"]["iterations"]),
    "direct over iterative": lambda row: f"{_ratio(row):.2f}",
    "direct, bytes a dof": _held("direct"),
    "iterative, bytes a dof": _held("iterative"),
}


def lines(rows: Sequence[Row], columns: Columns) -> list[list[str]]:
    """The table as lines of cells; the first line is the header."""
    return [list(columns), *([cell(row) for cell in columns.values()] for row in rows)]


def fastest(rows: Sequence[Row]) -> list[Row]:
    """Of runs that were measured several times the fastest one, in the order of the first ones."""
    best: dict[tuple[str, int], Row] = {}
    for row in rows:
        key = row["name"], row["ranks"]
        best[key] = min(best[key], row, key=itemgetter("march")) if key in best else row
    return list(best.values())


def growth_law(rows: Sequence[Row]) -> list[str]:
    """Powers of the number of dofs that times and memory grow with on one rank, as sentences."""
    serial = [row for row in rows if row["ranks"] == 1]
    if len({row["dofs"] for row in serial}) < 2:
        return []
    seconds = _exponent(serial, [row["march"] / row["iterations"] for row in serial])
    memory = _exponent(serial, [row["memory"] for row in serial])
    times, held = f"dofs^{seconds:.2f}", f"dofs^{memory:.2f}"
    return [f"- Time of an iteration ~ {times}, memory ~ {held}: one rank, fitted to all rows."]


def _exponent(rows: Sequence[Row], values: Sequence[float]) -> float:
    dofs = np.log([row["dofs"] for row in rows])
    return float(np.polyfit(dofs, np.log(values), 1)[0])


def speed_up(rows: Sequence[Row]) -> list[str]:
    """What a second process brings to runs that take the same iterations, a sentence each.

    Last comes how many times as fast it would be if all else took half as long, and MUMPS's
    operations as much less time as those of the run on one process do when they are timed bare.
    """
    pairs = [
        (one, two)
        for one in rows
        for two in rows
        if (one["ranks"], two["ranks"]) == (1, 2)
        and all(one[key] == two[key] for key in ("name", "iterations", "chord_iterations"))
    ]
    return [_second_process(one, two) for one, two in pairs]


def _second_process(one: Row, two: Row) -> str:
    algebra = [_algebra(row) for row in (one, two)]
    others = [row["march"] - part for row, part in zip((one, two), algebra, strict=True)]
    bare = [_bare_algebra(row, one) for row in (one, two)]
    possible = one["march"] / (0.5 * others[0] + algebra[0] * bare[1] / bare[0])
    return (
        f"- {one['name']}, two processes against one: MUMPS alone, with all its analyses,"
        f" factorisations and solutions, {bare[0] / bare[1]:.2f} times as fast; all else"
        f" {others[0] / others[1]:.2f} times; the whole {one['march'] / two['march']:.2f} times,"
        f" {possible:.2f} if all else took half as long and MUMPS's operations no more than alone."
    )


def _bare_algebra(row: Row, counted: Row) -> float:
    """Seconds of as many operations as counted in a run if all took as long as a row's bare ones.

    Analyses are few, each for a pattern of its own, and are taken as they were.
    """
    _, analyses = row["operations"]["analyse"]
    repeated = (
        counted["operations"][name][0] * row["bare"][name] for name in ("factorise", "solve")
    )
    return float(analyses + sum(repeated))


def draw_limits(rows: Sequence[Row], path: Path) -> None:
    """Bars of the phases in units of the bare iterations, chords counted, to a PNG file."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 1.2 + 0.3 * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    left = np.zeros(len(rows))
    names = [f"{row['name']}, {row['ranks']} rank" + "s" * (row["ranks"] > 1) for row in rows]
    phases = list(rows[0]["phases"])
    parts = [[row["phases"][phase] for row in rows] for phase in phases]
    parts.append([_rest(row) for row in rows])
    for name, part in zip([*phases, "everything else"], parts, strict=True):
        width = np.array(part) / [_limit_with_chords(row) for row in rows]
        axes.barh(names, width, left=left, label=name)
        left += width
    axes.axvline(1.0, color="black", linewidth=0.8)
    axes.invert_yaxis()
    axes.set_xlabel("time over bare iterations, chords counted")
    axes.tick_params(labelsize=7)
    figure.legend(fontsize=7, loc="outside lower center", ncols=6)
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
        algebra = [_algebra(row) / row["iterations"] for row in chosen]
        plural = "s" if ranks > 1 else ""
        axes.plot(dofs, total, f"{marker}-", label=f"all, {ranks} rank{plural}")
        axes.plot(dofs, algebra, f"{marker}--", label=f"MUMPS, {ranks} rank{plural}")
    _scale(axes, rows, "s an iteration")
    axes.legend(fontsize=7)
    figure.savefig(path, dpi=200)


def draw_solvers(rows: Sequence[Row], path: Path) -> None:
    """Time for one system over the number of dofs, to a PNG file."""
    from matplotlib.figure import Figure

    rows = [row for row in rows if "fine" not in row["name"]]
    figure = Figure(figsize=(5.2, 3.2), layout="constrained")
    axes = figure.add_subplot()
    for name, colour in zip(rows[0]["solvers"], ("C0", "C1", "C2"), strict=True):
        for ranks, style in ((1, "o-"), (2, "s--")):
            chosen = [row for row in rows if row["ranks"] == ranks]
            if chosen:
                times = [_system(row, name) for row in chosen]
                label = f"{name}, {ranks} rank" + "s" * (ranks > 1)
                axes.plot([r["dofs"] for r in chosen], times, style, color=colour, label=label)
    _scale(axes, rows, "s for one system")
    axes.legend(fontsize=7)
    figure.savefig(path, dpi=200)


def _scale(axes: Axes, rows: Sequence[Row], label: str) -> None:
    """Logarithmic axes, with ticks at the dofs that were measured, as decades are too few."""
    dofs = sorted({row["dofs"] for row in rows})
    axes.set(xscale="log", yscale="log", xlabel="displacement dofs", ylabel=label)
    axes.set_xticks([], minor=True)
    axes.set_xticks(dofs, [f"{count / 1000:.3g}k" for count in dofs])
