"""Which parameter moves which observable: linear regression over a sample, changes from a base."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from creep_fem.results.table import csv_text
from creep_fem.study.config import BASE
from creep_fem.study.fit import CONFIDENCE
from creep_fem.study.observable import Observable
from creep_fem.study.rows import StudyRow
from creep_fem.study.sample import fewest_runs

Array = NDArray[np.float64]

_CONSTANT = 1e-12
"""Relative spread of an observable below which nothing moves it."""


@dataclass(frozen=True)
class Effects:
    """What moves one observable, in its unit.

    Attributes:
        middle: Value of the fit in the middle of all ranges.
        changes: Change over the whole range of each parameter, shape (parameters,).
        reaches: Half widths of the 95 % intervals of the changes, shape (parameters,).
        rank_correlations: Spearman's coefficients, shape (parameters,); NaN if the observable is
            constant.
        r_squared: Share of the variance that the linear fit explains; NaN likewise.
        runs: Finished runs that it rests on.
    """

    middle: float
    changes: Array
    reaches: Array
    rank_correlations: Array
    r_squared: float
    runs: int


def regress(positions: Array, values: Array) -> Effects | None:
    """Fit an observable by least squares, linearly in the positions of the parameters.

    The intervals are those of ordinary least squares, with Student's t.

    Args:
        positions: Positions between the bounds, shape (runs, parameters).
        values: The observable, shape (runs,); runs in which it is not finite do not count.

    Returns:
        The effects; None if there are too few runs to tell them apart.
    """
    from scipy.stats import spearmanr, t

    known = np.isfinite(values)
    x, y = positions[known], values[known]
    runs, parameters = x.shape
    if runs < fewest_runs(parameters):
        return None
    design = np.column_stack([np.ones(runs), x - 0.5])
    found, _, rank, _ = np.linalg.lstsq(design, y, rcond=None)
    if rank <= parameters:
        return None
    freedom = runs - parameters - 1
    squares = float(np.sum((y - design @ found) ** 2))
    covariance = squares / freedom * np.linalg.inv(design.T @ design)
    reaches = t.ppf(0.5 + 0.5 * CONFIDENCE, freedom) * np.sqrt(np.diag(covariance))
    correlations, r_squared = np.full(parameters, np.nan), math.nan
    if np.ptp(y) > _CONSTANT * np.max(np.abs(y)):
        correlations = np.array([spearmanr(column, y).statistic for column in x.T])
        r_squared = 1.0 - squares / float(np.sum((y - np.mean(y)) ** 2))
    return Effects(float(found[0]), found[1:], reaches[1:], correlations, r_squared, runs)


def sample_effects(positions: Array, rows: Sequence[StudyRow]) -> dict[str, Effects | None]:
    """Find what moves the observables of a sample.

    Args:
        positions: The sample, shape (runs, parameters).
        rows: Its runs in the same order, of which those that are done count.

    Returns:
        Effects by observable; None where too few runs are done.
    """
    done = np.array([row.done for row in rows])
    return {
        name: regress(positions[done], np.array([row.observables[name] for row in rows])[done])
        for name in rows[0].observables
    }


def find_base(rows: Sequence[StudyRow]) -> StudyRow | None:
    """The run that the others are compared with; None if the study has none."""
    return next((row for row in rows if row.case.variation.name == BASE), None)


def relative_change(value: float, base: float) -> float:
    """Change of a value in parts of the size of its base, positive for a rise; NaN without one."""
    return (value - base) / abs(base) if base != 0.0 else math.nan


def effects_text(
    effects: Mapping[str, Effects | None],
    parameters: Sequence[str],
    observables: Mapping[str, Observable],
) -> str:
    """Write effects over a sample as CSV, one line per observable and parameter."""
    columns = ["observable", "unit", "parameter", "change", "interval_low", "interval_high"]
    columns += ["rank_correlation", "middle", "r_squared", "runs"]
    lines: list[list[object]] = []
    for name, item in effects.items():
        if item is None:
            continue
        unit = observables[name].dimension.unit
        for index, key in enumerate(parameters):
            change, reach = float(item.changes[index]), float(item.reaches[index])
            correlation = float(item.rank_correlations[index])
            interval = (change - reach, change + reach)
            fit = (item.middle, item.r_squared, item.runs)
            lines.append([name, unit, key, change, *interval, correlation, *fit])
    return csv_text(columns, lines)


def changes_text(
    rows: Sequence[StudyRow], base: StudyRow, observables: Mapping[str, Observable]
) -> str:
    """Write the changes against a base as CSV, one line per case and observable."""
    columns = ["case", "outcome", "observable", "unit", "value", "change", "relative_change"]
    lines: list[list[object]] = []
    for row in rows:
        for name, value in row.observables.items():
            reference = base.observables[name]
            changes = (value - reference, relative_change(value, reference))
            unit = observables[name].dimension.unit
            lines.append([row.case.variation.name, row.ending, name, unit, value, *changes])
    return csv_text(columns, lines)
