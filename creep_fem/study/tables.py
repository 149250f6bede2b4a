"""What the command line shows of studies and calibrations."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, stdev

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from creep_fem.study.calibrate import CAVEAT, CalibrationResult
from creep_fem.study.calibration import CalibrationConfig
from creep_fem.study.cases import Case, short_names
from creep_fem.study.config import StudyConfig
from creep_fem.study.effects import Effects, find_base, relative_change
from creep_fem.study.outcome import RunOutcome
from creep_fem.study.rows import StudyRow
from creep_fem.study.sample import fewest_runs
from creep_fem.study.sweep import StudyResult
from creep_fem.units import Dimension

_SEED = "microstructure.packing.seed"


def print_outcome(case: Case, outcome: RunOutcome) -> None:
    """Print one line on a run that has ended or was found."""
    changed = case.variation.varied
    names = short_names(list(changed))
    values = ", ".join(f"{names[key]}={_short(value)}" for key, value in changed.items())
    style = "green" if outcome.done else "red"
    line = Text.assemble((outcome.status.value, style), f"  {values or case.variation.name}")
    if math.isfinite(outcome.seconds):
        line.append(f"  {outcome.seconds:.1f} s", style="dim")
    if outcome.reason:
        line.append(f"\n    {outcome.reason}")
    Console(stderr=True).print(line, soft_wrap=True)


def _short(value: object) -> str:
    if isinstance(value, dict | list):
        return "..."
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def print_study(study: StudyConfig, result: StudyResult) -> None:
    """Print the table of a study, and what its rows have in common.

    With ``one_at_a_time``, changes against the base stand beside the values; where only the seed
    of the packing varies, mean and standard deviation of the finished runs stand below. The
    effects of a sample follow in a table of their own.
    """
    table = Table(title=study.name, title_justify="left")
    table.add_column("case")
    table.add_column("outcome", no_wrap=True)
    for name in study.observables:
        table.add_column(_heading(name, study.observables[name].dimension), justify="right")
    reference = find_base(result.rows)
    for row in result.rows:
        numbers = [
            _compared(name, value, row, reference) for name, value in row.observables.items()
        ]
        ending = Text(row.ending, style="" if row.done else "red")
        table.add_row(row.case.variation.name, ending, *numbers)
    _add_statistics(table, study, result.rows)
    console = Console()
    console.print(table)
    if study.sample is not None:
        _print_effects(console, study, list(study.sample.parameters), result)
    console.print(f"table in {result.table}", soft_wrap=True, highlight=False)
    if result.effects_file is not None:
        console.print(f"effects in {result.effects_file}", soft_wrap=True, highlight=False)


def _compared(name: str, value: float, row: StudyRow, reference: StudyRow | None) -> str:
    if reference is None or row is reference:
        return _number(value)
    change = relative_change(value, reference.observables[name])
    if not math.isfinite(change):
        return _number(value)
    return f"{_number(value)} ({100.0 * change:+.1f} %)"


def _print_effects(
    console: Console, study: StudyConfig, parameters: Sequence[str], result: StudyResult
) -> None:
    """Print what every parameter does to every observable, the strongest first."""
    title = f"{study.name}: change over the whole range of each parameter"
    table = Table(title=title, title_justify="left")
    table.add_column("observable, parameter", overflow="fold")
    for heading in ("change", "95 % interval", "rank correlation"):
        table.add_column(heading, justify="right")
    missing: list[str] = []
    for name, item in result.effects.items():
        if item is None:
            known = sum(row.done and math.isfinite(row.observables[name]) for row in result.rows)
            needed = fewest_runs(len(parameters))
            missing.append(f"{name}: too few finished runs: {known}, at least {needed} are needed")
            continue
        table.add_section()
        table.add_row(_heading(name, study.observables[name].dimension), style="bold")
        _add_effects(table, parameters, item)
    if table.rows:
        console.print(table)
    for line in missing:
        console.print(line, soft_wrap=True, highlight=False)


def _add_effects(table: Table, parameters: Sequence[str], effects: Effects) -> None:
    if not math.isfinite(effects.r_squared):
        table.add_row(f"  {_number(effects.middle)} in all {effects.runs} runs")
        return
    fit = f"R2 {effects.r_squared:.3f}; {effects.runs} runs"
    table.add_row(f"  {_number(effects.middle)} in the middle; {fit}")
    names = short_names(parameters)
    for index in np.argsort(-np.abs(effects.changes)).tolist():
        change, reach = effects.changes[index], effects.reaches[index]
        table.add_row(
            f"  {names[parameters[index]]}",
            f"{change:+.3g}",
            f"{change - reach:+.3g} to {change + reach:+.3g}",
            f"{effects.rank_correlations[index]:+.2f}",
            # What may as well be nothing stands back.
            style="dim" if abs(change) < reach else "",
        )


def _add_statistics(table: Table, study: StudyConfig, rows: Sequence[StudyRow]) -> None:
    done = [row for row in rows if row.done]
    if set(study.vary) != {_SEED} or study.one_at_a_time or len(done) < 2:
        return
    table.add_section()
    statistics: dict[str, Callable[[list[float]], float]] = {
        "mean": fmean,
        "standard deviation": stdev,
    }
    for word, statistic in statistics.items():
        columns = [[row.observables[name] for row in done] for name in study.observables]
        numbers = [_number(statistic(column)) for column in columns]
        table.add_row(word, f"{len(done)} done", *numbers, style="bold")


def print_calibration(calibration: CalibrationConfig, result: CalibrationResult) -> None:
    """Print fitted parameters with their uncertainty, and which targets are met."""
    console = Console()
    console.print(_parameter_table(calibration, result))
    console.print(_target_table(calibration, result))
    met = sum(item.met for item in result.targets.values())
    trust = result.uncertainty
    sizes = ", ".join(f"{value:.3g}" for value in trust.singular_values)
    lines = [
        f"{met} of {len(result.targets)} targets met",
        f"{result.evaluations} runs; {result.fit.message}",
        f"sum of squares {trust.chi_squared:.3g} at {trust.freedom} degrees of freedom",
        f"intervals widened by {trust.inflation:.3g}; singular values {sizes}",
        *_correlations(calibration, result),
        *_warnings(calibration, result),
        CAVEAT,
        f"all numbers in {result.file}",
    ]
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def _parameter_table(calibration: CalibrationConfig, result: CalibrationResult) -> Table:
    table = Table(title=f"{calibration.name}: parameters", title_justify="left")
    table.add_column("parameter", overflow="fold")
    for heading in ("value", "95 % interval", "bounds"):
        table.add_column(heading, no_wrap=True)
    for key, item in result.parameters.items():
        parameter = calibration.parameters[key]
        unit = parameter.dimension.unit
        bounds = (parameter.lower.value, parameter.upper.value)
        interval = interval_text(item.low, item.high, item.at_bound, bounds)
        table.add_row(key, f"{item.value:.4g} {unit}".rstrip(), interval, range_text(*bounds))
    return table


def interval_text(
    low: float | None, high: float | None, at_bound: bool, bounds: Sequence[float]
) -> str:
    """Write the interval of a fitted parameter, or why there is none.

    Args:
        low: Lower end; None if the targets do not determine it.
        high: Upper end, likewise.
        at_bound: Whether the fit has run into a bound.
        bounds: Lower and upper bound, beyond which the interval would go on if it ends there.
    """
    if at_bound:
        return "at its bound"
    if low is None or high is None:
        return "not determined within the bounds"
    lower, upper = bounds
    first = f"the bound {low:.3g}" if low == lower else f"{low:.3g}"
    last = f"the bound {high:.3g}" if high == upper else f"{high:.3g}"
    return f"{first} to {last}"


def range_text(low: float, high: float) -> str:
    """Write two ends with three digits."""
    return f"{low:.3g} to {high:.3g}"


def combination_text(shares: Mapping[str, float]) -> str:
    """Write a combination of parameters by its shares, those of next to nothing left out."""
    return " ".join(f"{share:+.2f} {name}" for name, share in shares.items() if abs(share) >= 0.05)


def _target_table(calibration: CalibrationConfig, result: CalibrationResult) -> Table:
    table = Table(title="targets", title_justify="left")
    for heading in ("target", "value", "fitted", "residual", "met"):
        table.add_column(heading, justify="left" if heading in ("target", "met") else "right")
    for name, item in result.targets.items():
        heading = _heading(name, calibration.targets[name].dimension)
        value = f"{_number(item.value)} +- {item.tolerance:.2g}"
        answer = Text("yes", "green") if item.met else Text(f"no: {item.reason}", "red")
        table.add_row(heading, value, _number(item.fitted), f"{item.residual:+.2f}", answer)
    table.caption = "residuals in tolerances"
    return table


def _correlations(calibration: CalibrationConfig, result: CalibrationResult) -> list[str]:
    keys = list(calibration.parameters)
    names, matrix = short_names(keys), result.uncertainty.correlation
    pairs = [
        f"{names[one]} and {names[other]} {matrix[i, j]:+.2f}"
        for i, one in enumerate(keys)
        for j, other in enumerate(keys)
        if i < j
    ]
    return [f"correlations: {', '.join(pairs)}"] if pairs else []


def _warnings(calibration: CalibrationConfig, result: CalibrationResult) -> list[str]:
    """Combinations of parameters that the targets leave open."""
    names = short_names(list(calibration.parameters))
    return [
        "warning: within the bounds the targets do not determine the combination "
        + combination_text(dict(zip(names.values(), row, strict=True)))
        for row in result.uncertainty.weak.tolist()
    ]


def _heading(name: str, dimension: Dimension) -> str:
    return f"{name} ({dimension.unit})" if dimension.unit else name


def _number(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else "-"
