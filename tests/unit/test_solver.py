"""Step problem, Newton solver and time stepper on two discs that swell into each other."""

from __future__ import annotations

from dataclasses import replace

import creep_fem._backend  # noqa: F401

# isort: split
import gc
import weakref
from dataclasses import dataclass

import numpy as np
import pytest
from mpi4py import MPI
from petsc4py import PETSc

from creep_fem.contact.boundary import Boundary
from creep_fem.contact.friction import CoulombLaw
from creep_fem.contact.law import PressureGapLaw
from creep_fem.errors import NotConverged
from creep_fem.mechanics.domain import Domain
from creep_fem.mechanics.model import MechanicsModel
from creep_fem.microstructure import Disc, Layout, build_mesh
from creep_fem.solver.newton import NewtonSettings, NewtonSolver
from creep_fem.solver.problem import StepProblem
from creep_fem.solver.secant import SecantUpdates
from creep_fem.solver.stepping import StepSettings, TimeStepper
from creep_fem.solver.tangent import Storage

BOX = 3.0
DRAG = 4.0  # GPa s/um
LAYOUT = Layout(BOX, (Disc(0.75, 1.5, 0.7, "active"), Disc(3.0, 1.5, 1.45, "framework")))


@dataclass(frozen=True)
class Sizes:
    surface_size: float = 0.4
    interior_size: float = 0.6


@dataclass(frozen=True)
class Norton:
    rate: float = 1e-5
    reference_stress: float = 0.1
    exponent: float = 4.5


@dataclass(frozen=True)
class Phase:
    bulk_modulus: float
    shear_modulus: float
    creep: Norton | None


@dataclass
class Ramp:
    """Volume growth of the first phase at a constant rate in 1/s."""

    model: MechanicsModel
    rate: float

    def apply(self, time: float) -> None:
        stretch = (1.0 + self.rate * time) ** (1.0 / 3.0)
        self.model.set_growth([(stretch, stretch), (1.0, 1.0)])


def two_discs(friction: CoulombLaw | None = None) -> StepProblem:
    return packed(LAYOUT, DRAG, friction)


def packed(layout: Layout, drag: float, friction: CoulombLaw | None = None) -> StepProblem:
    particles = build_mesh(layout, Sizes())
    domain = Domain.distribute(MPI.COMM_SELF, particles)
    model = MechanicsModel(domain, (Phase(6.7, 4.0, Norton()), Phase(67.0, 40.0, None)))
    boundary = Boundary.from_arcs(particles.points, particles.arcs, BOX)
    law = PressureGapLaw(100.0, 0.004, 0.1)
    return StepProblem(model, boundary, law, BOX, search_margin=0.1, drag=drag, friction=friction)


def stepper(
    problem: StepProblem,
    iterations: int = 40,
    minimum: float = 1.0,
    rate: float = 0.6 / 36000.0,
    chord_reduction: float = 0.6,
    tolerance: float = 1e-9,
) -> TimeStepper:
    settings = NewtonSettings(tolerance, 1e-4, iterations, 0.05, chord_reduction)
    solver = NewtonSolver(problem, settings, {})
    return TimeStepper(
        solver, Ramp(problem.model, rate), StepSettings(200.0, minimum, 3600.0, 2e-3)
    )


def test_every_iterate_is_evaluated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """So is a first guess that is not taken, but not the one that is."""
    problem = two_discs()
    march = stepper(problem)
    list(march.advance_to(2000.0))
    calls = []
    residual = problem.residual
    monkeypatch.setattr(problem, "residual", lambda f: calls.append(f) or residual(f))
    here = problem.model.displacement.x.array.copy()
    for guess, unused in ((None, 0), (here, 0), (here + 1e-3, 1)):
        problem.model.displacement.x.array[:] = here
        problem.begin(500.0)
        march.loading.apply(2500.0)
        calls.clear()
        result = march.solver.solve(guess)
        assert result.converged
        assert len(result.residuals) > 1
        assert len(calls) == len(result.residuals) + unused


