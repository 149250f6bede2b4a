"""Drives the package's mechanics with displacements and loads that its simulations do not have.

Forms, material state and return map are those of :class:`creep_fem.mechanics.model.MechanicsModel`;
only Dirichlet conditions, loads and a plain Newton iteration are added here.
"""

from __future__ import annotations

import dataclasses
import weakref
from collections.abc import Callable, Sequence

import creep_fem._backend  # noqa: F401  isort: skip

import dolfinx.fem.petsc as fem_petsc
import numpy as np
import ufl
from dolfinx import fem, mesh
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc
from shapes import Array, Body
from ufl.core.expr import Expr

from creep_fem.materials.parameters import NortonCreep, PhaseMaterial
from creep_fem.mechanics.domain import Domain
from creep_fem.mechanics.model import MechanicsModel, PointValues
from creep_fem.mechanics.packed import CellForm

Place = Callable[[Array], NDArray[np.bool_]]
"""Which of the points, shape (3, n) in um, belong to a place."""

_TOLERANCE = 1e-11  # of the internal forces
ROUND_OFF = 3e-14  # internal forces of this strain count as zero
_LINEAR_SOLVER = {"ksp_type": "preonly", "pc_type": "lu", "pc_factor_mat_solver_type": "mumps"}


def material(young: float, poisson: float, creep: NortonCreep | None = None) -> PhaseMaterial:
    """A phase from its modulus in GPa, Poisson's ratio and creep law."""
    return PhaseMaterial("verified", young, poisson, 0.0, creep)


def everywhere(x: Array) -> NDArray[np.bool_]:
    """The whole boundary."""
    return np.ones(x.shape[1], dtype=bool)


def line(component: int, value: float) -> Place:
    """The points with a coordinate of this value in um."""
    return lambda x: np.isclose(x[component], value)


def circle(radius: float) -> Place:
    """The points on a circle around the origin, radius in um."""
    return lambda x: np.isclose(np.hypot(x[0], x[1]), radius)


def _weakly[**P, R](method: Callable[P, R]) -> Callable[P, R]:
    """The method without a hold on its object.

    The garbage collector does not see what PETSc holds: with a strong reference a body, and the
    communicators of its mesh, of which there are only some thousands, would never be freed.
    """
    reference = weakref.WeakMethod(method)

    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        bound = reference()
        assert bound is not None
        return bound(*args, **kwargs)

    return call


