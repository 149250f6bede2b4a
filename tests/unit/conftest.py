"""The smallest cathode that deserves the name, for tests that start whole runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

TINY = """\
name: tiny
microstructure: {layout: two.json}
mesh: {surface_size: 0.5 um, interior_size: 0.8 um}
materials:
  active:
    name: Se
    growth_mode: isotropic
    override: {creep: {rate: 1e-5 /s, exponent: 4.5}}
  framework: {name: Mo6Se8}
cycling:
  c_rate: 0.1 /h
  cycles: 1
  soc: {start: 0.0, low: 0.0, high: 0.1}
output: {figures: false}
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """Config of two discs that do not touch, one of which swells by 10 % and creeps."""
    discs = [
        {"x": 1.2, "y": 2.0, "r": 0.9, "phase": "active"},
        {"x": 3.1, "y": 2.0, "r": 0.8, "phase": "framework"},
    ]
    (tmp_path / "two.json").write_text(json.dumps({"box": 4.0, "discs": discs}), encoding="utf-8")
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY, encoding="utf-8")
    return path
