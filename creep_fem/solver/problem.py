"""Equilibrium of one time step: incremental potential, residual and tangent as PETSc objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import creep_fem._backend  # noqa: F401  isort: skip

import dolfinx.fem.petsc as fem_petsc
import numpy as np
from dolfinx import fem
from dolfinx.la import InsertMode
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc

from creep_fem.contact import loops
from creep_fem.contact.boundary import WALL_COMPONENT, Boundary
from creep_fem.contact.friction import CoulombLaw
from creep_fem.contact.law import PressureGapLaw
from creep_fem.contact.potential import Contact, ContactState
from creep_fem.mechanics.domain import Domain
from creep_fem.mechanics.model import MechanicsModel
from creep_fem.mechanics.packed import CellForm
from creep_fem.solver.phases import Phase, timed
from creep_fem.solver.surface import SurfaceNodes
from creep_fem.solver.tangent import Storage, TangentMatrix


@dataclass(frozen=True)
class Reactions:
    """Forces of the walls on the packing in GPa um per unit thickness, positive in compression."""

    left: float
    right: float
    bottom: float
    top: float


class StepProblem:
    """The nonlinear problem of a time step: find the displacement that minimises the potential.

    The potential is the stored and dissipated energy, that of contact and friction, and that of a
    weak drag on the surfaces, eta/(2 dt) |u - u_n|^2 per surface length. The drag holds bodies that
    touch nothing, and makes a body that loses its balance move at a finite speed: a step of any
    packing has a solution if it is short enough.

    Attributes:
        drag_stiffness: Drag per displacement in GPa of the owned surface nodes in this step.
        motion: What these have moved in this step in um, shape (owned, 2).
    """

    def __init__(
        self,
        model: MechanicsModel,
        boundary: Boundary,
        law: PressureGapLaw,
        box: float,
        search_margin: float,
        drag: float,
        friction: CoulombLaw | None = None,
    ) -> None:
        """Set up maps and work vectors (collective).

        Args:
            model: Mechanics with its state.
            boundary: Surfaces of the packing.
            law: Pressure-gap law.
            box: Edge length of the box in um.
            search_margin: Motion of the surface in um after which contact is searched anew.
            drag: Drag eta on the surfaces in GPa s/um.
            friction: Law of friction; none for smooth surfaces.
        """
        self.model = model
        domain = model.domain
        self.comm: MPI.Intracomm = domain.mesh.comm
        self.space = domain.displacement_space
        self.fixed_dofs = _fixed_dofs(domain)
        self.conditions = _dirichlet(self.space, domain)
        self.surface = SurfaceNodes(domain, boundary, self.fixed_dofs)
        self.contact = Contact(boundary, law, box, self.surface.owned, friction)
        self._margin = search_margin
        self._drag = drag
        self._owned = 2 * domain.owned_nodes
        self._owned_fixed = self.fixed_dofs[self.fixed_dofs < self._owned]
        self.start = model.displacement.x.array.copy()
        self._force = fem.Function(self.space)
        self.contact_state: ContactState
        self.contact_forces = np.zeros(2 * len(boundary.nodes))
        self.energy = np.inf
        self.dt = 0.0
        self._surface_start = self.surface.owned_values(self.start)
        self.motion = np.zeros_like(self._surface_start)
        self._surface_lengths = boundary.node_lengths[self.surface.owned]
        self.drag_stiffness = np.zeros(len(self._surface_lengths))
        self._tangent = TangentMatrix(model, self.contact, self.surface, self.conditions)
        self._load()

    def begin(self, dt: float) -> None:
        """Start a step of dt seconds from the present displacement, before any predictor.

        Collective. It is from here that drag and friction measure motion.
        """
        self.dt = dt
        self.start = self.model.displacement.x.array.copy()
        self._surface_start = self.surface.owned_values(self.start)
        self.drag_stiffness = (self._drag / dt) * self._surface_lengths
        if self.contact.friction is not None:
            with timed(Phase.CONTACT):
                positions = self.surface.positions(self.model.displacement)
                self._search(positions)
                self.contact.begin_step(positions, dt)

    def _load(self) -> None:
        """Evaluate everything once (collective): that loads the compiled loops.

        One process goes first: it compiles them if need be, and the others find them compiled.
        """
        positions = self.surface.positions(self.model.displacement)
        for first in (True, False):
            if (self.comm.rank == 0) is first:
                self._search(positions)
                self.contact_state = self.contact.evaluate(positions)
                self.contact_state.gradient()
                self.contact_state.hessian()
                loops.largest_norm(self.motion)
                self.model.evaluate(0.0)
                self.model.tangent()
            self.comm.barrier()

    def _search(self, positions: NDArray[np.float64]) -> None:
        """Search contact anew if nodes at these positions in um have left the last search."""
        if not self.contact.search_is_valid(positions):
            self.contact.search(positions, self._margin)

    def new_vector(self) -> PETSc.Vec:
        """A distributed vector of owned displacement dofs."""
        return fem_petsc.create_vector(self.space)

    def read_displacement(self, x: PETSc.Vec) -> None:
        """Copy the model's displacement to a vector."""
        x.setArray(self.model.displacement.x.array[: self._owned])

    def move_to(self, x: PETSc.Vec) -> float:
        """Evaluate energy, creep increments and contact at x (collective).

        Returns:
            The potential in GPa um^2; infinite where an element is turned inside out.
        """
        displacement = self.model.displacement
        displacement.x.array[: self._owned] = x.getArray(readonly=True)
        displacement.x.scatter_forward()
        # Here, right after the linear solution, processes are in step; after the creep update they
        # are not, and waiting would count as contact.
        with timed(Phase.CONTACT):
            positions = self.surface.positions(displacement)
        with timed(Phase.CONSTITUTIVE):
            stored = self.model.evaluate(self.dt)
            if not self.comm.allreduce(np.isfinite(stored), op=MPI.LAND):
                self.energy = np.inf
                return self.energy
        with timed(Phase.CONTACT):
            self._search(positions)
            self.contact_state = self.contact.evaluate(positions)
            self.motion = self.surface.owned_values(displacement.x.array) - self._surface_start
            drag_energy = 0.5 * float(np.sum(self.drag_stiffness[:, None] * self.motion**2))
            local = stored + self.contact_state.energy + drag_energy
            # waiting for the slowest process is part of what it is slow in
            self.energy = self.comm.allreduce(local, op=MPI.SUM)
        return self.energy

    def internal_force(self) -> NDArray[np.float64]:
        """Owned internal nodal forces in GPa um at the present state (collective)."""
        return self._assembled(self.model.residual())

    def _assembled(self, packed: CellForm) -> NDArray[np.float64]:
        """Owned values of an assembled linear form (collective)."""
        force = self._force.x
        force.array[:] = 0.0
        fem.assemble_vector(force.array, packed.form, coeffs=packed.coefficients)
        force.scatter_reverse(InsertMode.add)
        owned: NDArray[np.float64] = force.array[: self._owned].copy()
        return owned

    def residual(self, f: PETSc.Vec) -> float:
        """Gradient of the potential at the present state (collective).

        Returns:
            Norm of the internal forces in GPa um, the scale against which f is judged.
        """
        with timed(Phase.CONSTITUTIVE):
            form = self.model.residual()
        with timed(Phase.ASSEMBLY):
            force = self._assembled(form)
            scale = float(np.sqrt(self.comm.allreduce(float(force @ force), op=MPI.SUM)))
        with timed(Phase.CONTACT):
            self.contact_forces = self.surface.sum(self.contact_state.gradient())
            self.surface.add_owned(self.contact_forces.reshape(-1, 2)[self.surface.owned], force)
        self.surface.add_owned(self.drag_stiffness[:, None] * self.motion, force)
        force[self._owned_fixed] = 0.0
        f.setArray(force)
        return scale

    def max_drag_traction(self) -> float:
        """Largest traction of the surface drag in GPa (collective)."""
        fastest = loops.largest_norm(self.motion) / self.dt
        return self._drag * float(self.comm.allreduce(fastest, op=MPI.MAX))

    def reactions(self) -> Reactions:
        """Wall forces at the present state (collective)."""
        force = self.internal_force()
        # where particles touch right at a wall, the wall also holds what contact pushes
        contact = self.contact_forces.reshape(-1, 2)[self.surface.owned]
        self.surface.add_owned(contact * self.surface.fixed[self.surface.owned], force)
        pushed = self.contact_state.wall_forces()
        domain = self.model.domain
        totals = np.zeros(len(WALL_COMPONENT))
        for i, (name, component) in enumerate(WALL_COMPONENT.items()):
            nodes = domain.wall_nodes[name]
            nodes = nodes[nodes < domain.owned_nodes]
            inwards = 1.0 if name in ("left", "bottom") else -1.0
            held = force.reshape(-1, 2)[nodes, component].sum()
            totals[i] = inwards * (held + pushed[i])
        return Reactions(*self.comm.allreduce(totals, op=MPI.SUM))

    def tangent(self, storage: Storage = "whole") -> PETSc.Mat:
        """Hessian of the potential at the present state (collective).

        Args:
            storage: Which entries the matrix holds.
        """
        with timed(Phase.CONTACT):
            pairs = self.contact_state.hessian()
        return self._tangent.assemble(pairs, self.drag_stiffness, self.motion, storage)

    @property
    def expected_tangents(self) -> int:
        """How many tangents the pattern may serve: as many as the one before, 0 for the first."""
        return self._tangent.served_before


def _fixed_dofs(domain: Domain) -> NDArray[np.int32]:
    """Local dofs (owned and ghost) whose displacement the walls hold at zero."""
    parts = [2 * nodes + WALL_COMPONENT[name] for name, nodes in domain.wall_nodes.items()]
    return np.unique(np.concatenate(parts)).astype(np.int32)


def _dirichlet(space: fem.FunctionSpace, domain: Domain) -> Sequence[fem.DirichletBC]:
    """Zero normal displacement on every wall."""
    conditions = []
    for component in range(2):
        nodes = [n for w, n in domain.wall_nodes.items() if WALL_COMPONENT[w] == component]
        subspace = space.sub(component)
        zero = fem.Constant(domain.mesh, 0.0)
        dofs = np.unique(np.concatenate(nodes)).astype(np.int32)
        conditions.append(fem.dirichletbc(zero, 2 * dofs + component, subspace))
    return conditions
