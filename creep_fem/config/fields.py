"""What the sections of the config have in common: their base and the kinds of their entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationInfo,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from creep_fem.errors import Problem
from creep_fem.units import (
    DRAG,
    DURATION,
    LENGTH,
    NUMBER,
    RATE,
    STIFFNESS,
    STRESS,
    VELOCITY,
    Quantity,
)


class Section(BaseModel):
    """A section of the config: immutable, and without room for unknown entries.

    Rules between two entries are field validators of the later one, which sees the earlier one only
    if that is valid: so every mistake is found, and none is reported because of another.
    """

    # Defaults are written like the user's values, with units, and checked like them.
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


def refuse(
    message: str,
    allowed: str,
    at: tuple[str, ...] = (),
    near: str | None = None,
    choices: tuple[str, ...] = (),
) -> PydanticCustomError:
    """Build the error that an entry is not acceptable.

    Args:
        message: What is wrong.
        allowed: What would be right.
        at: Path of the offending entry, from the field whose validator raises the error.
        near: What the user may have meant.
        choices: Entries of the same section one of which would have satisfied the rule; if one is
            there but misspelt, only that is reported.

    Returns:
        The error to raise.
    """
    context = {
        "problem": message,
        "allowed": allowed,
        "at": at,
        "suggestion": near,
        "choices": choices,
    }
    return PydanticCustomError("check", "{problem}", context)


def refuse_all(problems: Sequence[Problem], in_file: bool = False) -> PydanticCustomError:
    """Build the error that several entries are not acceptable.

    Args:
        problems: What is wrong. Their keys start at the field whose validator raises the error;
            value and line are found from the key.
        in_file: Whether keys, values and lines are those of the file that the field names.

    Returns:
        The error to raise.
    """
    kind = "in_file" if in_file else "in_section"
    return PydanticCustomError(
        kind, "{count} problems", {"problems": problems, "count": len(problems)}
    )


def default(written: str) -> Any:
    """Give a field a default, written with its unit."""
    return Field(default=written)


@dataclass(frozen=True)
class Whole:
    """Annotation of an integer field.

    Attributes:
        at_least: Smallest value allowed.
    """

    at_least: int

    @property
    def allowed(self) -> str:
        """The range, for messages."""
        return f"a whole number, at least {self.at_least}"

    def validate(self, written: object) -> int:
        """Check type and range."""
        if not isinstance(written, int) or isinstance(written, bool):
            raise refuse("a whole number is needed here", self.allowed)
        if written < self.at_least:
            raise refuse("the value is out of range", self.allowed)
        return written

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Build the validator of the field."""
        return core_schema.no_info_plain_validator_function(self.validate)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the field."""
        return {"type": "integer", "minimum": self.at_least, "description": self.allowed}


Length = Annotated[float, Quantity(LENGTH, above=0.0)]
Duration = Annotated[float, Quantity(DURATION, above=0.0)]
Rate = Annotated[float, Quantity(RATE, above=0.0)]
Stress = Annotated[float, Quantity(STRESS, above=0.0)]
Velocity = Annotated[float, Quantity(VELOCITY, above=0.0)]
Drag = Annotated[float, Quantity(DRAG, at_least=0.0)]
Stiffness = Annotated[float, Quantity(STIFFNESS, above=0.0)]
Soc = Annotated[float, Quantity(NUMBER, at_least=0.0, at_most=1.0)]


def _existing_file(written: object, info: ValidationInfo) -> Path:
    """Resolve a path relative to the folder of the config."""
    if not isinstance(written, str | Path) or not str(written):
        raise refuse("the path of a file is needed here", "a path relative to the config")
    folder: Path = (info.context or {}).get("folder", Path())
    path = (folder / Path(written).expanduser()).resolve()
    if not path.is_file():
        raise refuse(f"there is no file {path}", "a path relative to the config")
    return path


ExistingFile = Annotated[Path, BeforeValidator(_existing_file, json_schema_input_type=str)]


def _option(written: object) -> str | bool | int | float:
    if isinstance(written, str | bool | int | float):
        return written
    raise refuse("an option has one value", "a text, a number, true or false")


PetscOption = Annotated[str | bool | int | float, BeforeValidator(_option)]

FieldTimes = Literal["half_cycles", "all_steps"]

LinearSolver = Literal["direct", "iterative"]
