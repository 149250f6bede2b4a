"""Shows how far a run is: a bar on a terminal, lines in the log."""

from __future__ import annotations

import logging

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from creep_fem.units import SECONDS_PER_HOUR

logger = logging.getLogger(__name__)


class RunProgress:
    """Follows a run over its simulated time.

    Every step becomes one log message. The bar appears on standard error only if it is wanted and
    that is a terminal, so that job logs stay free of it.
    """

    def __init__(self, total_time: float, enabled: bool, console: Console | None = None) -> None:
        """Show the bar.

        Args:
            total_time: Simulated time of the whole run in s.
            enabled: Whether a bar is wanted: on one rank and not for a quiet run.
            console: Where the bar is drawn; standard error if not given.
        """
        console = console or Console(stderr=True)
        self._total_time = total_time
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=console,
            refresh_per_second=4,
            disable=not (enabled and console.is_terminal),
        )
        self._task = self._progress.add_task("cycle 1", total=total_time)
        self._progress.start()

    def update(self, time: float, cycle: int, soc: float, dt: float, iterations: int) -> None:
        """Report an accepted time step.

        Args:
            time: Time at the end of the step in s.
            cycle: Number of the cycle, counted from 1.
            soc: State of charge, 0 to 1.
            dt: Size of the step in s.
            iterations: Newton iterations of the step.
        """
        text = f"cycle {cycle}  soc {soc:.3f}  dt {dt:.3g} s  {iterations} iterations"
        self._progress.update(self._task, completed=time, description=text)
        logger.info(
            "t = %.4g h of %.4g h  %s",
            time / SECONDS_PER_HOUR,
            self._total_time / SECONDS_PER_HOUR,
            text,
        )

    def close(self) -> None:
        """Leave the bar as it stands."""
        self._progress.stop()
