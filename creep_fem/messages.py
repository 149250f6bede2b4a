"""What the command line shows beyond a line of text: errors and tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from creep_fem.errors import ConfigError, CreepFemError, Problem
from creep_fem.materials import Cited, CitedCreep, LibraryMaterial
from creep_fem.units import MOLAR_ENERGY, NUMBER, RATE, STRESS, TEMPERATURE, Dimension

_DIMENSIONS: dict[str, Dimension] = {
    "young_modulus": STRESS,
    "poisson_ratio": NUMBER,
    "volume_change": NUMBER,
    "creep.rate": RATE,
    "creep.reference_stress": STRESS,
    "creep.exponent": NUMBER,
    "creep.reference_temperature": TEMPERATURE,
    "creep.activation_energy": MOLAR_ENERGY,
}


def print_notes(notes: Sequence[str]) -> None:
    """Print remarks on the input to standard error, one a line."""
    console = Console(stderr=True)
    for note in notes:
        _print_line(console, Text.assemble(("note: ", "bold"), note))


def print_error(error: CreepFemError) -> None:
    """Print an error to standard error; each problem of the input gets a block of its own."""
    console = Console(stderr=True)
    if not isinstance(error, ConfigError):
        _print_line(console, Text.assemble(("error: ", "bold red"), str(error)))
        return
    count = len(error.problems)
    title = f"{error.source}: {count} problem{'s' if count != 1 else ''}"
    _print_line(console, Text(title, style="bold red"))
    for problem in error.problems:
        _print_line(console, _block(problem))


def _print_line(console: Console, text: Text) -> None:
    # Not wrapped, so that messages can be searched for and copied.
    console.print(text, soft_wrap=True)


def _block(problem: Problem) -> Text:
    where = f" (line {problem.line})" if problem.line is not None else ""
    block = Text.assemble("\n  ", (problem.key, "bold"), where, "\n    ", problem.message)
    facts = {"found": problem.value, "allowed": problem.allowed, "nearest": problem.suggestion}
    for name, fact in facts.items():
        if fact is not None:
            block.append(f"\n    {name + ':':9}", style="dim").append(fact)
    return block


def print_material(material: LibraryMaterial) -> None:
    """Print a table of one material of the library."""
    console = Console()
    heading = Text.assemble((material.name, "bold"), f": {material.description}")
    table = Table(title=heading, title_justify="left", title_style="", expand=True, show_lines=True)
    for column in ("parameter", "value", "confidence"):
        table.add_column(column, no_wrap=True)
    table.add_column("source", ratio=1, overflow="fold")
    for name, cited in _entries(material):
        dimension = _DIMENSIONS.get(name, NUMBER)
        # a section's name on a line of its own leaves more room for the source
        label = name.replace(".", ".\n")
        table.add_row(label, _value(cited, dimension), cited.confidence, _origin(cited))
    console.print(table)


def _entries(material: LibraryMaterial) -> Iterator[tuple[str, Cited[Any]]]:
    yield "young_modulus", material.young_modulus
    yield "poisson_ratio", material.poisson_ratio
    if material.volume_change is not None:
        yield "volume_change", material.volume_change
    if isinstance(material.creep, CitedCreep):
        for name in CitedCreep.model_fields:
            cited = getattr(material.creep, name)
            if cited is not None:
                yield f"creep.{name}", cited
    else:
        yield "creep", material.creep


def _value(cited: Cited[Any], dimension: Dimension) -> Text:
    if cited.value == "none":
        return Text("none")
    text = Text(dimension.format(cited.value))
    if cited.range is not None:
        low, high = cited.range
        text.append(f"\n{NUMBER.format(low)} to {dimension.format(high)}", style="dim")
    return text


def _origin(cited: Cited[Any]) -> Text:
    text = Text(cited.source)
    if cited.note is not None:
        text.append(f"\nNote: {cited.note}", style="italic")
    return text
