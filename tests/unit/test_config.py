import json
import pickle
from pathlib import Path

import pytest
from pydantic import ValidationError

from creep_fem.config import RunConfig, json_schema, load_config
from creep_fem.errors import ConfigError
from creep_fem.materials import NortonCreep
from creep_fem.study.config import load_study

CONFIGS = Path(__file__).parents[2] / "configs"
NAMES = (
    *("demo", "se_mse", "lco_mse", "fes_mse"),
    *("interface_rigid_rigid", "interface_rigid_soft", "interface_soft_rigid"),
)

TEXT = """\
name: case
microstructure:
  packing:
    box: 8 um
    seed: 1
    minimum_gap: 20 nm
    active: {area_fraction: 0.356, radius: 1.0 um, spread: 0.15}
    framework: {area_fraction: 0.397, radius: 1100 nm, spread: 0.15}
mesh: {surface_size: 0.25 um, interior_size: 0.5 um}
materials:
  active: {name: Se, growth_mode: isotropic}
  framework: {name: Mo6Se8}
cycling:
  c_rate: 0.1 /h
  cycles: 20
  soc: {start: 0.0, low: 0.22, high: 1.0}
"""


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "case.yaml"
    file.write_text(TEXT, encoding="utf-8")
    return file


def test_values_are_in_internal_units(path):
    config = load_config(path)
    packing = config.microstructure.packing
    assert config.name == "case"
    assert config.source == path
    assert config.microstructure.layout is None
    assert (packing.box, packing.seed, packing.minimum_gap) == (8.0, 1, 0.02)
    assert (packing.framework.area_fraction, packing.framework.radius) == (0.397, 1.1)
    assert (config.mesh.surface_size, config.mesh.interior_size) == (0.25, 0.5)
    assert config.cycling.c_rate == 0.1 / 3600.0
    assert (config.cycling.soc.low, config.cycling.soc.high) == (0.22, 1.0)


def test_defaults_are_those_that_are_documented(path):
    config = load_config(path)
    contact, step, newton = config.contact, config.time_step, config.newton
    assert (contact.stiffness, contact.smoothing, contact.touching_gap) == (400.0, 0.002, 0.01)
    assert (contact.adhesion, contact.friction_coefficient) == (None, 0.0)
    assert contact.slip_regularisation == 1e-6
    assert (step.initial, step.minimum, step.maximum) == (200.0, 1e-3, 3600.0)
    assert step.creep_tolerance == 1e-3
    assert (newton.tolerance, newton.maximum_iterations, newton.surface_step) == (1e-6, 40, 0.05)
    assert newton.chord_reduction == 0.6
    assert config.petsc_options == {}
    assert (config.output.fields, config.output.figures) == ("half_cycles", True)


def test_materials_come_from_the_library(path):
    materials = load_config(path).materials
    assert (materials.active.name, materials.active.growth_mode) == ("Se", "isotropic")
    assert materials.active.volume_change == 0.98
    assert materials.active.creep == NortonCreep(1e-5, 0.1, 7.0, 74.0, 298.15)
    assert materials.active.lithiated is None
    assert materials.framework.young_modulus == 45.0
    assert materials.framework.creep is None
    # The framework's own swelling in the library is not used.
    assert materials.framework.volume_change == 0.0


@pytest.mark.parametrize(
    ("override", "attribute", "value"),
    [
        ("young_modulus: 5 GPa", "young_modulus", 5.0),
        ("poisson_ratio: 0.3", "poisson_ratio", 0.3),
        ("volume_change: 76 %", "volume_change", 0.76),
    ],
)
def test_single_values_of_the_library_can_be_replaced(path, override, attribute, value):
    active = load_config(path, [f"materials.active.override={{{override}}}"]).materials.active
    assert active.name == "Se"
    assert getattr(active, attribute) == value
    untouched = {"young_modulus": 10.0, "poisson_ratio": 0.25, "volume_change": 0.98}
    del untouched[attribute]
    assert {name: getattr(active, name) for name in untouched} == untouched


def test_one_creep_parameter_can_be_replaced(path):
    config = load_config(path, ["materials.active.override.creep.exponent=4.5"])
    creep = config.materials.active.creep
    assert (creep.rate, creep.reference_stress, creep.exponent) == (1e-5, 0.1, 4.5)


def test_a_default_first_step_is_shortened_to_the_shortest_half_cycle(path):
    # From 0.9 to 1.0 at 0.1 per hour: one hour, a twentieth of which is 180 s.
    soc = ["cycling.soc.start=0.9", "time_step.minimum=1 s"]
    config = load_config(path, soc)
    assert config.time_step.initial == pytest.approx(180.0, rel=1e-12)
    copy = path.with_name("resolved.yaml")
    copy.write_text(config.to_yaml(), encoding="utf-8")
    assert load_config(copy).time_step == config.time_step


