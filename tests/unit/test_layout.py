"""Layouts: reading, writing, areas after cutting, cleaning."""

from __future__ import annotations

import json
from math import acos, pi, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from creep_fem.errors import ConfigError
from creep_fem.microstructure import (
    Disc,
    Layout,
    area_fractions,
    build_mesh,
    cell_quality,
    clean_layout,
    read_layout,
    write_layout,
)
from creep_fem.microstructure.areas import disc_area_in_box

MESHES = Path(__file__).parents[2] / "meshes"
GAP = 0.02


def write_json(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_written_layout_reads_back_unchanged(tmp_path: Path) -> None:
    layout = Layout(7.3, (Disc(0.1 + 0.2, 1 / 3, 0.7, "active"), Disc(5.0, 5.0, 1.0, "framework")))
    write_layout(layout, tmp_path / "layout.json")
    assert read_layout(tmp_path / "layout.json") == layout


def test_benchmark_fractions_are_the_published_ones() -> None:
    fractions = area_fractions(read_layout(MESHES / "benchmark_19.json"))
    assert fractions["active"] == pytest.approx(0.5504084073557178, abs=1e-12)
    assert fractions["framework"] == pytest.approx(0.15647212720010176, abs=1e-12)


def test_all_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    content = {
        "box": "10",
        "disks": [],
        "discs": [
            {"x": 1.0, "y": 1.0, "r": -1.0, "phase": "active"},
            {"x": 1.0, "y": 1.0, "radius": 1.0, "phase": "actve"},
        ],
    }
    with pytest.raises(ConfigError) as caught:
        read_layout(write_json(tmp_path / "layout.json", content))
    problems = {p.key: p for p in caught.value.problems}
    assert set(problems) == {
        "box",
        "disks",
        "discs[0].r",
        "discs[1].r",
        "discs[1].radius",
        "discs[1].phase",
    }
    assert problems["disks"].suggestion == "discs"
    assert problems["discs[1].phase"].suggestion == "active"
    assert problems["discs[1].r"].message == "this entry is missing"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "true"])
def test_values_that_are_no_lengths_are_refused(tmp_path: Path, number: str) -> None:
    text = f'{{"box": 10, "discs": [{{"x": {number}, "y": 1, "r": 1, "phase": "active"}}]}}'
    (tmp_path / "layout.json").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_layout(tmp_path / "layout.json")
    assert [p.key for p in caught.value.problems] == ["discs[0].x"]


def test_json_syntax_error_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "layout.json").write_text('{"box": 10,\n"discs": [}', encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_layout(tmp_path / "layout.json")
    assert caught.value.problems[0].line == 2


def test_missing_file_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_layout(tmp_path / "nowhere.json")


def test_overlap_names_both_discs_and_stray_disc_is_named(tmp_path: Path) -> None:
    discs = [
        {"x": 2.0, "y": 2.0, "r": 1.0, "phase": "active"},
        {"x": 3.9, "y": 2.0, "r": 1.0, "phase": "framework"},
        {"x": 20.0, "y": 2.0, "r": 1.0, "phase": "active"},
    ]
    with pytest.raises(ConfigError) as caught:
        read_layout(write_json(tmp_path / "layout.json", {"box": 10.0, "discs": discs}))
    stray, overlap = caught.value.problems
    assert stray.key == "discs[2]"
    assert "disc 0" in overlap.message
    assert "disc 1" in overlap.message
    assert "100 nm" in overlap.message


@pytest.mark.parametrize(
    ("x", "y", "radius", "expected"),
    [
        (5.0, 5.0, 1.0, pi),
        (0.0, 5.0, 1.0, pi / 2),
        (10.0, 0.0, 1.0, pi / 4),
        (9.5, 5.0, 1.0, pi - acos(0.5) + 0.5 * sqrt(0.75)),
        (-0.5, 5.0, 1.0, acos(0.5) - 0.5 * sqrt(0.75)),
        (5.0, 5.0, 8.0, 100.0),
        (-1.0, 5.0, 1.0, 0.0),
        (-0.8, -0.8, 1.0, 0.0),
        (30.0, 30.0, 1.0, 0.0),
    ],
)
def test_area_in_box_closed_forms(x: float, y: float, radius: float, expected: float) -> None:
    assert disc_area_in_box(x, y, radius, 10.0) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("x", "y", "radius"), [(0.3, -0.2, 1.0), (0.5, 1.7, 1.4), (1.1, 0.9, 1.5)])
def test_area_in_box_by_integration(x: float, y: float, radius: float) -> None:
    box, count = 2.0, 200_000
    abscissa = (np.arange(count) + 0.5) * box / count
    half = np.sqrt(np.maximum(radius**2 - (abscissa - x) ** 2, 0.0))
    height = np.clip(y + half, 0.0, box) - np.clip(y - half, 0.0, box)
    assert disc_area_in_box(x, y, radius, box) == pytest.approx(height.mean() * box, abs=1e-6)


