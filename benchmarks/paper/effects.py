"""What every parameter of a sample does to every observable, as a Markdown table."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.paper.tables import heading_of, number_text, scale_of
from creep_fem.report.tables import markdown_text
from creep_fem.study.cases import short_names
from creep_fem.study.config import StudyConfig
from creep_fem.study.effects import sample_effects
from creep_fem.study.rows import StudyRow


def effects_table(study: StudyConfig, rows: Sequence[StudyRow]) -> str:
    """Changes over the whole range of each parameter, with half widths of their 95 % intervals.

    Args:
        study: A study with a sample.
        rows: Its runs.

    Returns:
        The ranges, the table, and how many runs it rests on.
    """
    if study.sample is None:
        return ""
    parameters = study.sample.parameters
    names = short_names(list(parameters))
    cells = [["observable", "cycle", "in the middle", *names.values(), "R²", "runs"]]
    for name, item in sample_effects(study.sample.positions(), rows).items():
        observable = study.observables[name]
        scale, start = scale_of(observable.column), [heading_of(observable), str(observable.cycle)]
        if item is None:
            cells.append([*start, *["too few runs"] * (len(names) + 3)])
            continue
        changes = [
            f"{scale * change:+.2g} ± {scale * reach:.2g}"
            for change, reach in zip(item.changes.tolist(), item.reaches.tolist(), strict=True)
        ]
        middle = f"{scale * item.middle:.3g}"
        cells.append([*start, middle, *changes, number_text(item.r_squared), str(item.runs)])
    ranges = ", ".join(
        f"`{key}` {item.dimension.format(item.lower.value)} to "
        f"{item.dimension.format(item.upper.value)}"
        for key, item in parameters.items()
    )
    return "\n\n".join([f"Ranges: {ranges}.", markdown_text(cells[0], cells[1:])])
