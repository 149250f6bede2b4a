import json
import math
import re
from typing import Annotated

import pytest
from pydantic import TypeAdapter, ValidationError

from creep_fem.units import (
    DRAG,
    DURATION,
    LENGTH,
    MOLAR_ENERGY,
    NUMBER,
    RATE,
    STIFFNESS,
    STRESS,
    TEMPERATURE,
    VELOCITY,
    Quantity,
    recognise,
)
from creep_fem.units import UnitError as BadUnit


@pytest.mark.parametrize(
    ("dimension", "text", "value"),
    [
        (LENGTH, "8 um", 8.0),
        (LENGTH, "8um", 8.0),
        (LENGTH, "20 nm", 0.02),
        (LENGTH, "1 µm", 1.0),
        (LENGTH, "1 μm", 1.0),
        (LENGTH, "-2e-3 mm", -2.0),
        (STRESS, "100 MPa", 0.1),
        (STRESS, "10 GPa", 10.0),
        (STRESS, "1 bar", 1e-4),
        (STRESS, "1 N/mm**2", 1e-3),
        (DURATION, "1 h", 3600.0),
        (DURATION, "2 min", 120.0),
        (DURATION, "1 day", 86400.0),
        (RATE, "0.1 /h", 0.1 / 3600.0),
        (RATE, "0.1 1/h", 0.1 / 3600.0),
        (RATE, "1e-5 s^-1", 1e-5),
        (STIFFNESS, "100 GPa/um", 100.0),
        (STIFFNESS, "0.1 GPa/nm", 100.0),
        (DRAG, "4 GPa*s/um", 4.0),
        (TEMPERATURE, "343.15 K", 343.15),
        (TEMPERATURE, "70 degC", 343.15),
        (TEMPERATURE, "25 °C", 298.15),
        (TEMPERATURE, "-10 celsius", 263.15),
        (MOLAR_ENERGY, "74 kJ/mol", 74.0),
        (MOLAR_ENERGY, "74000 J/mol", 74.0),
        (MOLAR_ENERGY, "1 eV", 96.48533212331),
        (NUMBER, 0.25, 0.25),
        (NUMBER, 3, 3.0),
        (NUMBER, "35.6 %", 0.356),
    ],
)
def test_quantities_are_converted_exactly(dimension, text, value):
    assert dimension.parse(text) == value


@pytest.mark.parametrize(
    ("dimension", "written", "message"),
    [
        (LENGTH, "12 GPa", "a length is needed here, but GPa is not a unit of one"),
        (STRESS, "12 GPa/um", "a stress is needed here"),
        (LENGTH, 0.25, "the unit is missing"),
        (LENGTH, "0.25", "the unit is missing"),
        (LENGTH, "3 furlong", "the unit furlong is unknown"),
        (LENGTH, "um", "starts with a number"),
        (LENGTH, "", "starts with a number"),
        (LENGTH, "nan um", "starts with a number"),
        (LENGTH, "1 um um**", "is not a unit"),
        (LENGTH, "1 (", "is not a unit"),
        (LENGTH, "1 /", "is not a unit"),
        (LENGTH, "2 um + 1 um", "is not a unit"),
        (LENGTH, "1e400 um", "too large"),
        (LENGTH, "1e99999999999999999999 um", "too large"),
        (LENGTH, None, "a length is needed here"),
        (LENGTH, ["1 um"], "a length is needed here"),
        (TEMPERATURE, "70", "the unit is missing"),
        (TEMPERATURE, "70 C", "the unit C is unknown"),
        (TEMPERATURE, "1 degC/s", "a temperature is needed here"),
        (STRESS, "1 K", "a stress is needed here"),
        (MOLAR_ENERGY, "74 kJ", "an energy per mole is needed here"),
        (NUMBER, True, "a plain number is needed here"),
        (NUMBER, "12 GPa", "a plain number is needed here"),
        (NUMBER, math.inf, "starts with a number"),
    ],
)
def test_what_is_no_such_quantity_is_refused(dimension, written, message):
    with pytest.raises(BadUnit, match=re.escape(message)):
        dimension.parse(written)


@pytest.mark.parametrize(
    "dimension",
    [LENGTH, STRESS, DURATION, RATE, STIFFNESS, DRAG, TEMPERATURE, MOLAR_ENERGY, NUMBER],
)
@pytest.mark.parametrize("value", [0.1 / 3600.0, 1e-300, 0.1 + 0.2, 8.0, 1e22, -7.0, 0.0])
def test_formatted_values_are_read_back_to_the_last_bit(dimension, value):
    assert dimension.parse(dimension.format(value)) == value


@pytest.mark.parametrize(
    "dimension",
    [
        *(LENGTH, STRESS, DURATION, RATE, STIFFNESS, VELOCITY, DRAG),
        *(TEMPERATURE, MOLAR_ENERGY, NUMBER),
    ],
)
def test_the_unit_tells_the_dimension(dimension):
    for text in (*dimension.examples, dimension.format(3.0)):
        assert recognise(text) == (dimension.parse(text), dimension)


def test_a_temperature_in_degrees_is_not_one_of_kelvin():
    assert recognise("25 degC") == (298.15, TEMPERATURE)
    with pytest.raises(BadUnit, match="is needed here"):
        recognise("3 kg")


@pytest.mark.parametrize(
    ("limits", "good", "bad"),
    [
        ({"above": 1.0}, "1.001 um", "1 um"),
        ({"at_least": 1.0}, "1 um", "0.999 um"),
        ({"below": 1.0}, "0.999 um", "1 um"),
        ({"at_most": 1.0}, "1 um", "1.001 um"),
    ],
)
def test_limits_include_or_exclude_their_ends(limits, good, bad):
    quantity = Quantity(LENGTH, **limits)
    quantity.validate(good)
    with pytest.raises(ValueError, match="out of range"):
        quantity.validate(bad)


def test_json_schema_tells_dimension_examples_and_range():
    adapter = TypeAdapter(Annotated[float, Quantity(LENGTH, above=0)])
    schema = adapter.json_schema()
    assert schema["description"] == "a length above 0 um; such as 8 um, 20 nm"
    assert all(re.search(schema["pattern"], text) for text in ("8 um", "20nm", "1e-3 mm", "7 °C"))
    assert not any(re.search(schema["pattern"], text) for text in ("8", "12", "0.25", "um", ""))
    assert json.dumps(schema)


def test_a_pydantic_error_carries_the_allowed_range():
    adapter = TypeAdapter(Annotated[float, Quantity(LENGTH, above=0)])
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python("-1 um")
    assert caught.value.errors()[0]["ctx"]["allowed"].startswith("a length above 0 um")