@pytest.mark.parametrize("friction", [None, CoulombLaw(0.3, 1e-3)])
@pytest.mark.parametrize("turn", [0.0, 0.5])
def test_residual_and_tangent_are_derivatives_of_the_potential(
    friction: CoulombLaw | None, turn: float
) -> None:
    """With friction the matrix couples what touched before a disc turned by some edges, too."""
    problem = two_discs(friction)
    Ramp(problem.model, 0.6 / 36000.0).apply(20000.0)
    rng = np.random.default_rng(3)
    x, f, product = (problem.new_vector() for _ in range(3))
    free = np.ones(x.getLocalSize())
    free[problem.fixed_dofs] = 0.0
    # the active disc grows by more than the gap around it; some noise everywhere
    place = problem.space.tabulate_dof_coordinates()[:, :2] - np.array([0.75, 1.5])
    active = np.hypot(*place.T) < 0.71
    growth = (0.15 * place * active[:, None]).ravel()
    grown = free * (growth + 1e-3 * rng.normal(size=len(free)))
    problem.model.displacement.x.array[:] = grown
    problem.begin(500.0)
    cosine, sine = np.cos(turn), np.sin(turn)
    turned = place @ np.array([[cosine, sine], [-sine, cosine]]) - place
    base = grown + free * (1.15 * turned * active[:, None]).ravel()

    def at(values: np.ndarray) -> tuple[float, np.ndarray]:
        x.setArray(values)
        energy = problem.move_to(x)
        problem.residual(f)
        return energy, f.getArray().copy()

    _, gradient = at(base)
    assert problem.contact_state.active_pairs > 0
    direction, h = free * rng.normal(size=len(free)), 1e-6
    products = []
    for storage in ("whole", "upper"):
        x.setArray(direction)
        problem.tangent(storage).mult(x, product)
        products.append(product.getArray() * free)
    tangent = products[0]
    np.testing.assert_allclose(products[1], tangent, atol=1e-12 * np.abs(tangent).max())
    (e1, g1), (e0, g0) = at(base + h * direction), at(base - h * direction)
    assert (e1 - e0) / (2.0 * h) == pytest.approx(gradient @ direction, rel=1e-6)
    difference = (g1 - g0) / (2.0 * h)
    assert np.linalg.norm(difference - tangent) < 1e-6 * np.linalg.norm(tangent)


