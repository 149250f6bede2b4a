"""Figures of the verification book."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import ufl
from harness import LoadedBody
from incompressible_cases import confined, plain_quadratic, squeeze
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter
from records import Convergence, Report
from shapes import Array

from creep_fem.report.style import BLUE, GREEN, INK, VERMILION, figure_style, new_figure, save

_COLOURS = (BLUE, VERMILION, GREEN, "#E69F00", "#CC79A7", INK)
_MARKERS = "os^Dvx"
_FEW = 5
_DIVISIONS, _IRREGULARITY = 16, 0.25
_PASCAL = 1e9  # in a GPa
_SHOWN = (1.0, 99.0)  # per cent of the points: the singular corner would hide the rest


def draw_convergence(report: Report, path: Path) -> Path:
    """Errors over refinements in column width, one panel for each refined parameter."""
    parameters = list(dict.fromkeys(study.parameter for study in report.convergence))
    with figure_style():
        figure = new_figure(60.0 * len(parameters))
        panels = figure.subplots(len(parameters), squeeze=False)[:, 0]
        for axes, parameter in zip(panels, parameters, strict=True):
            studies = [s for s in report.convergence if s.parameter == parameter]
            _draw_studies(axes, studies)
            _label_sizes(axes, sorted({size for study in studies for size in study.sizes}))
            axes.set_xlabel(parameter)
            axes.set_ylabel("relative error (dimensionless)")
            axes.legend()
        return save(figure, path)


def _label_sizes(axes: Axes, sizes: list[float]) -> None:
    """Label the refinements themselves if they are few, powers of ten otherwise."""
    if len(sizes) <= _FEW:
        axes.set_xticks(sizes, [f"{size:.3g}" for size in sizes])
        axes.xaxis.minorticks_off()
    else:
        axes.xaxis.set_minor_formatter(NullFormatter())


def _draw_studies(axes: Axes, studies: list[Convergence]) -> None:
    """Observed errors, each with a dashed line of the expected slope through its finest one."""
    for index, study in enumerate(studies):
        colour, marker = _COLOURS[index % 6], _MARKERS[index % 6]
        label = f"{study.quantity}: {study.order:.2f} ({study.expected:g})"
        axes.loglog(study.sizes, study.errors, color=colour, marker=marker, label=label)
        sizes, finest = np.array(study.sizes), int(np.argmin(study.sizes))
        slope = study.errors[finest] * (sizes / sizes[finest]) ** study.expected
        axes.loglog(sizes, slope, color=colour, linestyle="--", linewidth=0.6)


def draw_pressure(path: Path) -> Path:
    """Pressure at every integration point of the squeezed block."""
    body = squeeze(_DIVISIONS, _IRREGULARITY).body
    pressure = body.point_values().pressure.ravel()
    with figure_style():
        figure = new_figure(75.0)
        low, high = np.percentile(pressure, _SHOWN)
        _draw_points(figure.subplots(), body, pressure, (float(low), float(high)), "GPa")
        return save(figure, path)


def draw_confined(path: Path) -> Path:
    """Pressure of the flow in a box on regular triangles: the package's element, and plain P2."""
    solved = confined(_DIVISIONS, 0.0)
    fields = {
        "P2 with bubbles": solved.body.point_values().pressure.ravel(),
        "plain P2": solved.body.at_points(plain_quadratic(solved)).ravel(),
    }
    exact = _PASCAL * solved.body.at_points(solved.pressure).ravel()
    with figure_style():
        figure = new_figure(125.0)
        panels = figure.subplots(len(fields))
        for axes, (name, pressure) in zip(panels, fields.items(), strict=True):
            limits = (float(exact.min()), float(exact.max()))
            _draw_points(axes, solved.body, _PASCAL * pressure, limits, "Pa")
            axes.set_title(name)
        return save(figure, path)


def _draw_points(
    axes: Axes, body: LoadedBody, pressure: Array, limits: tuple[float, float], unit: str
) -> None:
    """A dot at every integration point, coloured between the limits."""
    places = body.at_points(ufl.SpatialCoordinate(body.mesh) + body.displacement)
    x, y = places.reshape(-1, 2).T
    low, high = limits
    dots = axes.scatter(x, y, 14.0, pressure, linewidths=0, cmap="cividis", vmin=low, vmax=high)
    axes.figure.colorbar(dots, ax=axes, label=f"pressure in {unit}", extend="both")
    axes.set(xlabel="x in um", ylabel="y in um", aspect="equal")