@pytest.mark.parametrize(
    ("disc", "message"),
    [
        (Disc(5.0, -0.95, 1.0, "active"), "removed disc 1"),
        (Disc(5.0, 0.01, 1.0, "active"), "onto the bottom wall"),
        (Disc(9.03, 5.0, 1.0, "active"), "grazes the right wall"),
        (Disc(8.99, 5.0, 1.0, "active"), "grazes the right wall"),
        (Disc(0.59, -0.347, 0.6879, "active"), "grazes the corner (0, 0) um"),
        (Disc(4.51, 2.0, 1.5, "active"), "widen the gap"),
    ],
)
def test_each_kind_of_sliver_is_cleaned_and_named(disc: Disc, message: str) -> None:
    layout = Layout(10.0, (Disc(2.0, 2.0, 1.0, "framework"), disc))
    cleaned, messages = clean_layout(layout, GAP)
    assert any(message in m and "disc 1" in m for m in messages)
    assert clean_layout(cleaned, GAP) == (cleaned, [])


def test_clean_layout_is_left_alone() -> None:
    layout = read_layout(MESHES / "reference_20.json")
    assert clean_layout(layout, 0.018) == (layout, [])


def test_snapped_disc_sits_on_the_wall_and_grazing_disc_keeps_the_gap() -> None:
    discs = (Disc(5.0, 0.01, 1.0, "active"), Disc(8.98, 5.0, 1.01, "framework"))
    cleaned, _ = clean_layout(Layout(10.0, discs), GAP)
    assert cleaned.discs[0].y == 0.0
    assert 10.0 - cleaned.discs[1].x - cleaned.discs[1].radius == pytest.approx(GAP, rel=1e-9)


def test_narrow_gap_is_widened_from_both_sides() -> None:
    discs = (Disc(3.0, 5.0, 1.0, "active"), Disc(5.01, 5.0, 1.0, "framework"))
    cleaned, _ = clean_layout(Layout(10.0, discs), GAP)
    assert cleaned.discs[0].gap_to(cleaned.discs[1]) == pytest.approx(GAP, rel=1e-9)
    assert cleaned.discs[0].radius == pytest.approx(0.995, rel=1e-12)


def test_discs_too_small_for_the_gap_are_refused() -> None:
    layout = Layout(10.0, (Disc(5.0, 5.0, 0.03, "active"), Disc(8.0, 5.0, 1.0, "active")))
    with pytest.raises(ConfigError, match=r"discs\[0\]\.r") as caught:
        clean_layout(layout, GAP)
    assert len(caught.value.problems) == 1


def test_layout_without_discs_is_refused(tmp_path: Path) -> None:
    path = write_json(tmp_path / "layout.json", {"box": 10.0, "discs": []})
    with pytest.raises(ConfigError, match="there are no discs"):
        read_layout(path)


def test_overlaps_are_not_cleaned_away() -> None:
    layout = Layout(10.0, (Disc(4.0, 5.0, 1.0, "active"), Disc(5.9, 5.0, 1.0, "active")))
    with pytest.raises(ConfigError, match="overlap by 100 nm"):
        clean_layout(layout, GAP)


def test_layout_without_usable_disc_is_refused() -> None:
    with pytest.raises(ConfigError, match="no disc has a usable part"):
        clean_layout(Layout(10.0, (Disc(-0.95, 5.0, 1.0, "active"),)), GAP)


class Sizes:
    surface_size = 0.4
    interior_size = 0.6


@pytest.mark.parametrize("seed", range(8))
def test_any_cleaned_layout_can_be_meshed(seed: int) -> None:
    """Discs thrown at random, some of them placed to touch or graze a wall."""
    rng = np.random.default_rng(seed)
    box = 6.0
    discs: list[Disc] = []
    for _ in range(200):
        x, y = rng.uniform(-0.8, box + 0.8, 2)
        radius = float(np.exp(rng.normal(-0.2, 0.35)))
        if rng.random() < 0.5:
            y = float(rng.choice([0.0, 1e-9, -1e-6, 0.01, 0.99, 1.01, -0.7])) * radius
        disc = Disc(float(x), float(y), radius, "active")
        inside = disc_area_in_box(disc.x, disc.y, radius, box) > 0.0
        if inside and all(disc.gap_to(other) > 1e-4 for other in discs):
            discs.append(disc)
    cleaned, messages = clean_layout(Layout(box, tuple(discs)), GAP)
    assert messages
    assert clean_layout(cleaned, GAP) == (cleaned, [])
    mesh = build_mesh(cleaned, Sizes())
    assert cell_quality(mesh.points, mesh.cells).min() > 0.15
