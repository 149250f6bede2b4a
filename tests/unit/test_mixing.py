import itertools
import math
from dataclasses import replace

import pytest

from creep_fem.materials import (
    ActiveMaterial,
    Lithiated,
    NortonCreep,
    PhaseMaterial,
    creep_obstacle,
    phase_state,
)
from creep_fem.materials.mixing import mixed_creep, mixed_modulus

RULES = ("linear", "harmonic", "logarithmic")
SOFT = NortonCreep(1e-5, 0.1, 4.0)
HARD = NortonCreep(2e-7, 0.05, 4.0)
OTHER = NortonCreep(1e-6, 0.2, 6.0)


def rate(law, stress):
    return law.rate * (stress / law.reference_stress) ** law.exponent


def stress_at(law, speed):
    return law.reference_stress * (speed / law.rate) ** (1.0 / law.exponent)


@pytest.mark.parametrize(
    ("rule", "value"), [("linear", 25.0), ("harmonic", 16.0), ("logarithmic", 20.0)]
)
def test_moduli_mix_to_the_three_means(rule, value):
    assert mixed_modulus(rule, 10.0, 40.0, 0.5) == pytest.approx(value, rel=1e-15)
    assert mixed_modulus(rule, 10.0, 40.0, 0.0) == 10.0
    assert mixed_modulus(rule, 10.0, 40.0, 1.0) == pytest.approx(40.0, rel=1e-15)


def test_a_quarter_counts_as_a_quarter():
    assert mixed_modulus("linear", 10.0, 40.0, 0.25) == 17.5
    assert mixed_modulus("harmonic", 10.0, 40.0, 0.25) == pytest.approx(1.0 / 0.08125, rel=1e-15)
    assert mixed_modulus("logarithmic", 1.0, 16.0, 0.25) == pytest.approx(2.0, rel=1e-15)


def test_a_harmonic_mixture_of_creep_laws_adds_rates_at_the_same_stress():
    law = mixed_creep("harmonic", SOFT, HARD, 0.3)
    for stress in (0.02, 0.1, 0.5):
        expected = 0.7 * rate(SOFT, stress) + 0.3 * rate(HARD, stress)
        assert rate(law, stress) == pytest.approx(expected, rel=1e-13)


def test_a_linear_mixture_of_creep_laws_adds_stresses_at_the_same_rate():
    law = mixed_creep("linear", SOFT, HARD, 0.3)
    for speed in (1e-8, 1e-5, 1e-2):
        expected = 0.7 * stress_at(SOFT, speed) + 0.3 * stress_at(HARD, speed)
        assert stress_at(law, speed) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("full", [HARD, OTHER])
def test_a_logarithmic_mixture_has_the_geometric_mean_of_rates_at_every_stress(full):
    law = mixed_creep("logarithmic", SOFT, full, 0.3)
    for stress in (0.02, 0.1, 0.5):
        expected = rate(SOFT, stress) ** 0.7 * rate(full, stress) ** 0.3
        assert rate(law, stress) == pytest.approx(expected, rel=1e-13)
    assert law.exponent == pytest.approx(0.7 * SOFT.exponent + 0.3 * full.exponent)


def test_the_logarithmic_mixture_lies_between_the_other_two():
    slow, middle, fast = (
        rate(mixed_creep(rule, SOFT, HARD, 0.6), 0.1)
        for rule in ("linear", "logarithmic", "harmonic")
    )
    assert slow < middle < fast


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("xi", [0.0, 0.1, 1.0 / 3.0, 0.7, 1.0])
def test_equal_ends_leave_everything_as_it_is_to_the_last_bit(rule, xi):
    assert mixed_modulus(rule, 10.0 / 3.0, 10.0 / 3.0, xi) == 10.0 / 3.0
    assert mixed_creep(rule, SOFT, SOFT, xi) == SOFT
    assert mixed_creep(rule, None, None, xi) is None