@pytest.mark.parametrize("friction", [None, CoulombLaw(0.3, 1e-3)])
def test_pattern_has_room_for_all_entries(
    friction: CoulombLaw | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = two_discs(friction)
    march = stepper(problem)
    tangent, allocated = problem.tangent, []

    def recorded(storage: Storage) -> PETSc.Mat:
        matrix = tangent(storage)
        allocated.append(matrix.getInfo()["mallocs"])
        return matrix

    monkeypatch.setattr(problem, "tangent", recorded)
    list(march.advance_to(20000.0))
    assert problem.contact_state.active_pairs > 0
    assert not any(allocated)


@pytest.mark.parametrize(("start", "served_before"), [(0.6, 0), (0.25, 1)])
def test_a_pattern_has_room_for_another_step_like_the_present_one(
    start: float, served_before: int
) -> None:
    """The active disc grows until it touches: what it did so far tells what it will do."""
    problem = two_discs()
    place = problem.space.tabulate_dof_coordinates()[:, :2] - np.array([0.75, 1.5])
    active = np.hypot(*place.T) < 0.71
    shrinkage = (-place * active[:, None]).ravel()
    problem.model.displacement.x.array[:] = start * shrinkage
    problem.begin(500.0)
    x, coupled = problem.new_vector(), []
    for share in (0.25, -0.1):
        x.setArray(share * shrinkage)
        problem.move_to(x)
        problem.tangent("upper")
        coupled.append(len(problem.contact_state.hessian().edges))
    assert coupled[1] > coupled[0]
    # tangents of a pattern before the present one, if there was one
    assert problem.expected_tangents == served_before


def test_pairs_of_edges_are_sorted_and_differ() -> None:
    contact = two_discs().contact
    last = contact.points.edge.max()
    pairs = np.random.default_rng(2).integers(0, last, (200, 2), endpoint=True)
    pairs = np.concatenate([pairs, pairs[::-2], [[last, last], [0, last], [last, 0]]])
    np.testing.assert_array_equal(contact.each_once(pairs), np.unique(pairs, axis=0))


def test_a_kept_factor_that_leads_nowhere_is_renewed_where_the_iterate_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem = two_discs()
    march = stepper(problem)
    list(march.advance_to(12000.0))
    solver = march.solver
    start = problem.model.displacement.x.array.copy()
    move_to, tangent = problem.move_to, problem.tangent
    places, refusals = [], [0]

    def refusing(x: PETSc.Vec) -> float:
        energy = move_to(x)
        away = not np.array_equal(problem.model.displacement.x.array, start)
        if away and not places and refusals[0] < 7:  # all trials of the first direction
            refusals[0] += 1
            return np.inf
        return energy

    def recorded(storage: Storage) -> PETSc.Mat:
        places.append(problem.model.displacement.x.array.copy())
        return tangent(storage)

    monkeypatch.setattr(problem, "move_to", refusing)
    monkeypatch.setattr(problem, "tangent", recorded)
    problem.begin(500.0)
    march.loading.apply(march.time + 500.0)
    result = solver.solve()
    assert refusals[0] > 0
    np.testing.assert_array_equal(places[0], start)
    assert result.converged


def test_factors_that_serve_again_save_tangents_and_change_nothing() -> None:
    # a disc between two others stays where it is; on a single one it would roll off
    others = (Disc(3.0, y, 1.45, "framework") for y in (0.0, BOX))
    cradle = Layout(BOX, (Disc(1.1, 1.5, 0.95, "active"), *others))
    ends, counts = [], []
    for reduction in (0.0, 0.6):
        problem = packed(cradle, DRAG)
        steps = list(stepper(problem, chord_reduction=reduction).advance_to(20000.0))
        ends.append(problem.model.displacement.x.array.copy())
        counts.append([sum(s.iterations for s in steps), sum(s.chord_iterations for s in steps)])
    np.testing.assert_allclose(ends[1], ends[0], atol=1e-7 * np.abs(ends[0]).max())
    (newton, none), (fewer, chords) = counts
    assert none == 0
    assert chords > 0
    assert fewer < 0.85 * newton


def test_factor_of_the_last_step_serves_three_iterations() -> None:
    steps = list(stepper(two_discs(), tolerance=3e-6).advance_to(20000.0))  # would take four, too
    without_tangent = [step.chord_iterations for step in steps if step.iterations == 0]
    assert max(without_tangent) == 3


def test_secant_updates_save_tangents(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = []
    for learning in (True, False):
        if not learning:
            monkeypatch.setattr(SecantUpdates, "_learn", lambda *_: None)
        steps = list(stepper(two_discs()).advance_to(12000.0))
        counts.append(sum(s.iterations + s.chord_iterations for s in steps))
    assert counts[0] < 0.9 * counts[1]


def test_a_new_tangent_knows_no_secants() -> None:
    march = stepper(two_discs())
    march.solver._secants.visit(*(march.problem.new_vector() for _ in range(2)))
    moved = march.problem.new_vector()
    moved.set(1.0)
    march.solver._secants.visit(moved, moved)
    assert len(march.solver._secants) == 1
    march.solver._renew_tangent()
    assert len(march.solver._secants) == 0


def test_shifts_that_serve_on_are_raised_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disc between two others is pressed out of their line, and hardly anything holds it."""
    line = (Disc(2.0, 1.52, 0.5, "framework"), Disc(3.0, 1.5, 0.45, "framework"))
    layout = Layout(BOX, (LAYOUT.discs[0], *line))
    raised, tangents = [0, 0], [0, 0]
    for policy, dropped in enumerate((False, True)):
        march = stepper(packed(layout, drag=0.04))
        solver = march.solver
        raise_shift = solver._raise_shift

        def counted(policy=policy, raise_shift=raise_shift) -> bool:
            raised[policy] += 1
            return raise_shift()

        def drop(solver=solver) -> None:
            solver._shift *= 0.01 if solver._shift > 1e-5 else 0.0

        monkeypatch.setattr(solver, "_raise_shift", counted)
        if dropped:
            monkeypatch.setattr(solver, "_lower_shift", drop)
        tangents[policy] = sum(step.iterations for step in march.advance_to(30000.0))
        assert solver._shift == 0.0
    assert 0 < raised[0] < 0.7 * raised[1]
    assert raised[0] + tangents[0] < raised[1] + tangents[1]


def test_steps_hit_milestones_and_conserve_the_balance() -> None:
    problem = two_discs()
    march = stepper(problem)
    steps = [*march.advance_to(3000.0), *march.advance_to(20000.0)]
    times = [step.time for step in steps]
    assert 3000.0 in times
    assert times[-1] == 20000.0
    assert times == sorted(times)
    assert sum(step.dt for step in steps) == pytest.approx(20000.0)
    walls = problem.reactions()
    # what presses on the right wall presses on the left one, but for the drag on the surfaces
    surface, displacement = problem.surface, problem.model.displacement
    moved = surface.owned_values(displacement.x.array - problem.start)
    drag = DRAG / problem.dt * problem.contact.boundary.node_lengths[surface.owned] @ moved
    assert walls.right > 1e-3
    assert walls.left - walls.right == pytest.approx(drag[0], abs=1e-9)
    assert walls.bottom - walls.top == pytest.approx(drag[1], abs=1e-9)
    assert problem.contact_state.min_gap > -0.01


@pytest.mark.parametrize("round_off", [-1e-14, 0.0, 1e-14])
def test_round_off_does_not_split_the_last_step(round_off: float) -> None:
    """Halves of what remains come out equal but for round-off, which differs between processes."""
    march = stepper(two_discs())
    march.settings = StepSettings(200.0, 1.0, 200.0, 1e-3)
    march.turn_around()
    assert len(list(march.advance_to(200.0 * (1.0 + round_off)))) == 1


def test_creep_error_controls_the_step_size() -> None:
    coarse, fine = (stepper(two_discs()) for _ in range(2))
    fine.settings = StepSettings(200.0, 1.0, 3600.0, 2e-4)
    assert len(list(fine.advance_to(9000.0))) > len(list(coarse.advance_to(9000.0)))


def test_a_step_of_many_iterations_is_followed_by_a_shorter_one() -> None:
    """Iterations that may move the surface by little only, so that a step needs many of them."""
    march = stepper(two_discs())
    march.solver.settings = replace(march.solver.settings, surface_step=1e-4)
    steps = list(march.advance_to(9000.0))
    slow = [step.iterations > 10 and step.rejected == 0 for step in steps[:-2]]
    assert sum(slow) > 1
    for one, step, following in zip(slow, steps, steps[1:], strict=False):
        if one:
            assert following.dt <= 10.0 / step.iterations * step.dt * (1.0 + 1e-9)


def test_a_milestone_does_not_make_a_hard_step_an_easy_one() -> None:
    march = stepper(two_discs())
    march.solver.settings = replace(march.solver.settings, surface_step=1e-4)
    (hard,) = march.advance_to(150.0)
    assert hard.iterations > 10
    assert next(march.advance_to(9000.0)).dt <= 10.0 / hard.iterations * hard.dt


def test_failure_is_typed_and_restores_the_state() -> None:
    problem = two_discs()
    march = stepper(problem, minimum=50.0)
    for _ in march.advance_to(400.0):
        pass
    before = problem.model.displacement.x.array.copy()
    hopeless = stepper(problem, iterations=0, minimum=50.0)
    with pytest.raises(NotConverged, match="did not reach the tolerance") as caught:
        next(hopeless.advance_to(1000.0))
    failure = caught.value.failure
    assert failure.dt == failure.minimum_dt == 50.0
    assert failure.step == 1
    assert len(failure.residual_history) == 1
    assert np.isfinite(failure.min_gap)
    np.testing.assert_array_equal(problem.model.displacement.x.array, before)


def test_rejected_steps_are_retried_smaller() -> None:
    """Growth so fast that three iterations cannot follow it at the first step size."""
    march = stepper(two_discs(), iterations=3, minimum=0.1, rate=20.0 / 36000.0)
    step = next(march.advance_to(400.0))
    assert step.rejected > 0
    assert step.dt < 200.0


def test_closed_solver_is_freed() -> None:
    """A study that makes hundreds of solvers in a process would run out of communicators."""
    march = stepper(two_discs())
    next(march.advance_to(100.0))
    solver = weakref.ref(march.solver)
    march.solver.close()
    del march
    gc.collect()
    assert solver() is None
