import re
from importlib.resources import files

import pytest
from ruamel.yaml import YAML

from creep_fem.errors import ConfigError
from creep_fem.materials import (
    CitedCreep,
    LibraryMaterial,
    NortonCreep,
    PhaseMaterial,
    list_materials,
    load_material,
)
from creep_fem.units import UnitError


def raw(name):
    text = (files("creep_fem.materials") / "library" / f"{name}.yaml").read_text(encoding="utf-8")
    return YAML(typ="safe", pure=True).load(text)


def entries(data):
    """All cited values of a material file, however deep."""
    for value in data.values():
        if isinstance(value, dict):
            if "value" in value:
                yield value
            else:
                yield from entries(value)


def test_the_library_holds_the_materials_of_the_paper_and_their_partners():
    assert {"Se", "Li2Se", "Mo6Se8", "LiCoO2", "FeS", "Li6PS5Cl", "Li"} <= set(list_materials())
    assert list(list_materials()) == sorted(list_materials())


@pytest.mark.parametrize("name", list_materials())
def test_every_number_has_source_and_confidence(name):
    material = load_material(name)
    assert material.name == name
    cited = list(entries(raw(name)))
    assert len(cited) >= 3
    for entry in cited:
        assert len(entry["source"]) > 10
        assert entry["confidence"] in ("measured", "computed", "estimated", "assumed", "recalled")


@pytest.mark.parametrize("name", list_materials())
def test_values_lie_within_their_own_ranges(name):
    material = load_material(name)
    values = [material.young_modulus, material.poisson_ratio, material.volume_change]
    if isinstance(material.creep, CitedCreep):
        creep = material.creep
        values += [creep.rate, creep.reference_stress, creep.exponent]
        values += [creep.reference_temperature, creep.activation_energy]
    for cited in values:
        if cited is not None and cited.range is not None:
            low, high = cited.range
            assert low < high
            assert low <= cited.value <= high


def test_values_are_in_internal_units():
    selenium = load_material("Se")
    assert selenium.young_modulus.value == 10.0
    assert selenium.young_modulus.range == (4.4, 25.0)
    assert selenium.volume_change.value == 0.98
    assert selenium.creep.rate.value == 1e-5
    assert selenium.creep.reference_stress.value == 0.1
    assert selenium.creep.reference_temperature.value == 298.15
    assert selenium.creep.activation_energy.range == (74.0, 463.0)
    assert load_material("Li2Se").creep.activation_energy is None
    assert load_material("LiCoO2").volume_change.value < 0.0
    assert load_material("FeS").creep.value == "none"


def test_the_uncertain_modulus_of_the_framework_is_marked_as_such():
    modulus = load_material("Mo6Se8").young_modulus
    assert modulus.range == (30.0, 80.0)
    assert modulus.confidence == "estimated"
    assert "uncertain" in modulus.note


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("mo6se", "Mo6Se8"),
        ("selenium", "Se"),
        ("Selenum", "Se"),
        ("LCO", "LiCoO2"),
        ("MSe", "Mo6Se8"),
        ("lithium", "Li"),
        ("unobtainium", None),
    ],
)
def test_an_unknown_material_is_answered_with_the_nearest(name, nearest):
    with pytest.raises(ConfigError) as caught:
        load_material(name)
    (problem,) = caught.value.problems
    assert problem.suggestion == nearest
    assert "LiCoO2" in problem.allowed


def test_a_path_is_not_a_material():
    with pytest.raises(ConfigError):
        load_material("../library/Se")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": "10"}, "the unit is missing"),
        ({"value": "10 um"}, "a stress is needed here"),
        ({"source": ""}, "at least 1 character"),
        ({"confidence": "sure"}, "'measured', 'computed'"),
        ({"origin": "?"}, "Extra inputs"),
    ],
)
def test_a_record_without_unit_or_origin_is_refused(change, message):
    data = raw("Se")
    data["young_modulus"] |= change
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        LibraryMaterial.model_validate(data)
    assert not isinstance(caught.value, UnitError)


def test_bulk_and_shear_modulus_follow_from_young_and_poisson():
    material = PhaseMaterial("Se", 10.0, 0.25, 0.98, NortonCreep(1e-5, 0.1, 4.5))
    bulk, shear = material.bulk_modulus, material.shear_modulus
    assert bulk == pytest.approx(20.0 / 3.0)
    assert shear == pytest.approx(4.0)
    assert 9.0 * bulk * shear / (3.0 * bulk + shear) == pytest.approx(material.young_modulus)