@pytest.mark.parametrize("rule", RULES)
def test_the_ends_of_a_mixture_are_the_laws_themselves(rule):
    full = OTHER if rule == "logarithmic" else HARD
    for stress in (0.02, 0.3):
        for xi, end in ((0.0, SOFT), (1.0, full)):
            law = mixed_creep(rule, SOFT, full, xi)
            assert rate(law, stress) == pytest.approx(rate(end, stress), rel=1e-12)


def test_a_harmonic_mixture_with_a_rigid_end_slows_down_to_nothing():
    assert rate(mixed_creep("harmonic", SOFT, None, 0.25), 0.3) == 0.75 * rate(SOFT, 0.3)
    assert mixed_creep("harmonic", SOFT, None, 1.0) == replace(SOFT, rate=0.0)
    assert rate(mixed_creep("harmonic", None, SOFT, 0.25), 0.3) == 0.25 * rate(SOFT, 0.3)


@pytest.mark.parametrize(
    ("rule", "ends", "reason"),
    [
        ("linear", (SOFT, OTHER), "exponents 4 and 6"),
        ("harmonic", (OTHER, SOFT), "exponents 6 and 4"),
        ("linear", (SOFT, None), "does not creep"),
        ("logarithmic", (None, SOFT), "does not creep"),
    ],
)
def test_rules_that_cannot_be_applied_say_why(rule, ends, reason):
    assert reason in creep_obstacle(rule, *ends)
    with pytest.raises(ValueError, match=reason):
        mixed_creep(rule, *ends, 0.5)


def test_some_rule_can_be_applied_to_every_pair():
    for ends in itertools.product((SOFT, HARD, OTHER, None), repeat=2):
        assert any(creep_obstacle(rule, *ends) is None for rule in RULES)


def test_the_rate_follows_arrhenius():
    law = replace(SOFT, activation_energy=74.0, reference_temperature=298.15)
    warm = law.at(343.15)
    # 74000/8.31446261815 (1/298.15 - 1/343.15)
    assert math.log(warm.rate / law.rate) == pytest.approx(3.914634611, rel=1e-9)
    assert warm.at(298.15).rate == pytest.approx(law.rate, rel=1e-14)
    assert law.at(298.15) == law
    assert law.at(None) is law
    assert replace(law, activation_energy=0.0).at(500.0).rate == law.rate


@pytest.mark.parametrize(
    ("law", "reason"),
    [
        (SOFT, "no activation energy"),
        (replace(SOFT, activation_energy=74.0), "no activation energy"),
        (replace(SOFT, activation_energy=999.0, reference_temperature=300.0), r"exp\(-801\)"),
    ],
)
def test_a_temperature_needs_a_law_that_tells_its_influence(law, reason):
    with pytest.raises(ValueError, match=reason):
        law.at(100.0)


def test_a_phase_is_mixed_at_its_temperature():
    cold = replace(SOFT, activation_energy=50.0, reference_temperature=300.0)
    full = replace(OTHER, activation_energy=80.0, reference_temperature=320.0)
    end = Lithiated(PhaseMaterial("Li2Se", 64.0, 0.2, 0.0, full), "logarithmic")
    active = ActiveMaterial("Se", 10.0, 0.25, 0.98, cold, "in_plane", end)
    state = phase_state(active, 0.5, 340.0)
    assert state.bulk_modulus == pytest.approx(math.sqrt(20.0 / 3.0 * 320.0 / 9.0), rel=1e-14)
    assert state.shear_modulus == pytest.approx(math.sqrt(4.0 * 80.0 / 3.0), rel=1e-14)
    expected = math.sqrt(rate(cold.at(340.0), 0.07) * rate(full.at(340.0), 0.07))
    assert rate(state.creep, 0.07) == pytest.approx(expected, rel=1e-13)


def test_a_phase_without_a_lithiated_end_does_not_depend_on_the_composition():
    active = ActiveMaterial("Se", 10.0, 0.25, 0.98, SOFT, "in_plane")
    assert phase_state(active, 0.0, None) == phase_state(active, 0.7, None)
    assert phase_state(active, 0.7, None).creep is SOFT
