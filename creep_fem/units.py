"""Quantities with units, as users write them; internally lengths are um, stresses GPa, times s."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from tokenize import TokenError
from typing import Any

import pint
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

# Only units that a cathode model needs: reading pint's own definitions takes fifty times as long,
# and would accept a length in parsec. Energies are molar here, so an eV is one for each particle;
# pint turns the sign of degrees into degreeC.
_DEFINITIONS = """
nano- = 1e-9 = n-
micro- = 1e-6 = µ- = μ- = u-
milli- = 1e-3 = m-
centi- = 1e-2 = c-
kilo- = 1e3 = k-
mega- = 1e6 = M-
giga- = 1e9 = G-
metre = [length] = m = meter
second = [time] = s
gram = [mass] = g
minute = 60 * second = min
hour = 60 * minute = h
day = 24 * hour = d
newton = kilogram * metre / second ** 2 = N
pascal = newton / metre ** 2 = Pa
bar = 1e5 * pascal
kelvin = [temperature]; offset: 0 = K
degree_Celsius = kelvin; offset: 273.15 = degC = degreeC = celsius
mole = [substance] = mol
joule = newton * metre = J
electronvolt = 96485.33212331 * joule / mole = eV
percent = 0.01 = %
"""

SECONDS_PER_HOUR = 3600.0
"""For texts and axes that show times in hours."""

_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_QUANTITY = re.compile(rf"\s*({_NUMBER})(.*)", re.DOTALL)


def _build_registry() -> pint.UnitRegistry[Any]:
    # Decimal numbers: 20 nm become exactly the float nearest to 0.02 um.
    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(None, non_int_type=Decimal)
    for line in _DEFINITIONS.strip().splitlines():
        registry.define(line)
    return registry


_REGISTRY = _build_registry()


class UnitError(ValueError):
    """A text is not a quantity of the dimension asked for."""


@dataclass(frozen=True)
class Dimension:
    """A kind of quantity and the units it is written in.

    Attributes:
        name: What the quantity is, with its article, for messages: "a length".
        unit: Internal unit; empty for plain numbers.
        examples: Values as a user may write them.
    """

    name: str
    unit: str
    examples: tuple[str, ...]

    def parse(self, written: object) -> float:
        """Convert what was written, such as ``"20 nm"``, to the internal unit.

        Args:
            written: Text with number and unit; plain numbers may also be int or float.

        Returns:
            Value in ``unit``.

        Raises:
            UnitError: There is no number, an unknown or missing unit, or another dimension.
        """
        if isinstance(written, bool) or not isinstance(written, str | int | float):
            raise UnitError(f"{self.name} is needed here")
        match = _QUANTITY.fullmatch(str(written))
        if match is None:
            raise UnitError(f"{self.name} is needed here, which starts with a number")
        unit_text = match[2].strip()
        if self.unit and not unit_text:
            raise UnitError("the unit is missing")
        unit = _unit(unit_text)
        if unit.dimensionality != _unit(self.unit).dimensionality:
            raise UnitError(f"{self.name} is needed here, but {unit_text} is not a unit of one")
        try:
            value = float(_REGISTRY.Quantity(Decimal(match[1]), unit).m_as(_unit(self.unit)))
        except ArithmeticError as error:
            raise UnitError("the number is too large or too small") from error
        if not math.isfinite(value):
            raise UnitError("the number is too large")
        return value

    def format(self, value: float) -> str:
        """Write a value in the internal unit such that ``parse`` returns exactly the same."""
        number = repr(float(value)).removesuffix(".0")
        return f"{number} {self.unit}" if self.unit else number


def _unit(text: str) -> Any:
    expression = f"1{text}" if text.startswith("/") else text
    try:
        return _REGISTRY.parse_units(expression)
    except pint.UndefinedUnitError as error:
        raise UnitError(f"the unit {text} is unknown") from error
    # pint lets the errors of its tokeniser and of arithmetic pass through.
    except (pint.PintError, TokenError, ValueError, TypeError, ArithmeticError) as error:
        raise UnitError(f"{text} is not a unit") from error


LENGTH = Dimension("a length", "um", ("8 um", "20 nm"))
STRESS = Dimension("a stress", "GPa", ("10 GPa", "100 MPa"))
DURATION = Dimension("a duration", "s", ("200 s", "1 h"))
RATE = Dimension("a rate", "1/s", ("1e-5 /s", "0.1 /h"))
STIFFNESS = Dimension("a stress per length", "GPa/um", ("100 GPa/um",))
VELOCITY = Dimension("a velocity", "um/s", ("1e-6 um/s", "1 nm/h"))
DRAG = Dimension("a stress per velocity", "GPa*s/um", ("4 GPa*s/um",))
TEMPERATURE = Dimension("a temperature", "K", ("70 degC", "343.15 K"))
MOLAR_ENERGY = Dimension("an energy per mole", "kJ/mol", ("74 kJ/mol", "0.77 eV"))
NUMBER = Dimension("a plain number", "", ())

_WITH_UNIT = (
    LENGTH,
    STRESS,
    DURATION,
    RATE,
    STIFFNESS,
    VELOCITY,
    DRAG,
    TEMPERATURE,
    MOLAR_ENERGY,
)


def recognise(written: object) -> tuple[float, Dimension]:
    """Convert a quantity whose unit tells its dimension.

    Args:
        written: Text with number and unit; plain numbers may also be int or float.

    Returns:
        Value in the internal unit of the dimension, and the dimension.

    Raises:
        UnitError: There is no number, an unknown unit, or a dimension that no entry has.
    """
    for dimension in _WITH_UNIT:
        with suppress(UnitError):
            return dimension.parse(written), dimension
    return NUMBER.parse(written), NUMBER


@dataclass(frozen=True)
class Quantity:
    """Annotation of a float field in a pydantic model: written with a unit, stored without.

    Attributes:
        dimension: Dimension of the field.
        above: The value must be larger, in the internal unit.
        at_least: The value must not be smaller.
        below: The value must be smaller.
        at_most: The value must not be larger.
    """

    dimension: Dimension
    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None

    @property
    def allowed(self) -> str:
        """The range and the dimension, for messages."""
        limits = {
            "above": self.above,
            "at least": self.at_least,
            "below": self.below,
            "at most": self.at_most,
        }
        written = [
            f"{word} {self.dimension.format(limit)}"
            for word, limit in limits.items()
            if limit is not None
        ]
        text = f"{self.dimension.name} {' and '.join(written)}".rstrip()
        examples = ", ".join(self.dimension.examples)
        return f"{text}; such as {examples}" if examples else text

    def validate(self, written: object) -> float:
        """Parse a value and check its range; the error is one that pydantic collects."""
        try:
            value = self.dimension.parse(written)
        except UnitError as error:
            raise self._error(str(error)) from error
        if (
            (self.above is not None and value <= self.above)
            or (self.at_least is not None and value < self.at_least)
            or (self.below is not None and value >= self.below)
            or (self.at_most is not None and value > self.at_most)
        ):
            raise self._error("the value is out of range")
        return value

    def _error(self, message: str) -> PydanticCustomError:
        context = {"problem": message, "allowed": self.allowed}
        return PydanticCustomError("quantity", "{problem}", context)

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Build the validator and the serialiser of the field."""
        write: Callable[[float], str | float] = (
            self.dimension.format if self.dimension.unit else float
        )
        return core_schema.no_info_plain_validator_function(
            self.validate,
            serialization=core_schema.plain_serializer_function_ser_schema(write, when_used="json"),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the field: text with a unit, or a number where the dimension is none."""
        if self.dimension.unit:
            return {
                "type": "string",
                "pattern": rf"^\s*{_NUMBER}\s*(?:1\s*/|[A-Za-zµμ°/]).*$",
                "description": self.allowed,
                "examples": list(self.dimension.examples),
            }
        limits = {
            "exclusiveMinimum": self.above,
            "minimum": self.at_least,
            "exclusiveMaximum": self.below,
            "maximum": self.at_most,
        }
        bounds = {word: limit for word, limit in limits.items() if limit is not None}
        percent = {"type": "string", "pattern": rf"^\s*{_NUMBER}\s*%?\s*$"}
        return {"anyOf": [{"type": "number", **bounds}, percent], "description": self.allowed}
