"""Weak form of equilibrium and its tangent, in UFL.

Runs use the forms of :func:`from_point_values`: shear enters by stresses and moduli at the points,
which ``loops.respond`` and ``moduli.set_moduli`` evaluate. They are derivatives of a potential that
UFL can derive as well (:func:`from_potential`), but its kernel of the tangent takes many times as
many operations. Those forms are what the fast ones are tested against and compared with.
"""

from __future__ import annotations

from dataclasses import dataclass

import creep_fem._backend  # noqa: F401  isort: skip

import basix.ufl
import numpy as np
import ufl
from dolfinx import fem
from ufl.core.expr import Expr

from creep_fem.mechanics import loops
from creep_fem.mechanics.constitutive import HenckyNorton, Kinematics, Lame
from creep_fem.mechanics.element import SHEAR_DEGREE, VOLUMETRIC_DEGREE


@dataclass(frozen=True)
class Fields:
    """Functions that the forms depend on; those at the points are of the rule for shear.

    The forms of :func:`from_point_values` take all values from tables (``packed.py``).

    Attributes:
        displacement: Displacement in um.
        creep_inverse: Components (11, 22, 12) of Ccr^-1 at the start of the step, at the points.
        increment: Equivalent creep strain increment dg, at the points.
        softening: Its derivative by the trial stress in 1/GPa, at the points.
        stress: Stands for the derivatives of the shear energy by F, components (11, 12, 21, 22) in
            GPa, at the points.
        moduli: Stands for its second derivatives in GPa, the upper triangle row by row, at the
            points.
        growth: Stretches of the swelling (in plane, out of plane), by cell.
        bulk: Bulk modulus in GPa, by cell.
        shear: Shear modulus in GPa, by cell.
    """

    displacement: fem.Function
    creep_inverse: fem.Function
    increment: fem.Function
    softening: fem.Function
    stress: fem.Function
    moduli: fem.Function
    growth: tuple[fem.Function, fem.Function]
    bulk: fem.Function
    shear: fem.Function

    @classmethod
    def on(cls, space: fem.FunctionSpace) -> Fields:
        """All zero, but for the creep tensor and stand-ins, for displacements of a space."""
        mesh = space.mesh
        cell, by_cell = mesh.topology.cell_name(), fem.functionspace(mesh, ("DG", 0))

        def at_points(*shape: int) -> fem.Function:
            element = basix.ufl.quadrature_element(cell, value_shape=shape, degree=SHEAR_DEGREE)
            return fem.Function(fem.functionspace(mesh, element))

        creep_inverse = at_points(3)
        creep_inverse.x.array.reshape(-1, 3)[:] = (1.0, 1.0, 0.0)
        stress, moduli = at_points(4), at_points(10)
        for stand_in in (stress, moduli):
            stand_in.x.array[:] = np.nan  # shows where a form is assembled without its table
        return cls(
            displacement=fem.Function(space, name="displacement"),
            creep_inverse=creep_inverse,
            increment=at_points(),
            softening=at_points(),
            stress=stress,
            moduli=moduli,
            growth=(fem.Function(by_cell), fem.Function(by_cell)),
            bulk=fem.Function(by_cell),
            shear=fem.Function(by_cell),
        )

    @property
    def kinematics(self) -> Kinematics:
        """Inputs of the material law at a point."""
        return Kinematics(ufl.grad(self.displacement), self.creep_inverse, *self.growth)

    @property
    def material(self) -> HenckyNorton:
        """The material law at a point."""
        return HenckyNorton(self.kinematics, Lame(self.bulk, self.shear))


def from_point_values(fields: Fields) -> tuple[ufl.Form, ufl.Form]:
    """Residual and tangent from stresses and moduli at the points."""
    v, du = _arguments(fields)
    dx = _measure(fields, SHEAR_DEGREE)
    by_volume = ufl.derivative(_volumetric_part(fields), fields.displacement, v)
    stress, rows = fields.stress, ((0, 1, 2, 3), (1, 4, 5, 6), (2, 5, 7, 8), (3, 6, 8, 9))
    moduli = ufl.as_matrix([[fields.moduli[entry] for entry in row] for row in rows])
    tested, changed = _components(ufl.grad(v)), _components(ufl.grad(du))
    residual = ufl.inner(stress, tested) * dx + by_volume
    tangent = ufl.inner(tested, moduli * changed) * dx
    return residual, tangent + ufl.derivative(by_volume, fields.displacement, du)


def from_potential(fields: Fields) -> tuple[ufl.Form, ufl.Form]:
    """Residual and tangent as UFL derives them from the energy at a fixed increment."""
    v, du = _arguments(fields)
    dx = _measure(fields, SHEAR_DEGREE)
    trial, growth_ratio = fields.material.trial_mises, fields.kinematics.growth_ratio
    # the dissipation is stationary with the increment, so only what is stored has a derivative
    sheared = loops.shear_energy(fields.shear, trial, fields.increment)
    energy = growth_ratio * sheared * dx + _volumetric_part(fields)
    residual = ufl.derivative(energy, fields.displacement, v)
    # dg follows q_trial: the potential's mixed derivative is -1 per unit of q_trial
    slope, change = (ufl.derivative(trial, fields.displacement, w) for w in (v, du))
    softened = growth_ratio * fields.softening * slope * change * dx
    return residual, ufl.derivative(residual, fields.displacement, du) - softened


def _arguments(fields: Fields) -> tuple[ufl.Argument, ufl.Argument]:
    space = fields.displacement.function_space
    return ufl.TestFunction(space), ufl.TrialFunction(space)


def _volumetric_part(fields: Fields) -> ufl.Form:
    """Energy of the change of volume."""
    dx = _measure(fields, VOLUMETRIC_DEGREE)
    density = loops.volumetric_energy(fields.bulk, fields.material.volumetric_strain)
    return fields.kinematics.growth_ratio * density * dx


def _components(tensor: Expr) -> Expr:
    """Components (11, 12, 21, 22)."""
    return ufl.as_vector([tensor[i, j] for i in range(2) for j in range(2)])


def _measure(fields: Fields, degree: int) -> ufl.Measure:
    mesh = fields.displacement.function_space.mesh
    rule = {"quadrature_degree": degree, "quadrature_scheme": "default"}
    return ufl.Measure("dx", domain=mesh, metadata=rule)