def test_a_config_can_be_bound_to_the_layout_it_led_to(path):
    config = load_config(path, ["microstructure.packing.minimum_gap=2 nm"])
    source = config.with_layout(Path("layout.json")).microstructure
    assert (source.layout, source.packing) == (Path("layout.json"), None)
    # What was packed closer than layouts usually may be is not to be repaired.
    assert source.layout_gap == 0.002


def test_creep_can_be_switched_off_and_on(path):
    law = "materials.framework.override.creep={rate: 1e-9 /s, reference_stress: 1 GPa, exponent: 3}"
    materials = load_config(path, ["materials.active.override.creep=none", law]).materials
    assert materials.active.creep is None
    assert materials.framework.creep == NortonCreep(1e-9, 1.0, 3.0)


LITHIATED = (
    "materials.active.lithiated={name: Li2Se, mixing: logarithmic,"
    " override: {young_modulus: 5 GPa, creep: {activation_energy: 0.5 eV}}}"
)


def test_the_lithiated_material_is_combined_like_the_others(path):
    lithiated = load_config(path, [LITHIATED]).materials.active.lithiated
    assert lithiated.mixing == "logarithmic"
    full = lithiated.material
    assert (full.name, full.young_modulus, full.poisson_ratio) == ("Li2Se", 5.0, 0.184)
    assert full.creep == NortonCreep(1e-5, 0.1, 5.0, 0.5 * 96.48533212331, 298.15)


def test_parameters_follow_state_of_charge_and_temperature(path):
    config = load_config(path, [LITHIATED, "temperature=70 degC"])
    assert config.temperature == 343.15
    (empty, frame), (half, same), (full, _) = (config.phases(soc) for soc in (0.0, 0.5, 1.0))
    assert empty.shear_modulus == config.materials.active.shear_modulus
    assert half.shear_modulus == pytest.approx((4.0 * 5.0 / 2.368) ** 0.5, rel=1e-14)
    assert half.creep.exponent == 6.0
    # 74 and 48.24 kJ/mol from 25 to 70 degC
    assert empty.creep.rate == pytest.approx(1e-5 * 50.13075, rel=1e-6)
    assert full.creep.rate == pytest.approx(1e-5 * 12.83351, rel=1e-6)
    assert frame == same
    assert frame.creep is None


def test_without_temperature_creep_laws_hold_as_they_stand(path):
    config = load_config(path)
    assert config.temperature is None
    assert config.phases(0.4)[0].creep == config.materials.active.creep
    at_reference = load_config(path, ["temperature=298.15 K"])
    assert at_reference.phases(0.4) == config.phases(0.4)


def test_a_temperature_without_influence_can_be_stated(path):
    law = (
        "materials.framework.override.creep={rate: 1e-9 /s, reference_stress: 1 GPa, exponent: 3,"
        " activation_energy: 0 kJ/mol, reference_temperature: 300 K}"
    )
    config = load_config(path, [law, "temperature=70 degC"])
    assert config.phases(0.0)[1].creep.rate == 1e-9


def test_overrides_replace_and_add_entries(path):
    config = load_config(
        path,
        [
            "cycling.cycles=2",
            "time_step.maximum=10 min",
            "petsc_options.pc_type=lu",
            "petsc_options.mat_mumps_icntl_14=50",
            "output.fields=[0.22, 0.5]",
        ],
    )
    assert config.cycling.cycles == 2
    assert config.time_step.maximum == 600.0
    assert config.petsc_options == {"pc_type": "lu", "mat_mumps_icntl_14": 50}
    assert config.output.fields == (0.22, 0.5)


def test_the_packing_can_be_exchanged_for_a_layout(path):
    disc = '{"x": 5, "y": 5, "r": 1, "phase": "active"}'
    layout = f'{{"box": 10, "discs": [{disc}]}}'
    (path.parent / "discs.json").write_text(layout, encoding="utf-8")
    overrides = ["microstructure.packing=null", "microstructure.layout=discs.json"]
    assert load_config(path, overrides).microstructure.layout == path.parent / "discs.json"


def test_a_shrinking_material_starts_towards_the_low_end(path):
    shrinking = ["materials.active.override.volume_change=-0.05", "cycling.soc.start=1.0"]
    assert load_config(path, shrinking).cycling.soc.start == 1.0
    with pytest.raises(ConfigError, match=r"cycling\.soc\.start: the first half-cycle"):
        load_config(path, shrinking[1:])
    with pytest.raises(ConfigError, match=r"cycling\.soc\.start: the first half-cycle"):
        load_config(path, shrinking[:1])


