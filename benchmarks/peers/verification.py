"""What the benchmarks borrow from the verification suite: bodies, shapes and references."""

from __future__ import annotations

import sys
from pathlib import Path

# The suite is a folder of modules and no package, as pytest wants it.
sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "verification"))

from harness import LoadedBody, circle, line, material
from reference import Tube, confined_bar
from shapes import Body, mapped_square, quarter_ring

__all__ = [
    "Body",
    "LoadedBody",
    "Tube",
    "circle",
    "confined_bar",
    "line",
    "mapped_square",
    "material",
    "quarter_ring",
]
