"""Where the particles lie: discs of two phases in a square box with symmetry walls."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from math import hypot
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from creep_fem.errors import ConfigError, Problem
from creep_fem.microstructure.areas import disc_area_in_box
from creep_fem.microstructure.neighbours import close_pairs

PHASES = ("active", "framework")
"""Names of the phases; their order defines the phase index."""


@dataclass(frozen=True)
class Disc:
    """A particle's circular cross-section.

    Attributes:
        x: Abscissa of the centre in um.
        y: Ordinate of the centre in um.
        radius: Radius in um.
        phase: One of ``PHASES``.
    """

    x: float
    y: float
    radius: float
    phase: str

    def gap_to(self, other: Disc) -> float:
        """Distance between the two circles in um, negative where they overlap."""
        return hypot(self.x - other.x, self.y - other.y) - self.radius - other.radius


@dataclass(frozen=True)
class Layout:
    """Discs in the box [0, box] x [0, box]; what sticks out of it is cut off.

    Attributes:
        box: Edge length of the box in um.
        discs: The particles; their order numbers the bodies of the mesh.
    """

    box: float
    discs: tuple[Disc, ...]

    def describe(self, index: int) -> str:
        """Name and place of one disc, for messages."""
        disc = self.discs[index]
        return (
            f"disc {index} ({disc.phase}, centre ({disc.x:.4g}, {disc.y:.4g}) um, "
            f"radius {disc.radius:.4g} um)"
        )


def pairs_within(discs: Sequence[Disc], gap: float) -> list[tuple[int, int]]:
    """Indices i < j of all pairs of discs with at most the given gap in um, see ``close_pairs``."""
    circles = np.array([(disc.x, disc.y, disc.radius) for disc in discs]).reshape(-1, 3)
    return [(i, j) for i, j in close_pairs(circles[:, :2], circles[:, 2], gap).tolist()]


_Length = Annotated[float, Field(strict=True, allow_inf_nan=False)]
_PositiveLength = Annotated[_Length, Field(gt=0.0)]


class _DiscRecord(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    x: _Length
    y: _Length
    r: _PositiveLength
    phase: Literal["active", "framework"]


class _LayoutRecord(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    box: _PositiveLength
    discs: tuple[_DiscRecord, ...]


def read_layout(path: str | Path) -> Layout:
    """Reads and checks a layout file.

    Args:
        path: JSON file ``{"box": L, "discs": [{"x", "y", "r", "phase"}, ...]}``, lengths in um.

    Returns:
        The layout, with the discs in the order of the file.

    Raises:
        ConfigError: The file cannot be read, or holds mistakes; all of them are listed.
    """
    path = Path(path)
    try:
        record = _LayoutRecord.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        problem = Problem("layout", f"the file cannot be read: {error}", str(path))
        raise ConfigError(str(path), [problem]) from error
    except json.JSONDecodeError as error:
        problem = Problem("layout", f"this is not JSON: {error.msg}", line=error.lineno)
        raise ConfigError(str(path), [problem]) from error
    except ValidationError as error:
        raise ConfigError(str(path), [_problem(detail) for detail in error.errors()]) from error
    layout = Layout(record.box, tuple(Disc(d.x, d.y, d.r, d.phase) for d in record.discs))
    check_layout(layout, str(path))
    return layout


def write_layout(layout: Layout, path: str | Path) -> None:
    """Writes a layout as JSON that ``read_layout`` returns unchanged, one disc a line."""
    records = (
        json.dumps({"x": disc.x, "y": disc.y, "r": disc.radius, "phase": disc.phase})
        for disc in layout.discs
    )
    rows = ",\n  ".join(records)
    text = f'{{\n "box": {json.dumps(layout.box)},\n "discs": [\n  {rows}\n ]\n}}\n'
    Path(path).write_text(text, encoding="utf-8")


def check_layout(layout: Layout, source: str = "layout") -> None:
    """Refuses a layout without discs, and discs that overlap or have no part in the box.

    Discs may not overlap outside the box either: there they are each other's mirror images.

    Args:
        layout: The layout to check.
        source: What to name as the origin of the mistakes.

    Raises:
        ConfigError: With one problem for each offending disc or pair.
    """
    problems = [*_outside(layout), *_overlaps(layout)]
    if not layout.discs:
        problems.append(Problem("discs", "there are no discs"))
    if problems:
        raise ConfigError(source, problems)


def area_fractions(layout: Layout) -> dict[str, float]:
    """Share of the box covered by each phase, after cutting, from closed-form areas.

    Returns:
        Phase name to dimensionless area fraction; the pores are the rest to one.
    """
    fractions = dict.fromkeys(PHASES, 0.0)
    for disc in layout.discs:
        area = disc_area_in_box(disc.x, disc.y, disc.radius, layout.box)
        fractions[disc.phase] += area / layout.box**2
    return fractions


def _outside(layout: Layout) -> Iterator[Problem]:
    for index, disc in enumerate(layout.discs):
        if disc_area_in_box(disc.x, disc.y, disc.radius, layout.box) <= 0.0:
            message = f"{layout.describe(index)} lies outside the box"
            yield Problem(f"discs[{index}]", message, allowed=f"0 to {layout.box:g} um")


def _overlaps(layout: Layout) -> Iterator[Problem]:
    for i, j in pairs_within(layout.discs, 0.0):
        gap = layout.discs[i].gap_to(layout.discs[j])
        if gap <= 0.0:
            message = (
                f"{layout.describe(i)} and {layout.describe(j)} overlap by {-gap * 1e3:.4g} nm"
            )
            yield Problem(f"discs[{i}], discs[{j}]", message, allowed="a gap above 0 nm")


def _problem(detail: Any) -> Problem:
    """Puts one of pydantic's error records into the package's own form."""
    location = detail["loc"]
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    key = key.lstrip(".") or "layout"
    if detail["type"] == "missing":
        return Problem(key, "this entry is missing")
    value = repr(detail["input"])
    name = str(location[-1]) if location else ""
    known = _DiscRecord.model_fields if len(location) > 1 else _LayoutRecord.model_fields
    if detail["type"] == "extra_forbidden":
        near = get_close_matches(name, known, n=1)
        allowed = ", ".join(known)
        return Problem(key, "unknown entry", value, allowed, suggestion=near[0] if near else None)
    if detail["type"] == "literal_error":
        near = get_close_matches(str(detail["input"]), PHASES, n=1, cutoff=0.4)
        return Problem(
            key,
            "unknown phase",
            value,
            " or ".join(PHASES),
            suggestion=near[0] if near else None,
        )
    return Problem(key, detail["msg"], value, allowed="lengths in um")
