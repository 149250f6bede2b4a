"""Objectivity: a rotated problem gives the rotated answer."""

from __future__ import annotations

import numpy as np
from harness import LoadedBody, everywhere, material
from records import Check, Report, case
from reference import Array
from shapes import mapped_square

from creep_fem.materials.parameters import NortonCreep

CREEP = NortonCreep(1e-5, 0.1, 4.5)
STEPS = 6
TURN = 0.7  # rad per step


def turned(angle: float) -> Array:
    """Rotation matrix, shape (2, 2)."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine], [sine, cosine]])


def boundary_position(x: Array, share: float) -> Array:
    """Where the boundary of the unit square is to go; x of shape (2, n) in um."""
    wave = share * np.stack(
        [0.15 * x[0] + 0.1 * np.sin(np.pi * x[1]), 0.1 * x[0] * x[1] - 0.05 * np.sin(2.0 * x[0])]
    )
    moved: Array = x + wave
    return moved


def march(body: LoadedBody, start: float, per_step: float) -> tuple[Array, Array, Array]:
    """Deform, swell and creep while everything turns.

    Args:
        body: Unit square, turned by ``start`` in its reference state.
        start: Angle of the reference state in rad.
        per_step: Further turn in every step in rad.

    Returns:
        Von Mises stress and pressure at the points, and positions of the nodes turned back.
    """
    values, back = body.prescribe(everywhere), turned(-start)
    nodes = body.space.tabulate_dof_coordinates()[:, :2]
    for step in range(STEPS):
        share, angle = (step + 1) / STEPS, start + (step + 1) * per_step
        rotation = turned(angle)
        values.interpolate(
            lambda x, q=rotation, s=share: q @ boundary_position(back @ x[:2], s) - x[:2]
        )
        # first guess: the last state, turned
        displacement = body.displacement.x.array.reshape(-1, 2)
        displacement[:] = (nodes + displacement) @ turned(per_step).T - nodes
        stretch = 1.0 + 0.05 * share
        body.grow(stretch, stretch)
        body.advance(500.0)
    state = body.point_values()
    return state.mises, state.pressure, body.node_positions() @ rotation


@case()
def objectivity() -> Report:
    """Rotations superposed on the motion, and of the reference state."""

    def square(angle: float) -> LoadedBody:
        mesh = mapped_square(4, 4, lambda p: p @ turned(angle).T, irregularity=0.25)
        return LoadedBody(mesh, material(10.0, 0.25, CREEP))

    plain = march(square(0.0), 0.0, 0.0)
    checks = []
    for name, start, per_step in (("turning in time", 0.0, TURN), ("turned before", 1.1, 0.0)):
        result = march(square(start), start, per_step)
        quantities = ("von Mises stress", "pressure", "node positions")
        for quantity, value, expected in zip(quantities, result, plain, strict=True):
            largest = float(np.abs(value - expected).max() / np.abs(expected).max())
            checks.append(Check(f"{quantity}, {name}: largest difference", largest, 0.0, 1e-8, 1.0))
    return Report(
        "Objectivity",
        "F -> Q F and X -> Q X leave the stress invariants and turn the motion",
        "frame indifference and isotropy",
        "P2 with bubbles,"
        f" 4 x 4 irregular cells, {STEPS} steps of {TURN} rad with swelling and creep",
        tuple(checks),
    )
