"""A cylinder pressed on a flat body of its own material and moved sideways, with friction."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from contact_bodies import Division, two_blocks
from contact_hertz_cases import BOX, LAW, POISSON, RADIUS, YOUNG, Hertz, contact_modulus, level
from contact_press import Press, described
from distributed import gathered
from harness import material
from records import Check, Convergence, Report, case
from shapes import Array

from creep_fem.contact.friction import CoulombLaw, FrictionTerms
from creep_fem.microstructure import ParticleMesh

_FRICTION = CoulombLaw(coefficient=0.3, velocity=1e-5)
_MATERIAL = material(YOUNG, POISSON)
_APPROACH = 0.016  # um
_GRADING = 5.0
_STICKING = 0.8  # of the closed form's stick zone, where there is no doubt


@dataclass(frozen=True)
class Centred(Division):
    """Cells that grow away from the middle."""

    def across(self, s: Array) -> Array:
        """x/box of the points at s."""
        out = 2.0 * s - 1.0
        away = self.spread(np.abs(out), self.columns // 2)
        return 0.5 * (1.0 + np.sign(out) * away)


def _crown(x: Array) -> Array:
    return level(x) + (x - 0.5 * BOX) ** 2 / (2.0 * RADIUS)


def _sheared_bodies(columns: int) -> ParticleMesh:
    """A cylinder above a flat body; the nodes at the top alone count as right wall: they shear.

    The sides of the flat body are held, those of the cylinder are free.
    """
    lower = Centred(2 * round(0.4 * columns), round(0.2 * columns), _GRADING)
    upper = Centred(columns, columns // 4, _GRADING)
    packing = two_blocks(BOX, (level, _crown), (lower, upper))
    nodes = packing.wall_nodes
    below = packing.cells[packing.cell_body == 0]
    sides = np.concatenate([nodes["left"], nodes["right"]])
    held = sides[np.isin(sides, below)]
    return replace(packing, wall_nodes={**nodes, "left": held, "right": nodes["top"]})


def _pressed(columns: int, friction: CoulombLaw = _FRICTION) -> Press:
    press = Press(_sheared_bodies(columns), (_MATERIAL, _MATERIAL), LAW, friction=friction)
    for part in (0.5, 1.0):
        press.step(1.0, part * _APPROACH)
    return press


def _friction(press: Press) -> FrictionTerms:
    friction = press.problem.contact_state.friction
    assert friction is not None
    return friction


def _tractions(press: Press) -> tuple[Array, ...]:
    """Place, traction, slip and half the surface length of all pairs (collective)."""
    friction, problem = _friction(press), press.problem
    pairs, points = friction.pairs, problem.contact.points
    x = points.positions(press.positions())[pairs.feet.point, 0]
    traction = np.abs(friction.force) / pairs.length
    rows = np.column_stack([x - 0.5 * BOX, traction, np.abs(friction.slip), pairs.length])
    rows = gathered(press.model, rows)
    return tuple(rows[np.lexsort(rows.T[::-1])].T)


def _cattaneo(columns: int) -> tuple[float, float, float]:
    """Misfit of the traction, slip in the stick zone over its bound, share of mu P."""
    press = _pressed(columns)
    press.step(1.0, _APPROACH, 0.5 * _FRICTION.coefficient * _APPROACH)
    walls = press.problem.reactions()
    most, sheared = _FRICTION.coefficient * walls.top, -walls.right
    exact = Hertz(walls.top, contact_modulus(_MATERIAL, _MATERIAL))
    a = exact.half_width
    stuck = a * float(np.sqrt(1.0 - sheared / most))
    x, traction, slip, length = _tractions(press)
    inner = np.sqrt(np.maximum(1.0 - (x / stuck) ** 2, 0.0)) * stuck / a
    closed = _FRICTION.coefficient * (exact.pressure(x) - exact.peak * inner)
    misfit = float(np.abs(traction - closed) @ length / sheared)
    crept = float(slip[np.abs(x) < _STICKING * stuck].max()) / _FRICTION.velocity
    return misfit, crept, sheared / most


@case()
def cattaneo_mindlin() -> Report:
    """A cylinder pressed, then moved sideways: the contact slips at its rims and sticks inside."""
    columns = (32, 64, 128)
    misfits, crept, shares = zip(*(_cattaneo(count) for count in columns), strict=True)
    return Report(
        "Partial slip of a cylinder: Cattaneo and Mindlin",
        "q = mu p(a) - (c/a) mu p(c), c/a = sqrt(1 - Q/(mu P)), p(a), p(c) Hertz's ellipses",
        "Johnson, Contact Mechanics, Cambridge 1985, section 7.2(a)",
        f"P2 with bubbles, {columns} columns graded towards the contact, the flat body has 0.8 as"
        f" many; {described(LAW)}; mu = {_FRICTION.coefficient:g}, slip below"
        f" {1e3 * _FRICTION.velocity:g} nm in the step counts as sticking;"
        f" Q/(mu P) = {shares[-1]:.3f} from the wall's reactions",
        (
            Check("misfit of q(x) over Q", misfits[-1], 0.0, 0.03, 1.0),
            Check("slip in the middle of the stick zone over its bound", crept[-1], 0.0, 1.0, 1.0),
        ),
        (
            # no theory promises an order where the traction has kinks: the one observed
            Convergence(
                "q(x)", "smallest cell in um", tuple(2.7 / c for c in columns), misfits, 0.5
            ),
        ),
    )


def _lag(steps: int) -> float:
    """Error of the tangential force of a sliding cylinder that is pressed on further."""
    press = _pressed(16)
    for step in range(1, steps + 1):
        pressed = _APPROACH * (1.0 + 0.25 * step / steps)
        press.step(1.0 / steps, pressed, 0.05 * step / steps)
    walls = press.problem.reactions()
    return abs(-walls.right / (_FRICTION.coefficient * walls.top) - 1.0)


@case()
def coulomb_sliding() -> Report:
    """A cylinder that slides to and fro under a constant and under a growing load."""
    press, shares = _pressed(32), []
    for shear in (0.04, 0.08, 0.04, 0.0):
        press.step(1.0, _APPROACH, shear)
        walls = press.problem.reactions()
        shares.append(-walls.right / (_FRICTION.coefficient * walls.top))
    friction = _friction(press)
    local = friction.pairs.gradient(friction.slopes, press.problem.contact_state.size)
    forces = press.problem.surface.sum(local).reshape(-1, 2)
    lower = press.boundary.node_body == 0
    scale = float(np.abs(forces[lower].sum(axis=0)).max())
    steps = (2, 4, 8, 16)
    return Report(
        "Sliding with friction",
        "Q = mu P against the motion; forces on both bodies add up to nothing",
        "Coulomb; the pressure of the step's start makes an error of first order in its length",
        f"P2 with bubbles, 16 columns; {described(LAW)}; mu = {_FRICTION.coefficient:g};"
        f" the load grows by a half in {steps} steps",
        (
            Check("Q/(mu P) of the second step to the right", shares[1], 1.0, 1e-3),
            Check("Q/(mu P) of the second step back", shares[3], -1.0, 1e-3),
            Check(
                "sum of friction over that on one body",
                float(np.abs(forces.sum(axis=0)).max()),
                0.0,
                1e-12,
                scale,
            ),
        ),
        (
            Convergence(
                "Q under a growing load",
                "step in s",
                tuple(1.0 / n for n in steps),
                tuple(_lag(n) for n in steps),
                1.0,
            ),
        ),
    )
