"""Runs all cases and writes docs/verification.md with its figures: ``make verify``."""

from __future__ import annotations

import sys
from pathlib import Path

from book_figures import draw_confined, draw_convergence, draw_pressure
from book_page import page, verdict
from incompressible_cases import confined_flow, squeezed_block
from outcomes import Outcome, run_all
from ranks import RANKS, differences_on, numbers
from records import CASES

DOCS = Path(__file__).parents[2] / "docs"
FOLDER = DOCS / "verification"


def main() -> int:
    """Write the book; 1 if anything in it is not as expected."""
    outcomes = run_all()
    limits = {case.name: case.rank_limit for case in CASES}
    serial = {o.name: numbers(o.report) for o in outcomes if o.report and o.name in limits}
    differences = {ranks: differences_on(ranks, serial) for ranks in RANKS}
    text = page(outcomes, _draw(outcomes), differences, limits)
    (DOCS / "verification.md").write_text(text, encoding="utf-8")
    problems = [f"{o.name}: {verdict(o)}" for o in outcomes if not o.as_expected]
    problems += [
        f"{name}: differs by {difference:.1e} on {ranks} processes"
        for ranks, found in differences.items()
        for name, difference in found.items()
        if not difference <= limits[name].tolerance
    ]
    sys.stderr.writelines(f"{problem}\n" for problem in problems)
    return 1 if problems else 0


def _draw(outcomes: list[Outcome]) -> dict[str, list[str]]:
    """Draw afresh; the figures of each case that has some, relative to the page."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.png"):
        old.unlink()
    figures = {
        outcome.name: [draw_convergence(outcome.report, FOLDER / f"{outcome.name}.png")]
        for outcome in outcomes
        if outcome.report is not None and outcome.report.convergence
    }
    # the fields behind the numbers of these cases
    for shown, draw, name in (
        (squeezed_block, draw_pressure, "pressure_field.png"),
        (confined_flow, draw_confined, "confined_pressure.png"),
    ):
        figures.setdefault(shown.__name__, []).append(draw(FOLDER / name))
    return {
        name: [f"{FOLDER.name}/{path.name}" for path in paths] for name, paths in figures.items()
    }


if __name__ == "__main__":
    sys.exit(main())
