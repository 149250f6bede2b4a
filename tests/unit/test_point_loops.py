"""Compiled loops over quadrature points against what UFL makes of the same material law."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import creep_fem._backend  # noqa: F401

# isort: split
import numpy as np
import pytest
import ufl
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray
from ufl.core.expr import Expr

from creep_fem.mechanics import loops
from creep_fem.mechanics.domain import Domain
from creep_fem.mechanics.element import SHEAR_DEGREE, VOLUMETRIC_DEGREE
from creep_fem.mechanics.forms import from_potential
from creep_fem.mechanics.model import MechanicsModel
from creep_fem.mechanics.packed import CellForm
from creep_fem.mechanics.quadrature import cell_rule
from creep_fem.microstructure import Disc, Layout, build_mesh

Array = NDArray[np.float64]
LAYOUT = Layout(3.6, (Disc(0.9, 1.8, 0.8, "active"), Disc(2.7, 1.8, 0.8, "framework")))
SIZES = SimpleNamespace(surface_size=0.3, interior_size=0.5)
NORTON = SimpleNamespace(rate=1e-5, reference_stress=0.1, exponent=4.5)
PHASES = (
    SimpleNamespace(bulk_modulus=6.7, shear_modulus=4.0, creep=NORTON),
    SimpleNamespace(bulk_modulus=67.0, shear_modulus=25.0, creep=None),
)


def unstrained(owned: float = 1.0) -> MechanicsModel:
    """Two discs of cells of either phase, with curved edges, not grown, moved or crept.

    Args:
        owned: Share of the nodes that count as those of this process.
    """
    domain = Domain.distribute(MPI.COMM_SELF, build_mesh(LAYOUT, SIZES))
    phase = np.random.default_rng(3).integers(2, size=len(domain.cell_phase), dtype=np.int32)
    count = round(owned * domain.owned_nodes)
    return MechanicsModel(dataclasses.replace(domain, cell_phase=phase, owned_nodes=count), PHASES)


def deformed(strain: float, owned: float = 1.0) -> MechanicsModel:
    """Discs with different growth, random creep and displacements of about a strain."""
    model = unstrained(owned)
    model.set_growth([(1.2, 1.05), (1.1, 0.97)])
    rng = np.random.default_rng(11)
    x = model.domain.displacement_space.tabulate_dof_coordinates()[:, :2] - 1.8
    shear = np.array([[0.15 + strain, 2.0 * strain], [0.0, 0.15 - strain]])
    noise = 0.01 * strain * rng.normal(size=x.shape)
    model.displacement.x.array[:] = (x @ shear.T + noise).ravel()
    creep = model.creep_inverse.x.array.reshape(-1, 3)
    creep += strain * rng.uniform(-0.3, 0.3, size=creep.shape)
    return model


def forces(model: MechanicsModel) -> Array:
    """Assembled residual."""
    form, coefficients = model.residual()
    values: Array = fem.assemble_vector(form, coeffs=coefficients).array
    return values


def stiffness(tangent: CellForm) -> Array:
    """Assembled tangent, dense."""
    form, coefficients = tangent
    values: Array = fem.assemble_matrix(form, coeffs=coefficients).to_dense()
    return values


@pytest.mark.parametrize("strain", [0.0, 1e-3, 0.3])
@pytest.mark.parametrize("dt", [0.0, 30.0])
def test_energy_is_that_of_the_forms(strain: float, dt: float) -> None:
    """With small strains through the series, with large ones through the logarithm."""
    model = deformed(strain) if strain > 0.0 else unstrained()
    mesh, fields = model.domain.mesh, model.fields
    energy, material = model.evaluate(dt), fields.material

    def integral(density: Expr, degree: int) -> float:
        rule = {"quadrature_degree": degree, "quadrature_scheme": "default"}
        form = fields.kinematics.growth_ratio * density * ufl.dx(domain=mesh, metadata=rule)
        return float(fem.assemble_scalar(fem.form(form)))

    sheared = loops.shear_energy(fields.shear, material.trial_mises, fields.increment)
    stress = material.trial_mises - 3.0 * fields.shear * fields.increment
    n = NORTON.exponent
    dissipated = n / (n + 1.0) * stress * fields.increment
    swollen = loops.volumetric_energy(fields.bulk, material.volumetric_strain)
    wanted = integral(sheared + dissipated, SHEAR_DEGREE) + integral(swollen, VOLUMETRIC_DEGREE)
    assert energy == pytest.approx(wanted, rel=1e-10, abs=1e-15)
    assert bool(model.creep_increment.max() > 1e-7) == (strain * dt > 0.0)


@pytest.mark.parametrize("strain", [1e-3, 0.3])
def test_creep_follows_the_law(strain: float) -> None:
    """The increment is A dt (q/s)^n, and its derivative by the trial stress belongs to it."""
    model, dt = deformed(strain), 30.0
    model.evaluate(dt)
    fields, mesh = model.fields, model.domain.mesh
    points = cell_rule(model.domain.displacement_space, SHEAR_DEGREE).points
    cells = np.flatnonzero(model.domain.cell_phase == 0).astype(np.int32)
    trial = fem.Expression(fields.material.trial_mises, points).eval(mesh, cells)
    dofs = fields.increment.function_space.dofmap.list[cells]
    increment, softening = (f.x.array[dofs] for f in (fields.increment, fields.softening))
    stress = trial - 3.0 * PHASES[0].shear_modulus * increment
    wanted = NORTON.rate * dt * (stress / NORTON.reference_stress) ** NORTON.exponent
    np.testing.assert_allclose(increment, wanted, rtol=1e-8)
    slope = NORTON.exponent * increment / stress
    wanted = slope / (1.0 + 3.0 * PHASES[0].shear_modulus * slope)
    np.testing.assert_allclose(softening, wanted, rtol=1e-8)


@pytest.mark.parametrize("strain", [0.0, 1e-3, 0.3])
def test_stresses_and_moduli_are_derivatives_of_the_potential(strain: float) -> None:
    """Residual and tangent are those that UFL derives, also where nothing is strained at all."""
    model = deformed(strain) if strain > 0.0 else unstrained()
    model.evaluate(30.0)
    assert bool(model.creep_increment.max() > 1e-7) == (strain > 0.0)
    fields, rng = model.fields, np.random.default_rng(5)
    residual, tangent = (fem.form(form) for form in from_potential(fields))
    wanted, found = fem.assemble_vector(residual).array, forces(model)
    scale = max(np.abs(wanted).max(), 1e-3)
    np.testing.assert_allclose(found, wanted, rtol=0.0, atol=1e-10 * scale)
    # moduli of any increments, in both phases, not only of those that belong to the stresses
    fields.increment.x.array[:] = 0.3 * strain * rng.uniform(size=len(fields.increment.x.array))
    fields.softening.x.array[:] = strain / 4.0 * rng.uniform(size=len(fields.softening.x.array))
    wanted, found = fem.assemble_matrix(tangent).to_dense(), stiffness(model.tangent().whole)
    np.testing.assert_allclose(found, wanted, rtol=0.0, atol=1e-10 * np.abs(wanted).max())


def test_forms_are_those_of_the_present_state() -> None:
    """Also where a step was accepted, growth was set or nodes moved since the last evaluation."""
    model = deformed(1e-3)
    model.evaluate(100.0)
    assert model.creep_increment.max() > 1e-5
    first = forces(model)
    model.accept()
    accepted = forces(model)
    np.testing.assert_allclose(accepted, first, rtol=0.0, atol=1e-10 * np.abs(first).max())
    model.set_growth([(1.21, 1.05), (1.1, 0.97)])
    changed = forces(model)
    model.evaluate(0.0)
    np.testing.assert_array_equal(forces(model), changed)
    assert np.abs(changed - first).max() > 1e-3 * np.abs(first).max()
    model.displacement.x.array[:] *= 1.01
    moved, tangent = forces(model), stiffness(model.tangent().whole)
    model.evaluate(0.0)
    np.testing.assert_array_equal(forces(model), moved)
    np.testing.assert_array_equal(stiffness(model.tangent().whole), tangent)
    assert np.abs(moved - changed).max() > 1e-3 * np.abs(first).max()


def test_fields_that_are_written_directly_count_from_the_next_evaluation_on() -> None:
    model = deformed(1e-3)
    model.fields.bulk.x.array[:] *= 1.5
    for stretch in model.fields.growth:
        stretch.x.array[:] *= 1.01
    model.evaluate(30.0)
    residual, tangent = (fem.form(form) for form in from_potential(model.fields))
    wanted, found = fem.assemble_vector(residual).array, forces(model)
    np.testing.assert_allclose(found, wanted, rtol=0.0, atol=1e-10 * np.abs(wanted).max())
    wanted, found = fem.assemble_matrix(tangent).to_dense(), stiffness(model.tangent().whole)
    np.testing.assert_allclose(found, wanted, rtol=0.0, atol=1e-10 * np.abs(wanted).max())


def test_forms_do_not_depend_on_the_order_of_the_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does the sum of their parts."""
    alone = deformed(1e-3)
    count = len(alone.domain.cell_phase)
    order = np.random.default_rng(7).permutation(count).astype(np.int32)
    monkeypatch.setattr("creep_fem.mechanics.model._inner_first", lambda _: (order, count // 3))
    model = deformed(1e-3)
    for either in (model, alone):
        either.evaluate(30.0)
    wanted, found = forces(alone), forces(model)
    np.testing.assert_allclose(found, wanted, rtol=0.0, atol=1e-13 * np.abs(wanted).max())
    wanted = stiffness(alone.tangent().whole)
    whole, inner, border = (stiffness(part) for part in model.tangent())
    for found in (whole, inner + border):
        np.testing.assert_allclose(found, wanted, rtol=0.0, atol=1e-13 * np.abs(wanted).max())


def test_cells_with_nodes_of_other_processes_are_a_part_of_their_own() -> None:
    model = deformed(1e-3, owned=0.6)
    _, inner, border = (stiffness(part) for part in model.tangent())
    nodes, owned = model.domain.displacement_space.dofmap.list, model.domain.owned_nodes
    assert inner.any()
    assert not inner[2 * owned :].any()
    at_seam = nodes[(nodes >= owned).any(axis=1)]
    assert set(np.flatnonzero(border.any(axis=1)) // 2) == set(at_seam.flat)


def test_forms_without_their_coefficients_are_not_a_number() -> None:
    model = deformed(1e-3)
    for form, coefficients in (model.residual(), model.tangent().whole):
        assemble = fem.assemble_vector if form.rank == 1 else fem.assemble_matrix
        bare, complete = assemble(form), assemble(form, coeffs=coefficients)
        values = [v.array if form.rank == 1 else v.data for v in (bare, complete)]
        assert np.isnan(values[0]).any()
        assert np.isfinite(values[1]).all()


def test_a_discarded_increment_leaves_no_trace() -> None:
    """What comes next is to the last digit what a model gives that was never anywhere else."""
    model, fresh = deformed(1e-3), deformed(1e-3)
    place = model.displacement.x.array.copy()
    model.displacement.x.array[:] *= 1.001
    model.evaluate(70.0)
    model.displacement.x.array[:] = place
    model.discard_increment()
    assert model.evaluate(30.0) == fresh.evaluate(30.0)
    np.testing.assert_array_equal(model.creep_increment, fresh.creep_increment)
    np.testing.assert_array_equal(forces(model), forces(fresh))


def test_weights_are_those_of_the_mesh() -> None:
    model = unstrained()
    space = model.domain.displacement_space
    for degree in (SHEAR_DEGREE, VOLUMETRIC_DEGREE):
        rule = cell_rule(space, degree)
        one = ufl.as_ufl(1.0) * ufl.dx(domain=space.mesh, metadata={"quadrature_degree": degree})
        area = fem.assemble_scalar(fem.form(one))
        assert np.sum(rule.weights) == pytest.approx(area, rel=1e-12)


def test_an_element_inside_out_is_not_admissible() -> None:
    model = deformed(1e-3)
    assert np.isfinite(model.evaluate(1.0))
    inside = model.domain.displacement_space.dofmap.list[0, 0]
    place = model.displacement.x.array.reshape(-1, 2)
    before = place[inside].copy()
    place[inside] += 5.0
    assert model.evaluate(1.0) == np.inf
    assert np.isnan(forces(model)).any()
    place[inside] = np.nan
    assert model.evaluate(1.0) == np.inf
    place[inside] = before
    assert np.isfinite(model.evaluate(1.0))


def test_a_rate_of_zero_is_elastic() -> None:
    """Also where a phase crept before, and where it has no law any more."""
    elastic = MechanicsModel(deformed(0.3).domain, [PHASES[1], PHASES[1]])
    still = SimpleNamespace(rate=0.0, reference_stress=0.1, exponent=4.5)
    for creep in (still, None):
        model = deformed(0.3)
        model.evaluate(30.0)
        assert model.creep_increment.max() > 0.0
        soft = SimpleNamespace(**{**vars(PHASES[1]), "creep": creep})
        model.set_parameters([soft, PHASES[1]])
        for name in ("displacement", "creep_inverse"):
            getattr(elastic, name).x.array[:] = getattr(model, name).x.array
        elastic.set_growth([(1.2, 1.05), (1.1, 0.97)])
        assert model.evaluate(30.0) == elastic.evaluate(30.0)
        np.testing.assert_array_equal(model.creep_increment, 0.0)


def test_a_tangent_is_that_of_the_parameters() -> None:
    """Without anything that evaluated them before."""
    model, fresh = deformed(1e-3), deformed(1e-3)
    model.evaluate(30.0)
    stiffer = {**vars(PHASES[0]), "bulk_modulus": 9.0, "shear_modulus": 5.0}
    for changed in (model, fresh):
        changed.set_parameters([SimpleNamespace(**stiffer), PHASES[1]])
    fresh.evaluate(30.0)
    wanted = fem.assemble_matrix(fem.form(from_potential(fresh.fields)[1])).to_dense()
    np.testing.assert_allclose(
        stiffness(model.tangent().whole), wanted, rtol=0.0, atol=1e-10 * np.abs(wanted).max()
    )
