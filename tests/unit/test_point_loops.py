"""Compiled loops over quadrature points against the UFL expressions that the forms are made of."""

from __future__ import annotations

from types import SimpleNamespace

import creep_fem._backend  # noqa: F401

# isort: split
import numpy as np
import pytest
import ufl
from dolfinx import fem
from mpi4py import MPI

from creep_fem.mechanics import loops
from creep_fem.mechanics.constitutive import HenckyNorton, Kinematics, Lame
from creep_fem.mechanics.domain import Domain
from creep_fem.mechanics.element import SHEAR_DEGREE, VOLUMETRIC_DEGREE
from creep_fem.mechanics.model import MechanicsModel
from creep_fem.mechanics.quadrature import CellRule
from creep_fem.microstructure import Disc, Layout, build_mesh

LAYOUT = Layout(2.0, (Disc(1.0, 1.0, 0.8, "active"),))
SIZES = SimpleNamespace(surface_size=0.3, interior_size=0.5)
PHASE = SimpleNamespace(bulk_modulus=6.7, shear_modulus=4.0, creep=None)
GROWTH = (1.2, 1.05)


def deformed(strain: float) -> MechanicsModel:
    """A disc with curved edges, random creep and displacements of about a strain."""
    domain = Domain.distribute(MPI.COMM_SELF, build_mesh(LAYOUT, SIZES))
    model = MechanicsModel(domain, (PHASE,))
    model.set_growth([GROWTH])
    rng = np.random.default_rng(11)
    x = domain.displacement_space.tabulate_dof_coordinates()[:, :2] - 1.0
    shear = np.array([[GROWTH[0] - 1.0 + strain, 2.0 * strain], [0.0, GROWTH[0] - 1.0 - strain]])
    noise = 0.01 * strain * rng.normal(size=x.shape)
    model.displacement.x.array[:] = (x @ shear.T + noise).ravel()
    creep = model.creep_inverse.x.array.reshape(-1, 3)
    creep += strain * rng.uniform(-0.3, 0.3, size=creep.shape)
    return model


def expressions(model: MechanicsModel) -> tuple[HenckyNorton, Kinematics]:
    growth = [fem.Constant(model.domain.mesh, stretch) for stretch in GROWTH]
    kinematics = Kinematics(ufl.grad(model.displacement), model.creep_inverse, *growth)
    return HenckyNorton(kinematics, Lame(PHASE.bulk_modulus, PHASE.shear_modulus)), kinematics


@pytest.mark.parametrize("strain", [1e-3, 0.3])
def test_trial_stresses_are_those_of_the_forms(strain: float) -> None:
    """With small strains through the series, with large ones through the logarithm."""
    model = deformed(strain)
    space, creep = model.domain.displacement_space, model.creep_inverse
    points = CellRule.of(space, SHEAR_DEGREE)
    cells = np.arange(len(space.dofmap.list), dtype=np.int32)
    stresses, admissible = loops.trial_stresses(
        *(model.displacement.x.array.reshape(-1, 2), space.dofmap.list),
        *(points.slopes, points.inverse),
        *(creep.function_space.dofmap.list, creep.x.array.reshape(-1, 3)),
        *(np.full(len(cells), value) for value in (*GROWTH, PHASE.shear_modulus)),
    )
    material, _ = expressions(model)
    wanted = fem.Expression(material.trial_mises, points.points).eval(space.mesh, cells)
    assert admissible
    np.testing.assert_allclose(stresses, wanted, rtol=1e-9)


def test_volume_ratios_and_weights_are_those_of_the_mesh() -> None:
    model = deformed(0.3)
    space = model.domain.displacement_space
    few = CellRule.of(space, VOLUMETRIC_DEGREE)
    cells = np.arange(len(space.dofmap.list), dtype=np.int32)
    displacement = model.displacement.x.array.reshape(-1, 2)
    ratios = loops.volume_ratios(displacement, space.dofmap.list, few.slopes, few.inverse)
    _, kinematics = expressions(model)
    wanted = fem.Expression(kinematics.volume_ratio, few.points).eval(space.mesh, cells)
    np.testing.assert_allclose(ratios, wanted, rtol=1e-12)
    measure = ufl.dx(domain=space.mesh, metadata={"quadrature_degree": VOLUMETRIC_DEGREE})
    volume = fem.assemble_scalar(fem.form(kinematics.volume_ratio * measure))
    assert np.sum(few.weights * ratios) == pytest.approx(volume, rel=1e-12)


def test_an_element_inside_out_is_not_admissible() -> None:
    model = deformed(1e-3)
    assert np.isfinite(model.evaluate(1.0))
    inside = model.domain.displacement_space.dofmap.list[0, 0]
    place = model.displacement.x.array.reshape(-1, 2)
    before = place[inside].copy()
    place[inside] += 5.0
    assert model.evaluate(1.0) == np.inf
    place[inside] = np.nan
    assert model.evaluate(1.0) == np.inf
    place[inside] = before
    assert np.isfinite(model.evaluate(1.0))
