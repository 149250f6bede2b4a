"""What the parts of the document are written with: runs, figures and where these go."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.paper.runs import Plan, failures, finished, origin, rows
from benchmarks.paper.tables import bullets
from creep_fem.errors import CreepFemError
from creep_fem.report.comparison import report_runs
from creep_fem.report.figures import draw_run
from creep_fem.results.groups import RunGroup, read_groups
from creep_fem.results.targets import NO_TARGETS, Targets
from creep_fem.study.rows import StudyRow

Figures = Mapping[str, str]
"""Captions by the name of a figure, without its ending."""


class MissingFigureError(CreepFemError):
    """A part shows a figure that nothing draws."""


@dataclass(frozen=True)
class Page:
    """One part of the document while it is written.

    Attributes:
        name: Name of the part.
        plans: Its runs, by the name of their file without its ending.
        results: Folder that collects all results of the document.
        document: The document; its figures go to ``images/paper`` beside it.
    """

    name: str
    plans: Mapping[str, Plan]
    results: Path
    document: Path

    def rows(self, source: str) -> list[StudyRow]:
        """Outcomes of all runs of a file."""
        return rows(self.plans[source])

    def finished(self, source: str) -> dict[str, Path]:
        """Folders of the runs of a file that reached their end, by the name of the case."""
        return finished(self.plans[source])

    def groups(self, chosen: Mapping[str, Iterable[Path]]) -> list[RunGroup]:
        """Group run folders by label; labels without a run are left out."""
        texts = {label: ",".join(map(str, folders)) for label, folders in chosen.items()}
        return read_groups([f"{label}={text}" for label, text in texts.items() if text])

    def compared(
        self,
        groups: Sequence[RunGroup],
        figures: Figures,
        targets: Targets = NO_TARGETS,
        table: str | None = None,
    ) -> str:
        """Report groups of runs, and show some of the figures and a table; nothing without groups.

        Args:
            groups: The groups.
            figures: What is shown of the figures.
            targets: Values to compare with.
            table: Name of a table of the report.
        """
        if not groups:
            return ""
        folder = self.results / "report" / self.name
        folder.mkdir(parents=True, exist_ok=True)
        texts = [self._show(report_runs(groups, targets, folder), figures)]
        if table is not None:
            texts.append((folder / f"{table}.md").read_text(encoding="utf-8").strip())
        return "\n\n".join(texts)

    def drawn(self, folder: Path, figures: Figures) -> str:
        """Draw a run and show some of the figures, as far as it came to have them.

        A run that stops before its second swollen end has no maps over the cycles.
        """
        files = draw_run(folder)
        made = {path.stem for path in files}
        return self._show(files, {name: text for name, text in figures.items() if name in made})

    def closing(self) -> str:
        """What did not come to its end, and by what everything was made."""
        found = [row for source in self.plans for row in self.rows(source)]
        folders = [row.outcome.folder for row in found if row.outcome and row.outcome.folder]
        failed = [
            f"`{source}`, {sentence}"
            for source in self.plans
            for sentence in failures(self.rows(source))
        ]
        lines = []
        if failed:
            lines += ["Runs that did not reach their end:", bullets(failed)]
        commands = ", ".join(f"`{plan.command}`" for plan in self.plans.values())
        lines.append(
            f"Made by {commands}: {origin(folders)}. "
            f'Written by `make paper PAPER="--only {self.name}"`.'
        )
        return "\n\n".join(lines)

    def _show(self, files: Sequence[Path], figures: Figures) -> str:
        """Copy figures beside the document; Markdown that shows them, with their captions.

        Raises:
            MissingFigureError: If one was not drawn.
        """
        known = {path.stem: path for path in files if path.suffix == ".png"}
        if unknown := [name for name in figures if name not in known]:
            message = f"{self.name} shows {', '.join(unknown)}, but there are {', '.join(known)}"
            raise MissingFigureError(message)
        folder = self.document.parent / "images" / "paper"
        folder.mkdir(parents=True, exist_ok=True)
        shown = []
        for name, caption in figures.items():
            target = folder / f"{self.name}_{name}.png"
            shutil.copyfile(known[name], target)
            link = target.relative_to(self.document.parent).as_posix()
            shown.append(f"![{caption}]({link})\n\n*{caption}*")
        return "\n\n".join(shown)