def test_a_config_cannot_be_changed(path):
    config = load_config(path)
    with pytest.raises(ValidationError, match="frozen"):
        config.cycling.cycles = 3


def test_a_config_can_be_sent_to_other_processes(path):
    config = load_config(path)
    received = pickle.loads(pickle.dumps(config))
    assert received == config
    assert received.source == path


@pytest.mark.parametrize("name", NAMES)
def test_the_resolved_config_is_read_back_unchanged(name, tmp_path):
    config = load_config(CONFIGS / f"{name}.yaml")
    copy = tmp_path / "resolved.yaml"
    copy.write_text(config.to_yaml(), encoding="utf-8")
    again = load_config(copy)
    assert again.model_dump() == config.model_dump()
    assert again.to_yaml() == config.to_yaml()


@pytest.mark.parametrize(
    "overrides", [[LITHIATED], [LITHIATED, "temperature=70 degC"], ["temperature=343.15 K"]]
)
def test_dependent_parameters_are_read_back_unchanged(path, overrides):
    config = load_config(path, overrides)
    copy = path.with_name("resolved.yaml")
    copy.write_text(config.to_yaml(), encoding="utf-8")
    again = load_config(copy)
    assert again.model_dump() == config.model_dump()
    assert again.to_yaml() == config.to_yaml()


def test_the_resolved_config_writes_units_and_every_default(path):
    text = load_config(path, ["materials.active.override.creep.exponent=4.5"]).to_yaml()
    for line in (
        "box: 8 um",
        "young_modulus: 10 GPa",
        "reference_stress: 0.1 GPa",
        "exponent: 4.5",
        "touching_gap: 0.01 um",
        "creep_tolerance: 0.001",
        "figures: true",
    ):
        assert f" {line}\n" in text


@pytest.mark.parametrize("name", NAMES)
def test_the_delivered_configs_are_named_like_their_files(name):
    assert load_config(CONFIGS / f"{name}.yaml").name == name


def test_the_reference_case_is_the_documented_one():
    config = load_config(CONFIGS / "se_mse.yaml")
    active, soc = config.materials.active, config.cycling.soc
    assert (active.name, active.growth_mode, active.volume_change) == ("Se", "in_plane", 0.98)
    assert active.creep == NortonCreep(1e-5, 0.1, 4.5, 74.0, 298.15)
    assert config.materials.framework.name == "Mo6Se8"
    assert (soc.start, soc.low, soc.high, config.cycling.cycles) == (0.0, 0.22, 1.0, 20)


def test_the_three_types_of_interfaces_differ_in_their_materials_only():
    configs = [load_config(CONFIGS / f"{name}.yaml") for name in NAMES if "interface" in name]
    assert len({str(config.microstructure) for config in configs}) == 1
    assert len({str(config.contact) for config in configs}) == 1
    creeps = [
        (c.materials.active.creep is not None, c.materials.framework.creep is not None)
        for c in configs
    ]
    assert creeps == [(False, False), (False, True), (True, False)]


def test_the_three_types_of_interfaces_have_the_same_adhesion():
    studies = [CONFIGS / f"study_{name}.yaml" for name in NAMES if "interface" in name]
    contacts = [[case.config.contact for case in load_study(path)[1]] for path in studies]
    assert len(studies) == 3
    assert len({str(of_study) for of_study in contacts}) == 1
    assert [contact.adhesion is not None for contact in contacts[0]] == [False, True, True]


def test_json_schema_describes_quantities_and_knows_all_sections():
    schema = json_schema()
    assert set(schema["properties"]) == set(RunConfig.model_fields)
    mesh = schema["$defs"]["Mesh"]
    assert mesh["properties"]["surface_size"]["type"] == "string"
    assert "a length above 0 um" in mesh["properties"]["surface_size"]["description"]
    assert schema["$defs"]["Contact"]["properties"]["stiffness"]["default"] == "400 GPa/um"
    assert "Se" in schema["$defs"]["ActiveChoice"]["properties"]["name"]["enum"]
    assert "growth_mode" in schema["$defs"]["ActiveChoice"]["required"]
    mixing = schema["$defs"]["LithiatedChoice"]["properties"]["mixing"]
    assert mixing["enum"] == ["linear", "harmonic", "logarithmic"]
    assert schema["additionalProperties"] is False
    assert json.loads(json.dumps(schema)) == schema
