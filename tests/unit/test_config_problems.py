import json

import pytest

from creep_fem.config import load_config
from creep_fem.errors import ConfigError

LINES = [
    "name: case",
    "microstructure:",
    "  packing:",
    "    box: 8 um",
    "    seed: 1",
    "    minimum_gap: 20 nm",
    "    active: {area_fraction: 0.356, radius: 1.0 um, spread: 0.15}",
    "    framework: {area_fraction: 0.397, radius: 1.0 um, spread: 0.15}",
    "mesh: {surface_size: 0.25 um, interior_size: 0.5 um}",
    "materials:",
    "  active: {name: Se, growth_mode: isotropic}",
    "  framework: {name: Mo6Se8}",
    "cycling:",
    "  c_rate: 0.1 /h",
    "  cycles: 20",
    "  soc: {start: 0.0, low: 0.22, high: 1.0}",
]


def problems(tmp_path, lines=(), overrides=(), **replaced):
    """Problems of the good config with lines replaced (line4="...") and appended."""
    text = [replaced.get(f"line{i}", line) for i, line in enumerate(LINES, start=1)] + list(lines)
    path = tmp_path / "case.yaml"
    path.write_text("\n".join(text) + "\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(path, overrides)
    assert caught.value.source == str(path)
    return caught.value.problems


def only(found):
    assert len(found) == 1, found
    return found[0]


def test_five_mistakes_are_reported_at_once_and_in_full(tmp_path):
    found = problems(
        tmp_path,
        line4="    box: 12 GPa",
        line9="mesh: {surface_size: 0.25, interior_size: 0.5 um}",
        line11="  active: {name: Sse, growth_mode: isotropic}",
        line15="  cycls: 20",
        line16="  soc: {start: 0.0, low: 0.22, high: 1.5}",
    )
    facts = [(p.key, p.value, p.line, p.suggestion) for p in found]
    assert facts == [
        ("microstructure.packing.box", "12 GPa", 4, None),
        ("mesh.surface_size", "0.25", 9, None),
        ("materials.active.name", "Sse", 11, "Se"),
        ("cycling.cycls", "20", 15, "cycling.cycles"),
        ("cycling.soc.high", "1.5", 16, None),
    ]
    assert "GPa is not a unit of one" in found[0].message
    assert "the unit is missing" in found[1].message
    assert found[0].allowed == "a length above 0 um; such as 8 um, 20 nm"
    assert "Mo6Se8" in found[2].allowed
    assert found[3].allowed == "c_rate, cycles, soc"
    assert found[4].allowed == "a plain number at least 0 and at most 1"


@pytest.mark.parametrize(
    ("changed", "key", "message", "allowed", "line"),
    [
        ({"line1": "name: a/b"}, "name", "not a valid name", "letters, digits", 1),
        ({"line1": "name: 3"}, "name", "not a valid name", "letters, digits", 1),
        ({"line2": "micro:"}, "micro", "unknown", "microstructure, mesh", 2),
        ({"line5": "    seed: 1.5"}, "microstructure.packing.seed", "whole", "at least 0", 5),
        ({"line5": "    seed: -1"}, "microstructure.packing.seed", "range", "at least 0", 5),
        ({"line5": "    seed: true"}, "microstructure.packing.seed", "whole", "at least 0", 5),
        ({"line4": "    box:"}, "microstructure.packing.box", "a length is needed", "8 um", 4),
        ({"line4": "    box: 1 um"}, "microstructure.packing.active.radius", "box", "0.5 um", 7),
        ({"line4": "    box: 0 um"}, "microstructure.packing.box", "range", "above 0 um", 4),
        ({"line9": "mesh: 3"}, "mesh", "a section", "surface_size, interior_size", 9),
        ({"line9": "mesh: {surface_size: 1 nm}"}, "mesh.interior_size", "missing", "a length", 9),
        ({"line15": "  cycles: 0"}, "cycling.cycles", "range", "at least 1", 15),
        ({"line14": "  c_rate: 0.1 h"}, "cycling.c_rate", "a rate is needed", "0.1 /h", 14),
        ({"line12": "  framework: {name: 7}"}, "materials.framework.name", "hold", "Mo6Se8", 12),
    ],
)
def test_a_wrong_entry_is_named_with_what_is_allowed(
    tmp_path, changed, key, message, allowed, line
):
    found = problems(tmp_path, **changed)
    problem = next(p for p in found if p.key == key)
    assert message in problem.message
    assert allowed in problem.allowed
    assert problem.line == line


@pytest.mark.parametrize(
    ("changed", "key", "allowed"),
    [
        (
            {"line9": "mesh: {surface_size: 0.5 um, interior_size: 0.4 um}"},
            "mesh.interior_size",
            "at least mesh.surface_size, 0.5 um",
        ),
        (
            {"line9": "mesh: {surface_size: 2 um, interior_size: 3 um}"},
            "mesh.surface_size",
            "at most the smallest median radius, 1 um",
        ),
        (
            {"line7": "    active: {area_fraction: 0.6, radius: 1 um, spread: 0.1}"},
            "microstructure.packing.framework.area_fraction",
            "a sum above 0 and below 0.9",
        ),
        (
            {"line6": "    minimum_gap: 0.5 um"},
            "microstructure.packing.active.radius",
            "above twice packing.minimum_gap, 1 um",
        ),
        (
            {"line16": "  soc: {start: 0.0, low: 0.5, high: 0.5}"},
            "cycling.soc.high",
            "above cycling.soc.low, 0.5",
        ),
        (
            {"line16": "  soc: {start: 0.9, low: 0.2, high: 0.8}"},
            "cycling.soc.start",
            "below cycling.soc.high, 0.8",
        ),
    ],
)
def test_entries_that_contradict_each_other_are_found(tmp_path, changed, key, allowed):
    problem = problems(tmp_path, **changed)[0]
    assert (problem.key, problem.allowed) == (key, allowed)


@pytest.mark.parametrize(
    ("lines", "key", "allowed"),
    [
        (
            ["time_step: {initial: 1 s, minimum: 2 s}"],
            "time_step.initial",
            "at least time_step.minimum, 2 s",
        ),
        (["time_step: {minimum: 500 s}"], "time_step.initial", "at least time_step.minimum, 500 s"),
        (["time_step: {maximum: 1 s}"], "time_step.maximum", "at least time_step.initial, 200 s"),
        (
            ["output: {figures: true}", "time_step: {initial: 0 s}"],
            "time_step.initial",
            "a duration above 0 s; such as 200 s, 1 h",
        ),
        (["output: {fields: [2]}"], "output.fields[0]", "a plain number at least 0 and at most 1"),
        (["output: {fields: hourly}"], "output.fields", "half_cycles or all_steps"),
        (["output: {figures: 1}"], "output.figures", "true or false"),
        (["newton: {linear_solver: lu}"], "newton.linear_solver", "direct or iterative"),
        (["petsc_options: {a: [1]}"], "petsc_options.a", "a text, a number, true or false"),
        (["petsc_options: 3"], "petsc_options", "KEY: VALUE"),
        (
            ["contact: {stiffness: 1 GPa}"],
            "contact.stiffness",
            "a stress per length above 0 GPa/um; such as 100 GPa/um",
        ),
    ],
)
def test_optional_sections_are_checked_like_the_others(tmp_path, lines, key, allowed):
    problem = only(problems(tmp_path, lines))
    assert problem.key == key
    assert problem.line == len(LINES) + len(lines)
    assert problem.allowed == allowed


def test_fields_are_asked_for_only_where_the_run_gets(tmp_path):
    low = {"line16": "  soc: {start: 0.3, low: 0.4, high: 0.8}"}
    problem = only(problems(tmp_path, ["output: {fields: [0.2, 0.5]}"], **low))
    assert (problem.key, problem.allowed) == ("output.fields", "values from 0.3 to 0.8")


def test_rules_between_entries_are_checked_beside_other_mistakes(tmp_path):
    soc = {"line16": "  soc: {start: 7, low: 0.5, high: 0.2}"}
    assert {p.key for p in problems(tmp_path, **soc)} == {"cycling.soc.start", "cycling.soc.high"}


@pytest.mark.parametrize(
    ("line", "suggestion"),
    [
        ("cicling: 3", "cycling"),
        ("c_rate: 0.1 /h", "cycling.c_rate"),
        ("Mesh: 3", "mesh"),
        ("creep_tolerence: 1e-3", "time_step.creep_tolerance"),
        ("zzz: 1", None),
    ],
)
def test_an_unknown_key_is_answered_with_the_nearest_one(tmp_path, line, suggestion):
    problem = only(problems(tmp_path, [line]))
    assert problem.suggestion == suggestion
    assert problem.message == "this entry is unknown"


def test_a_misspelt_key_is_not_reported_as_missing_too(tmp_path):
    problem = only(problems(tmp_path, line14="  c_rat: 0.1 /h"))
    assert (problem.key, problem.suggestion) == ("cycling.c_rat", "cycling.c_rate")


@pytest.mark.parametrize(
    ("line11", "key", "text"),
    [
        ("  active: {name: Se}", "materials.active.growth_mode", "missing"),
        (
            "  active: {name: Li6PS5Cl, growth_mode: in_plane}",
            "materials.active.override.volume_change",
            "no volume change of Li6PS5Cl",
        ),
        (
            "  active: {name: FeS, growth_mode: in_plane, override: {creep: {exponent: 3}}}",
            "materials.active.override.creep",
            "no creep law of FeS",
        ),
        (
            "  active: {name: Se, growth_mode: in_plane, override: {creep: off}}",
            "materials.active.override.creep",
            "choice is unknown",
        ),
        (
            "  active: {name: Se, growth_mode: in_plane, override: {poisson_ratio: 0.5}}",
            "materials.active.override.poisson_ratio",
            "out of range",
        ),
    ],
)
def test_materials_must_be_complete_and_sensible(tmp_path, line11, key, text):
    problem = only(problems(tmp_path, line11=line11))
    assert problem.key == key
    assert text in problem.message
    assert problem.line == 11


@pytest.mark.parametrize(
    ("lithiated", "key", "message", "allowed"),
    [
        ("{name: Li2Se}", "mixing", "missing", "linear, harmonic, logarithmic"),
        ("{name: Li2Se, mixing: reuss}", "mixing", "choice is unknown", "or logarithmic"),
        ("{name: LiSe, mixing: linear}", "name", "does not hold", "Li2Se"),
        ("{name: Li2Se, mixing: linear}", "mixing", "exponents 7 and 5", "logarithmic"),
        ("{name: Li2Se, mixing: harmonic}", "mixing", "exponents 7 and 5", "logarithmic"),
        ("{name: FeS, mixing: linear}", "mixing", "does not creep", "harmonic"),
        ("{name: FeS, mixing: logarithmic}", "mixing", "does not creep", "harmonic"),
        (
            "{name: Li2Se, mixing: linear, override: {volume_change: 0.1}}",
            "override.volume_change",
            "unknown",
            "young_modulus, poisson_ratio, creep",
        ),
    ],
)
def test_a_lithiated_material_must_be_one_that_mixes(tmp_path, lithiated, key, message, allowed):
    line = f"  active: {{name: Se, growth_mode: isotropic, lithiated: {lithiated}}}"
    problem = only(problems(tmp_path, line11=line))
    assert problem.key == f"materials.active.lithiated.{key}"
    assert message in problem.message
    assert allowed in problem.allowed
    assert problem.line == 11


def test_all_creep_laws_without_activation_energy_are_found_at_a_temperature(tmp_path):
    lithiated = "lithiated: {name: Li2Se, mixing: logarithmic}"
    law = "{rate: 1e-9 /s, reference_stress: 1 GPa, exponent: 3}"
    found = problems(
        tmp_path,
        ["temperature: 70 degC"],
        line11=f"  active: {{name: Se, growth_mode: isotropic, {lithiated}}}",
        line12=f"  framework: {{name: Mo6Se8, override: {{creep: {law}}}}}",
    )
    assert [(p.key, p.line) for p in found] == [
        ("materials.active.lithiated.override.creep.activation_energy", 11),
        ("materials.framework.override.creep.activation_energy", 12),
    ]
    assert all("0 kJ/mol" in p.allowed for p in found)
    assert "Li2Se: no activation energy is known" in found[0].message


def test_an_activation_energy_needs_a_reference_temperature(tmp_path):
    law = "{rate: 1e-9 /s, reference_stress: 1 GPa, exponent: 3, activation_energy: 1 eV}"
    line = f"  framework: {{name: Mo6Se8, override: {{creep: {law}}}}}"
    problem = only(problems(tmp_path, line12=line))
    assert problem.key == "materials.framework.override.creep"
    assert problem.allowed == "also reference_temperature"


@pytest.mark.parametrize("written", ["70", "70 K", "70 C", "3000 degC", "-200 degC"])
def test_a_temperature_is_one_that_cells_may_have(tmp_path, written):
    problem = only(problems(tmp_path, [f"temperature: {written}"]))
    assert problem.key == "temperature"
    assert "343.15 K" in problem.allowed


def test_the_framework_does_not_swell(tmp_path):
    line = "  framework: {name: Mo6Se8, override: {volume_change: 0.1}, growth_mode: in_plane}"
    found = {p.key: p.suggestion for p in problems(tmp_path, line12=line)}
    assert found == {
        "materials.framework.override.volume_change": "materials.active.override.volume_change",
        "materials.framework.growth_mode": "materials.active.growth_mode",
    }


def test_exactly_one_source_of_particles_is_needed(tmp_path):
    write_layout(tmp_path, [[5.0, 5.0, 1.0]])
    both = only(problems(tmp_path, line2="microstructure:\n  layout: discs.json"))
    assert both.key == "microstructure.packing"
    assert "layout is set to discs.json" in both.message
    neither = only(problems(tmp_path, overrides=["microstructure.packing=null"]))
    assert neither.message == "neither layout nor packing is given"


def write_layout(folder, discs):
    names = ("x", "y", "r")
    records = [dict(zip(names, disc, strict=True)) | {"phase": "active"} for disc in discs]
    content = {"box": 10.0, "discs": records}
    (folder / "discs.json").write_text(json.dumps(content, indent=1), encoding="utf-8")


def test_an_entry_of_a_packing_beside_a_layout_is_answered_with_the_layout(tmp_path):
    write_layout(tmp_path, [[5.0, 5.0, 1.0]])
    overrides = ["microstructure={layout: discs.json}", "microstructure.packing.box=7 um"]
    problem = only(problems(tmp_path, overrides=overrides))
    assert problem.key == "microstructure.packing"
    assert "layout is set to discs.json" in problem.message


@pytest.mark.parametrize("key", ["layot", "packng"])
def test_a_misspelt_source_of_particles_is_not_reported_as_missing_too(tmp_path, key):
    problem = only(problems(tmp_path, overrides=[f"microstructure={{{key}: discs.json}}"]))
    assert problem.message == "this entry is unknown"


def test_mistakes_of_a_layout_are_reported_beside_those_of_the_config(tmp_path):
    write_layout(tmp_path, [[5.0, 5.0, 1.0], [6.9, 5.0, 1.0], [1.0, 1.0, -1.0]])
    overrides = ["microstructure={layout: discs.json}", "cycling.cycles=0"]
    found = {p.key: p for p in problems(tmp_path, overrides=overrides)}
    assert set(found) == {"microstructure.layout: discs[2].r", "cycling.cycles"}
    write_layout(tmp_path, [[5.0, 5.0, 1.0], [6.9, 5.0, 1.0], [50.0, 1.0, 1.0]])
    found = {p.key: p for p in problems(tmp_path, overrides=overrides)}
    assert set(found) == {
        "microstructure.layout: discs[0], discs[1]",
        "microstructure.layout: discs[2]",
        "cycling.cycles",
    }
    assert "overlap by 100 nm" in found["microstructure.layout: discs[0], discs[1]"].message


def test_a_layout_that_cannot_be_repaired_or_read_is_refused(tmp_path):
    override = ["microstructure={layout: discs.json}"]
    write_layout(tmp_path, [[5.0, 5.0, 0.009]])
    small = only(problems(tmp_path, overrides=override))
    assert small.key == "microstructure.layout: discs[0].r"
    assert "too small for a gap of 5 nm" in small.message
    (tmp_path / "discs.json").write_text('{"box": 10,\n"discs": [}', encoding="utf-8")
    broken = only(problems(tmp_path, overrides=override))
    assert "not JSON" in broken.message
    assert broken.message.endswith("in line 2")


@pytest.mark.parametrize(
    ("entry", "key", "allowed"),
    [
        ("newton: {tolerance: 1e-2}", "newton.tolerance", "at least 1e-12 and at most 0.001"),
        ("newton: {tolerance: 1e-13}", "newton.tolerance", "at least 1e-12 and at most 0.001"),
        (
            "time_step: {creep_tolerance: 0.5}",
            "time_step.creep_tolerance",
            "at least 1e-06 and at most 0.1",
        ),
        ("contact: {smoothing: 0.3 um}", "contact.smoothing", "mesh.surface_size, 0.25 um"),
        ("contact: {touching_gap: 1 um}", "contact.touching_gap", "mesh.surface_size, 0.25 um"),
        (
            "contact: {adhesion: {strength: 5 MPa, range: 1 um}}",
            "contact.adhesion.range",
            "mesh.surface_size, 0.25 um",
        ),
        (
            "contact: {adhesion: {strength: 1 MPa, range: 10 nm}}",
            "contact.adhesion.strength",
            "or a longer range",
        ),
        ("contact: {friction_coefficient: -1}", "contact.friction_coefficient", "at least 0"),
        ("contact: {slip_regularisation: 1 nm}", "contact.slip_regularisation", "a velocity"),
        # The shortest half-cycle goes from 1.0 to 0.22 in 7.8 h.
        ("time_step: {initial: 30 min}", "time_step.initial", "at most 1/20 of it, 1404"),
        (
            "time_step: {minimum: 1500 s, initial: 1500 s, maximum: 1 h}",
            "time_step.initial",
            "at most 1/20 of it, 1404",
        ),
    ],
)
def test_numbers_beyond_sense_are_refused(tmp_path, entry, key, allowed):
    problem = only(problems(tmp_path, [entry]))
    assert problem.key == key
    assert allowed in problem.allowed
    assert problem.line == len(LINES) + 1


def test_a_default_step_gives_way_but_a_minimum_does_not(tmp_path):
    short = ["cycling.c_rate=20 /s", "time_step.minimum=10 ms"]
    problem = only(problems(tmp_path, overrides=short))
    assert (problem.key, problem.value) == ("time_step.minimum", "10 ms")


def test_two_lengths_beyond_sense_are_both_found(tmp_path):
    found = problems(tmp_path, ["contact: {smoothing: 0.3 um, touching_gap: 1 um}"])
    assert [(p.key, p.value) for p in found] == [
        ("contact.smoothing", "0.3 um"),
        ("contact.touching_gap", "1 um"),
    ]


@pytest.mark.parametrize("written", ["null", ""])
def test_an_empty_creep_law_is_not_taken_for_that_of_the_library(tmp_path, written):
    override = [f"materials.active.override.creep={written}"]
    problem = only(problems(tmp_path, overrides=override))
    assert problem.key == "materials.active.override.creep"
    assert problem.suggestion == "none"


def test_a_missing_layout_file_is_found_before_anything_is_computed(tmp_path):
    overrides = ["microstructure={layout: nowhere.json}"]
    problem = only(problems(tmp_path, overrides=overrides))
    assert (problem.key, problem.value, problem.line) == (
        "microstructure.layout",
        "nowhere.json",
        None,
    )
    assert str(tmp_path / "nowhere.json") in problem.message


@pytest.mark.parametrize(
    ("lines", "text", "line"),
    [
        (["output: {figures: true"], "this is not YAML", 18),
        (["output: [1, 2"], "this is not YAML", 18),
        (["\tmesh: 3"], "this is not YAML", 17),
        (["a: 'unclosed"], "this is not YAML", 18),
    ],
)
def test_a_syntax_error_is_shown_with_its_line(tmp_path, lines, text, line):
    problem = only(problems(tmp_path, lines))
    assert text in problem.message
    assert problem.line == line


def test_a_key_given_twice_is_found_beside_other_mistakes(tmp_path):
    found = problems(tmp_path, ["output: {figures: 3}", "mesh: {}", "zzz: 1"])
    assert [(p.key, p.line) for p in found] == [("output.figures", 17), ("mesh", 18), ("zzz", 19)]
    assert "already given in line 9" in found[1].message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("# nothing\n", "empty"),
        ("- a\n- b\n", "entries KEY: VALUE"),
        ("just text\n", "entries KEY: VALUE"),
        ("a: &x [*x]\n", "anchor contains itself"),
        ("? [1, 2]\n: 3\n", "single word"),
        ("a: !!python/object:os.system 1\n", "cannot be read"),
        ("a: 1\n---\nb: 2\n", "not YAML"),
    ],
)
def test_odd_files_are_answered_with_problems(tmp_path, text, message):
    path = tmp_path / "odd.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert any(message in problem.message for problem in caught.value.problems)


def test_files_that_cannot_be_read_are_answered_with_problems(tmp_path):
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    for path, message in (
        (tmp_path / "nowhere.yaml", "No such file"),
        (tmp_path, "Is a directory"),
        (binary, "not text in UTF-8"),
    ):
        with pytest.raises(ConfigError, match=message):
            load_config(path)


@pytest.mark.parametrize(
    ("override", "key", "message"),
    [
        ("cycles", "--set", "no entry to set"),
        ("=3", "--set", "no entry to set"),
        ("cycling..cycles=3", "--set", "no entry to set"),
        ("cycling.cycles=[1", "cycling.cycles", "not YAML"),
        ("cycling.cycles=0", "cycling.cycles", "out of range"),
        ("cycling.cycls=3", "cycling.cycls", "unknown"),
        ("name.first=3", "name.first", "name is a value"),
        ("mesh.surface_size=3 GPa", "mesh.surface_size", "a length is needed"),
    ],
)
def test_overrides_are_checked_like_entries_of_the_file(tmp_path, override, key, message):
    problem = only(problems(tmp_path, overrides=[override]))
    assert problem.key == key
    assert message in problem.message
    assert problem.line is None
