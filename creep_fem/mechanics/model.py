"""Material state at the quadrature points, and the compiled forms that it enters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import creep_fem._backend  # noqa: F401  isort: skip

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray

from creep_fem.mechanics import forms, loops
from creep_fem.mechanics.domain import Domain
from creep_fem.mechanics.element import SHEAR_DEGREE, VOLUMETRIC_DEGREE
from creep_fem.mechanics.moduli import set_moduli
from creep_fem.mechanics.packed import CellForm, PackedForm, SplitForm
from creep_fem.mechanics.quadrature import cell_rule


class Creep(Protocol):
    """Parameters of the Norton law A (q/s)^n."""

    @property
    def rate(self) -> float:
        """Creep rate A at the reference stress in 1/s, at least 0."""

    @property
    def reference_stress(self) -> float:
        """Reference stress s in GPa."""

    @property
    def exponent(self) -> float:
        """Stress exponent n."""


class Phase(Protocol):
    """Mechanical parameters of one phase."""

    @property
    def bulk_modulus(self) -> float:
        """Bulk modulus K in GPa."""

    @property
    def shear_modulus(self) -> float:
        """Shear modulus G in GPa."""

    @property
    def creep(self) -> Creep | None:
        """Creep law, None for an elastic phase."""


@dataclass(frozen=True)
class PointValues:
    """Fields at the quadrature points of the owned cells, each of shape (cells, points).

    Attributes:
        mises: Von Mises Cauchy stress in GPa.
        pressure: Mean Cauchy pressure in GPa.
        volume: Current volume per unit thickness of the point in um^2.
        creep_strain: Accumulated equivalent creep strain.
    """

    mises: NDArray[np.float64]
    pressure: NDArray[np.float64]
    volume: NDArray[np.float64]
    creep_strain: NDArray[np.float64]


class MechanicsModel:
    """Forms and material state of a packing of elastic and creeping bodies."""

    def __init__(self, domain: Domain, phases: Sequence[Phase]) -> None:
        """Build and compile all forms (collective).

        Args:
            domain: The distributed mesh.
            phases: Parameters, indexed like ``domain.cell_phase``.
        """
        self.domain = domain
        mesh, space = domain.mesh, domain.displacement_space
        self.fields = forms.Fields.on(space)
        self.displacement, self.creep_inverse = self.fields.displacement, self.fields.creep_inverse
        self._by_cell = *self.fields.growth, self.fields.bulk
        self._cells = np.arange(mesh.topology.index_map(2).size_local, dtype=np.int32)
        self._rule, self._few = (
            cell_rule(space, degree) for degree in (SHEAR_DEGREE, VOLUMETRIC_DEGREE)
        )
        self._build_forms()
        self._points = self._points_of_fields()
        # Where, and for which step, creep and stresses at the points were last evaluated.
        self._evaluated_at, self._dt = np.full_like(self.displacement.x.array, np.nan), 0.0
        self.set_parameters(phases)
        self.set_growth([(1.0, 1.0)] * len(phases))
        self.creep_strain = np.zeros(self._rule.weights.shape)

    def _points_of_fields(self) -> loops.Points:
        fields, (residual, _) = self.fields, self._packed
        cells = fields.displacement.function_space.dofmap.list
        dofs = fields.increment.function_space.dofmap.list
        return loops.Points(
            displacement=fields.displacement.x.array.reshape(-1, 2),
            cells=cells,
            rows=np.argsort(self._order).astype(np.int32),
            moved=residual.values(fields.displacement, cells.shape[1], 2),
            dofs=dofs,
            creep_inverse=fields.creep_inverse.x.array.reshape(-1, 3),
            in_plane=fields.growth[0].x.array,
            out_of_plane=fields.growth[1].x.array,
            bulk=fields.bulk.x.array,
            shear=fields.shear.x.array,
            rate=np.zeros_like(fields.bulk.x.array),
            reference_stress=np.ones_like(fields.bulk.x.array),
            exponent=np.ones_like(fields.bulk.x.array),
            increment=fields.increment.x.array,
            softening=fields.softening.x.array,
            last=np.zeros((len(fields.increment.x.array), 2)),
            stress=residual.values(fields.stress, dofs.shape[1], 4),
            gradient=np.zeros((len(fields.increment.x.array), 4)),
            strain=np.zeros((len(fields.increment.x.array), 4)),
        )

    def set_parameters(self, phases: Sequence[Phase]) -> None:
        """Set moduli and creep laws; a step uses those at its end, as it uses the growth there.

        Args:
            phases: Parameters, indexed like ``domain.cell_phase``. A phase creeps from the first
                step on or never: where it comes to a stop, the rate of its law is 0.
        """
        points, phase = self._points, self.domain.cell_phase
        points.bulk[:] = np.array([p.bulk_modulus for p in phases])[phase]
        points.shear[:] = np.array([p.shear_modulus for p in phases])[phase]
        for number, parameters in enumerate(phases):
            cells, creep = phase == number, parameters.creep
            points.rate[cells] = 0.0 if creep is None else creep.rate
            if creep is not None:
                points.reference_stress[cells] = creep.reference_stress
                points.exponent[cells] = creep.exponent
        creeping = np.array([p.creep is not None for p in phases])[phase]
        self._creeping_cells = np.flatnonzero(creeping).astype(np.int32)
        self._evaluated_at[:] = np.nan

    def _build_forms(self) -> None:
        self._order, inner = _inner_first(self.domain)
        self._packed = tuple(
            PackedForm(form, self._order) for form in forms.from_point_values(self.fields)
        )
        residual, tangent = self._packed
        owned = len(self._cells)
        parts = slice(owned), slice(inner), slice(inner, owned)
        self._residual = residual.over(slice(owned))
        self._tangent = SplitForm(*map(tangent.over, parts))
        # the pressure lives at the points of the volumetric strain and is linear through them
        points, few = self._rule.points, self._few.points
        self._from_few = _linear_through(few, points)
        material, kinematics = self.fields.material, self.fields.kinematics
        increment = self.fields.increment
        self._state = fem.Expression(
            ufl.as_vector((material.mises(increment), kinematics.volume_ratio)), points
        )
        self._pressure = fem.Expression(material.pressure, few)
        self._updated = fem.Expression(material.updated_creep_inverse(increment), points)
        self._gradient = fem.Expression(kinematics.deformation_gradient, points)

    def set_growth(self, stretches: Sequence[tuple[float, float]]) -> None:
        """Set the swelling stretches (in plane, out of plane) of every phase."""
        for component, function in enumerate(self.fields.growth):
            values = np.array([s[component] for s in stretches])
            function.x.array[:] = values[self.domain.cell_phase]
        self._evaluated_at[:] = np.nan

    def evaluate(self, dt: float) -> float:
        """Bring creep, stresses and potential to the present displacement, for a step of dt s.

        The potential is that of which the residual is the derivative.

        Returns:
            Energy stored and dissipated in the owned cells in GPa um^2; infinite where one of them,
            or a ghost of this process, is turned inside out.
        """
        self._evaluated_at[:], self._dt = self.displacement.x.array, dt
        for function in self._by_cell:
            self._packed[0].values(function)[:, 0] = function.x.array[self._order]
        return loops.respond(self._points, self._rule, self._few, dt, len(self._cells))

    def residual(self) -> CellForm:
        """Form of the residual at the present displacement, for the step last evaluated.

        Growth and parameters may have been set since; what is written to other fields directly
        counts from the next evaluation on.
        """
        self._evaluate_if_changed()
        return self._residual

    def tangent(self) -> SplitForm:
        """Form of the tangent, likewise."""
        self._evaluate_if_changed()
        points, (residual, tangent) = self._points, self._packed
        for function in (self.displacement, *self._by_cell):
            tangent.values(function)[:] = residual.values(function)
        set_moduli(
            *(points.dofs[: len(self._cells)], points.rows),
            *(points.gradient, points.strain, points.creep_inverse),
            *(points.increment, points.softening),
            *(points.shear, points.in_plane, points.out_of_plane),
            tangent.values(self.fields.moduli, points.dofs.shape[1], 10),
        )
        return self._tangent

    @property
    def coupling(self) -> fem.Form:
        """A form that couples the dofs of every owned cell as the tangent does."""
        return self._tangent.whole.form

    def _evaluate_if_changed(self) -> None:
        """Make sure that forms never get the stresses of another displacement."""
        if not np.array_equal(self._evaluated_at, self.displacement.x.array):
            self.evaluate(self._dt)

    @property
    def creeping_owned_cells(self) -> NDArray[np.int32]:
        """Owned cells of the phases that creep."""
        return self._creeping_cells[self._creeping_cells < len(self._cells)]

    @property
    def creep_increment(self) -> NDArray[np.float64]:
        """Equivalent creep strain of the present step, shape (local cells, points)."""
        values: NDArray[np.float64] = self._points.increment[self._points.dofs]
        return values

    def accept(self) -> None:
        """Make the present step's end state the start state of the next step."""
        cells = self._creeping_cells
        if len(cells) == 0:
            return
        updated = self._updated.eval(self.domain.mesh, cells)
        blocks = self._points.dofs[cells]
        self.creep_strain[cells] += self._points.increment[blocks]
        self._points.creep_inverse[blocks] = updated
        # the increment belongs to the finished step: q = q_trial now
        self.discard_increment()

    def discard_increment(self) -> None:
        """Set the creep of the present step to zero, with what round-off left in its solution."""
        for values in (self._points.increment, self._points.softening, self._points.last):
            values[:] = 0.0
        self._evaluated_at[:], self._dt = np.nan, 0.0

    def point_values(self) -> PointValues:
        """Stress, volume and creep strain of the accepted state at the owned points."""
        state = self._state.eval(self.domain.mesh, self._cells)
        pressure = self._pressure.eval(self.domain.mesh, self._cells)
        return PointValues(
            mises=state[..., 0],
            pressure=pressure @ self._from_few.T,
            volume=state[..., 1] * self._rule.weights[: len(self._cells)],
            creep_strain=self.creep_strain[self._cells],
        )

    def creep_directions(self) -> NDArray[np.float64]:
        """In-plane direction in which the owned cells have crept longest, shape (cells, 2).

        The principal direction of the creep tensor Ccr with the larger stretch, carried along by
        F to the deformed state; zero where nothing has crept.
        """
        blocks = self._points.dofs[self._cells]
        c = self._points.creep_inverse[blocks].mean(axis=1)
        angle = 0.5 * np.arctan2(-2.0 * c[:, 2], c[:, 1] - c[:, 0])
        axis = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        gradient = self._gradient.eval(self.domain.mesh, self._cells).mean(axis=1).reshape(-1, 2, 2)
        direction = np.einsum("nij,nj->ni", gradient, axis)
        direction /= np.linalg.norm(direction, axis=1)[:, None]
        crept = self.creep_strain[self._cells].mean(axis=1) > 0.0
        directions: NDArray[np.float64] = direction * crept[:, None]
        return directions


def _inner_first(domain: Domain) -> tuple[NDArray[np.int32], int]:
    """All local cells, first those that are owned with all their nodes, and the number of these."""
    inner = (domain.displacement_space.dofmap.list < domain.owned_nodes).all(axis=1)
    inner[domain.mesh.topology.index_map(2).size_local :] = False
    return np.argsort(~inner, kind="stable").astype(np.int32), int(np.count_nonzero(inner))


def _linear_through(few: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights that carry values at three points linearly to others, shape (points, 3)."""
    ones = np.ones((len(few), 1)), np.ones((len(points), 1))
    basis, values = np.hstack([ones[0], few]), np.hstack([ones[1], points])
    weights: NDArray[np.float64] = np.linalg.solve(basis.T, values.T).T
    return weights