class LoadedBody:
    """A body with its material, held and loaded in ways to be added.

    Attributes:
        model: The package's mechanics.
        displacement: Its displacement in um.
    """

    def __init__(self, body: Body, phase: PhaseMaterial, round_off: float = ROUND_OFF) -> None:
        """Distribute the mesh and compile the package's forms (collective).

        Args:
            body: Its mesh.
            phase: Its material.
            round_off: Strain whose internal forces count as zero: less for tiny loads.
        """
        self.domain = Domain.distribute(MPI.COMM_WORLD, body)
        self.model = MechanicsModel(self.domain, (phase,))
        self.mesh, self.space = self.domain.mesh, self.domain.displacement_space
        self.comm: MPI.Intracomm = self.mesh.comm
        self.displacement = self.model.displacement
        self._floor = round_off * phase.bulk_modulus * float(np.ptp(body.points, axis=0).max())
        self._conditions: list[fem.DirichletBC] = []
        self._loads: list[Expr] = []
        self._snes: PETSc.SNES | None = None
        self._scale = 0.0
        self._dt = 0.0
        self._growth_ratio = 1.0

    # --- conditions and loads ------------------------------------------------------------

    def _dofs(self, place: Place) -> NDArray[np.int32]:
        facets = mesh.locate_entities_boundary(self.mesh, 1, place)
        self.mesh.topology.create_connectivity(1, 2)
        nodes = fem.locate_dofs_topological(self.space, 1, facets)
        dofs: NDArray[np.int32] = nodes.astype(np.int32)
        return dofs

    def hold(self, place: Place, component: int) -> fem.Constant:
        """Prescribe a displacement component on part of the boundary; its value is returned."""
        value = fem.Constant(self.mesh, 0.0)
        dofs = 2 * self._dofs(place) + component
        self._conditions.append(fem.dirichletbc(value, dofs, self.space.sub(component)))
        return value

    def prescribe(self, place: Place) -> fem.Function:
        """Prescribe the displacement on part of the boundary; its values are returned."""
        values = fem.Function(self.space)
        self._conditions.append(fem.dirichletbc(values, self._dofs(place)))
        return values

    def push(self, place: Place) -> fem.Constant:
        """Apply a pressure that follows the surface; its value in GPa is returned."""
        pressure = fem.Constant(self.mesh, 0.0)
        facets = mesh.locate_entities_boundary(self.mesh, 1, place)
        tags = mesh.meshtags(self.mesh, 1, np.sort(facets), np.ones(len(facets), np.int32))
        ds = ufl.Measure(
            "ds", domain=self.mesh, subdomain_data=tags, metadata={"quadrature_degree": 6}
        )
        gradient = ufl.Identity(2) + ufl.grad(self.displacement)
        area = ufl.det(gradient) * ufl.inv(gradient).T * ufl.FacetNormal(self.mesh)
        self._loads.append(pressure * ufl.inner(area, ufl.TestFunction(self.space)) * ds(1))
        return pressure

    def pull(self, body_force: Expr, degree: int) -> None:
        """Apply a force per reference volume in GPa/um, integrated with the given degree."""
        dx = ufl.Measure("dx", domain=self.mesh, metadata={"quadrature_degree": degree})
        self._loads.append(-ufl.inner(body_force, ufl.TestFunction(self.space)) * dx)

    def grow(self, in_plane: float, out_of_plane: float) -> None:
        """Set the swelling stretches."""
        self.model.set_growth([(in_plane, out_of_plane)])
        self._growth_ratio = in_plane**2 * out_of_plane

    # --- solution ------------------------------------------------------------------------

    def advance(self, dt: float) -> None:
        """Take a time step of dt seconds (collective).

        Raises:
            ArithmeticError: If Newton's iteration does not converge.
        """
        self.solve(dt)
        self.model.accept()

    def solve(self, dt: float) -> None:
        """Find the end state of a time step without accepting it (collective)."""
        self._dt = dt
        if self._snes is None:
            self._snes = self._create_snes()
        x = fem_petsc.create_vector(self.space)
        x.setArray(self.displacement.x.array[: x.getLocalSize()])
        self._snes.solve(None, x)
        if self._snes.getConvergedReason() <= 0:
            raise ArithmeticError(f"Newton's iteration: {self._snes.getConvergedReason()}")
        self._move_to(x)
        x.destroy()

    def _create_snes(self) -> PETSc.SNES:
        zero = ufl.inner(fem.Constant(self.mesh, (0.0, 0.0)), ufl.TestFunction(self.space))
        work = sum(self._loads, zero * ufl.dx(domain=self.mesh))
        direction = ufl.TrialFunction(self.space)
        self._load = fem.form(work)
        stiffness = ufl.derivative(work, self.displacement, direction)
        self._other_tangents: list[fem.Form] = []
        if not ufl.algorithms.expand_derivatives(stiffness).empty():
            self._other_tangents.append(fem.form(stiffness))
        options = PETSc.Options()
        for key, value in _LINEAR_SOLVER.items():
            options[f"verification_{key}"] = value
        snes = PETSc.SNES().create(self.comm)
        snes.setOptionsPrefix("verification_")
        snes.setType("newtonls")
        snes.getLineSearch().setType("bt")
        snes.setFunction(_weakly(self._function), fem_petsc.create_vector(self.space))
        matrix = fem_petsc.create_matrix(self.model.coupling)
        snes.setJacobian(_weakly(self._jacobian), matrix)
        snes.setConvergenceTest(_weakly(self._test))
        snes.setTolerances(max_it=60)
        snes.getKSP().setFromOptions()
        # dropped objects of several processes wait for a clean-up that nobody calls
        weakref.finalize(self, snes.destroy).atexit = False
        return snes

    def _move_to(self, x: PETSc.Vec) -> bool:
        """Bring the material to x, unless that turns an element inside out."""
        self.displacement.x.array[: x.getLocalSize()] = x.getArray(readonly=True)
        self.displacement.x.scatter_forward()
        admissible = np.isfinite(self.model.evaluate(self._dt))
        return bool(self.comm.allreduce(admissible, op=MPI.LAND))

    def _function(self, _snes: PETSc.SNES, x: PETSc.Vec, f: PETSc.Vec) -> None:
        if not self._move_to(x):
            f.set(np.inf)  # the line search shortens the step
            return
        with f.localForm() as local:
            local.set(0.0)
        self._add_internal_forces(f)
        inner = f.copy()
        inner.ghostUpdate(PETSc.InsertMode.ADD, PETSc.ScatterMode.REVERSE)
        self._scale = inner.norm()
        inner.destroy()
        fem_petsc.assemble_vector(f, self._load)
        others = (CellForm(form, fem.pack_coefficients(form)) for form in self._other_tangents)
        with self.displacement.x.petsc_vec.localForm() as start:
            held = {"bcs": [self._conditions], "x0": [start], "alpha": -1.0}
            for form, coefficients in (self.model.tangent().whole, *others):
                fem_petsc.apply_lifting(f, [form], **held, coeffs=[coefficients])
        f.ghostUpdate(PETSc.InsertMode.ADD, PETSc.ScatterMode.REVERSE)
        fem_petsc.set_bc(f, self._conditions, x0=x, alpha=-1.0)

    def _jacobian(self, _snes: PETSc.SNES, _x: PETSc.Vec, j: PETSc.Mat, _p: PETSc.Mat) -> None:
        j.zeroEntries()
        for form in self._other_tangents:
            fem_petsc.assemble_matrix(j, form, bcs=self._conditions, diag=0.0)
            j.assemble(PETSc.Mat.AssemblyType.FLUSH)
        form, coefficients = self.model.tangent().whole
        fem_petsc.assemble_matrix(j, form, bcs=self._conditions, coeffs=coefficients)
        j.assemble()

    def _test(
        self, _snes: PETSc.SNES, iteration: int, norms: tuple[float, float, float]
    ) -> PETSc.SNES.ConvergedReason | None:
        reasons = PETSc.SNES.ConvergedReason
        if not np.isfinite(norms[2]):
            return reasons.DIVERGED_FUNCTION_NANORINF
        if norms[2] <= _TOLERANCE * self._scale + self._floor:
            return reasons.CONVERGED_FNORM_RELATIVE
        return reasons.DIVERGED_MAX_IT if iteration >= 60 else None

    # --- results -------------------------------------------------------------------------

    def _add_internal_forces(self, f: PETSc.Vec) -> None:
        form, coefficients = self.model.residual()
        fem_petsc.assemble_vector(f, form, coeffs=coefficients)

    def _internal_forces(self) -> Array:
        """Owned nodal forces in GPa um per thickness, shape (n, 2) (collective)."""
        force = fem.Function(self.space)
        self._add_internal_forces(force.x.petsc_vec)
        force.x.petsc_vec.ghostUpdate(PETSc.InsertMode.ADD, PETSc.ScatterMode.REVERSE)
        forces: Array = force.x.array.reshape(-1, 2)[: self.domain.owned_nodes]
        return forces

    def force(self, place: Place, component: int) -> float:
        """Force in GPa um per thickness on part of the boundary, from the internal forces."""
        forces, nodes = self._internal_forces(), self._dofs(place)
        return self._sum(forces[nodes[nodes < len(forces)], component])

    def nominal_stress(self) -> Array:
        """Integral of P over the reference area in GPa um^2, from forces times positions.

        Unlike the force on a side it owes nothing to the sides that share its corners.
        """
        forces = self._internal_forces()
        places = self.space.tabulate_dof_coordinates()[: len(forces), :2]
        stress: Array = self.comm.allreduce(forces.T @ places)
        return stress

    def mean_displacement(self, place: Place, direction: Sequence[float] | None = None) -> float:
        """Mean over the nodes of a part of the boundary, along a direction or outwards (radial)."""
        nodes = self._dofs(place)
        nodes = nodes[nodes < self.domain.owned_nodes]
        along = self.space.tabulate_dof_coordinates()[nodes, :2]
        along = along / np.linalg.norm(along, axis=1)[:, None] if direction is None else direction
        values = np.sum(self.displacement.x.array.reshape(-1, 2)[nodes] * along, axis=1)
        return self._sum(values) / self._sum(np.ones(len(nodes)))

    def point_values(self) -> PointValues:
        """State at the quadrature points of all cells, on every process (collective)."""
        values = self.model.point_values()
        return PointValues(
            *(self.gather(getattr(values, field.name)) for field in dataclasses.fields(values))
        )

    def at_points(self, expression: Expr) -> Array:
        """Values at the quadrature points of all cells, on every process (collective)."""
        points = self.model.creep_inverse.function_space.element.interpolation_points
        cells = np.arange(self.mesh.topology.index_map(2).size_local, dtype=np.int32)
        return self.gather(fem.Expression(expression, points).eval(self.mesh, cells))

    def node_positions(self) -> Array:
        """Present positions of all nodes in um, shape (n, 2), on every process (collective)."""
        nodes = self.space.tabulate_dof_coordinates()[:, :2]
        moved = nodes + self.displacement.x.array.reshape(-1, 2)
        return self.gather(moved[: self.domain.owned_nodes])

    def area(self) -> float:
        """Current area in um^2 (collective)."""
        return self._sum(self.model.point_values().volume)

    def elastic_volume_ratio(self) -> float:
        """Mean det Fe of a body whose reference area is 1 um^2 (collective)."""
        return self.area() / self._growth_ratio

    def gather(self, owned: Array) -> Array:
        """Rows of all processes, on every process."""
        return np.concatenate(self.comm.allgather(owned))

    def integral(self, expression: Expr, degree: int) -> float:
        """Integral over the reference volume with the given degree (collective)."""
        dx = ufl.Measure("dx", domain=self.mesh, metadata={"quadrature_degree": degree})
        return float(self.comm.allreduce(float(fem.assemble_scalar(fem.form(expression * dx)))))

    def _sum(self, owned: Array) -> float:
        return float(self.comm.allreduce(float(np.sum(owned))))
