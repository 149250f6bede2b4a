"""What contact must keep exactly: potential, balance, and mirror symmetry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from contact_bodies import moved, unfolded
from contact_press import Press, described
from distributed import meshed
from harness import material
from records import Check, RankLimit, Report, case
from scipy.spatial import KDTree
from shapes import Array

from creep_fem.contact.boundary import Boundary
from creep_fem.contact.friction import CoulombLaw, FrictionTerms
from creep_fem.contact.law import CohesiveTail, PressureGapLaw
from creep_fem.contact.pairs import NodeBlocks
from creep_fem.contact.potential import Contact
from creep_fem.materials.parameters import NortonCreep
from creep_fem.microstructure import Disc, Layout, ParticleMesh

LAW = PressureGapLaw(stiffness=100.0, smoothing=0.004, zero_gap_pressure=0.1)
CREEP = NortonCreep(1e-5, 0.1, 4.5)
PHASES = (material(10.0, 0.25, CREEP), material(100.0, 0.25))
_BOX = 3.0  # um


class Sizes:
    """Element sizes in um."""

    def __init__(self, surface: float, interior: float) -> None:
        self.surface_size, self.interior_size = surface, interior


# Discs in the interior, on walls and in a corner; gaps of about 20 nm, the free one near a wall.
_MIXED = Layout(
    _BOX,
    (
        Disc(0.71, 1.3, 0.7, "active"),
        Disc(0.0, 0.0, 0.75, "framework"),
        Disc(3.0, 1.7, 1.60, "framework"),
        Disc(0.0, 2.6, 0.77, "active"),
    ),
)


def _dense(pairs: NodeBlocks, size: int) -> Array:
    matrix = np.zeros((size, size))
    for nodes, block in zip(pairs.nodes, pairs.values, strict=True):
        dofs = (2 * nodes[:, None] + np.arange(2)).ravel()
        np.add.at(matrix, (dofs[:, None], dofs[None, :]), block)
    return matrix


def _central(values: list[Array], step: float) -> Array:
    """Fourth-order difference of values at -2, -1, 1 and 2 steps."""
    far_behind, behind, ahead, far_ahead = values
    return (8.0 * (ahead - behind) - (far_ahead - far_behind)) / (12.0 * step)


def _centres(packing: ParticleMesh, boundary: Boundary) -> Array:
    """Middle of the body of every surface node in um."""
    bodies = range(len(packing.body_phase))
    middles = [packing.points[packing.cells[packing.cell_body == b]].mean((0, 1)) for b in bodies]
    return np.array(middles)[boundary.node_body]


def _derivatives(
    name: str,
    law: PressureGapLaw,
    friction: CoulombLaw | None = None,
    *,
    growth: float = 0.03,
    rubbed: float = 0.0,
) -> Report:
    """Energy, force and Hessian in a packing with walls and mirrored ends.

    Args:
        name: What is differentiated.
        law: Pressure-gap law.
        friction: Law of friction.
        growth: Strain of the discs about their middles, which closes the gaps.
        rubbed: Random motion of the nodes in um since the start of a step of 1 s.
    """
    packing = meshed(_MIXED, Sizes(0.3, 0.6))
    boundary = Boundary.from_arcs(packing.points, packing.arcs, _BOX)
    random = np.random.default_rng(7)
    points = packing.points[boundary.nodes]
    fixed = np.column_stack(
        [
            np.isin(boundary.nodes, np.concatenate([packing.wall_nodes[w] for w in walls]))
            for walls in (("left", "right"), ("bottom", "top"))
        ]
    )
    noise = 0.002 * random.normal(size=points.shape)
    grown = points + ~fixed * (growth * (points - _centres(packing, boundary)) + noise)
    contact = Contact(boundary, law, _BOX, np.arange(len(points)), friction)
    contact.search(grown, margin=0.05)
    contact.begin_step(grown - ~fixed * rubbed * random.normal(size=points.shape), 1.0)
    state = contact.evaluate(grown)
    step, free = 2e-6, np.flatnonzero(~fixed.ravel())
    forces, rows = [], []
    for dof in free:
        change = np.zeros(points.size)
        change[dof] = step
        states = [contact.evaluate(grown + part * change.reshape(-1, 2)) for part in (-2, -1, 1, 2)]
        forces.append(_central([np.array(s.energy) for s in states], step))
        rows.append(_central([s.gradient() for s in states], step)[free])
    gradient, hessian = state.gradient()[free], _dense(state.hessian(), points.size)
    hessian = hessian[np.ix_(free, free)]
    pulled = np.abs(np.array(forces) - gradient).max() / np.abs(gradient).max()
    stiffness = np.abs(np.array(rows) - hessian).max() / np.abs(hessian).max()
    wall_force = np.abs(state.wall_forces()).max() / np.abs(gradient).max()
    rubbing = "" if state.friction is None else f", {_regimes(state.friction)}"
    return Report(
        f"Derivatives of the {name} energy",
        "force = gradient of the energy, Hessian = derivative of the force",
        "fourth-order differences over 2e-6 um",
        f"{len(points)} surface nodes of four discs, one free at a wall, three cut by walls;"
        f" {described(law)};"
        f" {state.active_pairs} active pairs{rubbing},"
        f" largest force of a wall {wall_force:.1g} of all",
        (
            Check("error of the force over the largest", float(pulled), 0.0, 1e-7, 1.0),
            Check("error of the Hessian over its largest entry", float(stiffness), 0.0, 1e-7, 1.0),
            Check(
                "asymmetry of the Hessian",
                float(np.abs(hessian - hessian.T).max()),
                0.0,
                1e-12,
                float(np.abs(hessian).max()),
            ),
        ),
    )


def _regimes(friction: FrictionTerms) -> str:
    pressed = friction.strength > 1e-6 * friction.strength.max()
    sliding = pressed & (np.abs(friction.slip) >= friction.threshold)
    return f"{pressed.sum()} of them rub, {sliding.sum()} of these slide freely"


@case()
def contact_derivatives() -> Report:
    """Derivatives of contact alone."""
    return _derivatives("contact", LAW)


@case()
def adhesion_derivatives() -> Report:
    """Derivatives of contact with adhesion, where most pairs pull."""
    law = replace(LAW, adhesion=CohesiveTail(0.05, 0.06))
    return _derivatives("adhesion", law, growth=0.01)


@case()
def friction_derivatives() -> Report:
    """Derivatives of contact with friction stronger than the pressure."""
    return _derivatives("friction", LAW, CoulombLaw(2.0, 0.003), rubbed=0.002)


@case()
def action_equals_reaction() -> Report:
    """Forces and moments between bodies whose contacts lie off the walls."""
    layout = Layout(
        _BOX,
        (
            Disc(0.0, 1.5, 0.9, "framework"),
            Disc(1.5, 1.6, 0.57, "active"),
            Disc(3.0, 1.5, 0.9, "framework"),
        ),
    )
    press = Press(meshed(layout, Sizes(0.2, 0.4)), PHASES, LAW, drag=4.0)
    press.swell(1.35, 20000.0, 2e-3)
    forces, places = press.node_forces(), press.positions()
    scale = float(np.abs(forces).max())
    torque = places[:, 0] * forces[:, 1] - places[:, 1] * forces[:, 0]
    return Report(
        "Action equals reaction",
        "sum of the contact forces = 0, sum of their moments = 0",
        "the gap does not change in a rigid motion",
        "P2 with bubbles, a disc that swells between two others; no contact reaches a mirrored end;"
        f" {described(LAW)}",
        (
            Check(
                "sum of forces over the largest",
                float(np.abs(forces.sum(axis=0)).max()),
                0.0,
                1e-12,
                scale,
            ),
            Check(
                "sum of moments over the largest",
                float(abs(torque.sum())),
                0.0,
                1e-12,
                scale * _BOX,
            ),
        ),
    )


def _full(half: ParticleMesh) -> ParticleMesh:
    """A packing with its images in the left and the bottom wall, in a box of twice the size."""
    return moved(unfolded(unfolded(half, 0), 1), (half.box, half.box), 2.0 * half.box)


_ON_A_SADDLE = "a new tangent in every iteration holds a symmetric state that became unstable"


def _pressed(
    packing: ParticleMesh,
    volume_ratio: float,
    friction: CoulombLaw | None = None,
    *,
    unstable: bool = False,
) -> Press:
    # sharper than usual: little but the drag holds some bodies, and a small force moves them
    sharp = {"tolerance": 1e-9, "force_floor": 1e-3}
    if unstable:
        # The symmetric state is a saddle of the potential in the end, with up to three negative
        # eigenvalues: Newton's method holds it, chord iterations roll off as round-off has it.
        sharp["chord_reduction"] = 0.0
    press = Press(packing, PHASES, LAW, friction=friction, drag=4.0, **sharp)
    press.swell(volume_ratio, 20000.0, 2e-3)
    return press


def _against_full(
    half: ParticleMesh, volume_ratio: float, friction: CoulombLaw | None, unstable: bool
) -> tuple[float, float, float]:
    """Relative errors of displacement, force on the right wall and mean stress."""
    part, whole = (
        _pressed(packing, volume_ratio, friction, unstable=unstable)
        for packing in (half, _full(half))
    )
    few, many = part.displacements(), whole.displacements()[: len(half.points)]
    stress, exact = (p.mean_mises(0) for p in (part, whole))
    force, twice = part.problem.reactions().right, 0.5 * whole.problem.reactions().right
    moved_by = float(np.abs(few - many).max() / np.abs(many).max())
    return moved_by, abs(force / twice - 1.0), abs(stress / exact - 1.0)


def _mirrored(
    title: str,
    halves: Sequence[ParticleMesh],
    discretisation: str,
    friction: CoulombLaw | None = None,
    unstable: bool = False,
) -> Report:
    """Packings between symmetry walls against those of four times the box."""
    errors = np.array([_against_full(half, 1.25, friction, unstable) for half in halves])
    errors = errors.max(axis=0)
    names = ("displacement", "force on the right wall", "mean von Mises stress of the active phase")
    return Report(
        title,
        "the solution of the mirrored problem on the mirrored mesh",
        "symmetry",
        f"P2 with bubbles, {discretisation}; swelling and creep; {described(LAW)}",
        tuple(
            Check(f"error of the {n}", e, 0.0, 1e-6, 1.0)
            for n, e in zip(names, errors, strict=True)
        ),
    )


@case(rank_limit=RankLimit(1e-7, "bodies that little but the drag holds amplify round-off"))
def mirrored_ends() -> Report:
    """Half discs on symmetry walls against the whole discs of four times the box."""
    layout = Layout(
        _BOX,
        (
            Disc(0.0, 0.0, 0.80, "framework"),
            Disc(0.0, 1.55, 0.73, "active"),
            Disc(0.0, 3.0, 0.70, "framework"),
            Disc(3.0, 1.55, 2.23, "framework"),
        ),
    )
    half = meshed(layout, Sizes(0.25, 0.5))
    joined = f"{4 * len(layout.discs)} images joined to {len(_full(half).body_phase)} discs"
    return _mirrored(
        "Contact that ends at symmetry walls",
        [half],
        f"{len(layout.discs)} discs cut by the walls, {joined}; {_ON_A_SADDLE}",
        unstable=True,
    )


@case()
def mirror_images() -> Report:
    """A free disc pressed against two symmetry walls, against four discs pressed together."""
    layout = Layout(_BOX, (Disc(0.71, 0.71, 0.7, "active"), Disc(3.0, 3.0, 2.52, "framework")))
    sizes = (0.4, 0.2, 0.1)
    halves = [meshed(layout, Sizes(s, 2.0 * s)) for s in sizes]
    discretisation = f"surface sizes {sizes} um, the largest errors of all; {_ON_A_SADDLE}"
    return _mirrored("Contact across symmetry walls", halves, discretisation, unstable=True)


@case(rank_limit=RankLimit(1e-7, "bodies that little but the drag holds amplify round-off"))
def mirrored_friction() -> Report:
    """Friction with images in two symmetry walls, against that of four discs with each other."""
    layout = Layout(_BOX, (Disc(0.71, 0.75, 0.7, "active"), Disc(3.0, 2.6, 2.22, "framework")))
    half, friction = meshed(layout, Sizes(0.25, 0.5)), CoulombLaw(0.3, 1e-6)
    discretisation = f"mu = {friction.coefficient:g}, v0 = {friction.velocity:g} um/s"
    return _mirrored("Friction across symmetry walls", [half], discretisation, friction)


@case()
def two_particles() -> Report:
    """A swelling disc pressed against a stiff one keeps the mirror symmetry of the mesh."""
    layout = Layout(_BOX, (Disc(0.82, 0.0, 0.8, "active"), Disc(3.0, 0.0, 1.35, "framework")))
    half = meshed(layout, Sizes(0.2, 0.4))
    packing = moved(unfolded(half, 1), (0.0, 0.5 * _BOX), _BOX)
    # at 60 % the pair would rather tip, and round-off decides whether it does
    press = _pressed(packing, 1.4, unstable=True)
    flip = np.array([1.0, -1.0])
    mirrored = np.column_stack([packing.points[:, 0], _BOX - packing.points[:, 1]])
    _, image = KDTree(packing.points).query(mirrored)
    motion = press.displacements()
    skew = float(np.abs(motion - flip * motion[image]).max() / np.abs(motion).max())
    walls = press.problem.reactions()
    return Report(
        "Two particles with a plane of symmetry",
        "mirrored nodes move to mirrored places; the walls' forces balance",
        "symmetry",
        f"P2 with bubbles, {len(packing.cells)} cells; swelling by 40 % with creep;"
        f" {_ON_A_SADDLE}; {described(LAW)}",
        (
            Check("asymmetry of the displacement over the largest", skew, 0.0, 1e-6, 1.0),
            Check("force on the left wall over the right one", walls.left / walls.right, 1.0, 1e-3),
        ),
    )
