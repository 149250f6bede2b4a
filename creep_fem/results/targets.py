"""Published or measured values that runs are compared with: a YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from creep_fem.config.document import Document, EntryPath, key_of, read_document
from creep_fem.errors import ConfigError, Problem
from creep_fem.results.cycles import QUANTITIES
from creep_fem.units import NUMBER, Dimension, UnitError

_SECTIONS: Final = ("source", "labels")
_CREEP_FREE_PORES: Final = "creep_free_pores"
_EVERY: Final = "every"
_FITTED: Final = "fitted"


@dataclass(frozen=True)
class Target:
    """One value to compare with.

    Attributes:
        label: Label of the runs.
        quantity: Name of the quantity.
        cycle: Number of the cycle, counted from 1; None if it holds for every cycle.
        value: Value in the internal unit.
        fitted: Whether parameters of the runs were chosen to meet the value: then agreement
            validates nothing.
    """

    label: str
    quantity: str
    cycle: int | None
    value: float
    fitted: bool


@dataclass(frozen=True)
class Targets:
    """All values to compare with.

    Attributes:
        source: Where they come from, as short as a legend needs it.
        values: The values.
        creep_free_pores: Share of their initial area that pores regain without creep in the first
            cycle, by label.
    """

    source: str
    values: tuple[Target, ...]
    creep_free_pores: Mapping[str, float] = field(default_factory=dict)

    @property
    def labels(self) -> set[str]:
        """Labels that there are values for."""
        return {target.label for target in self.values} | {*self.creep_free_pores}

    def of(self, label: str, quantity: str) -> list[Target]:
        """Targets of one quantity of one label."""
        return [t for t in self.values if (t.label, t.quantity) == (label, quantity)]

    def at(self, label: str, quantity: str, cycle: int) -> Target | None:
        """Target at one cycle, None if there is none; one for this cycle goes before others."""
        known = {target.cycle: target for target in self.of(label, quantity)}
        return known.get(cycle, known.get(None))


NO_TARGETS: Final = Targets("", ())


def read_targets(path: Path) -> Targets:
    """Read and check a file of targets.

    Args:
        path: YAML file: ``source``, and ``labels`` with, for each label and quantity, values with
            units by cycle, such as ``{1: 70 %, 20: 84 %}`` or ``{every: 4 %}``, and
            ``fitted: [1]`` for the cycles whose values parameters were chosen to meet;
            ``creep_free_pores``, which may be absent, with a value for each label.

    Returns:
        The values in internal units.

    Raises:
        ConfigError: With all problems of the file.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problem = Problem("(file)", f"the file cannot be read: {error}", str(path))
        raise ConfigError(str(path), [problem]) from error
    reader = _Reader(read_document(text))
    targets = reader.read()
    if reader.problems:
        raise ConfigError(str(path), reader.problems)
    return targets


class _Reader:
    """Collects the targets of a document, and what is wrong with it."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems = list(document.problems)

    def read(self) -> Targets:
        root = self.document.data
        if not isinstance(root, dict) or {*root} - {_CREEP_FREE_PORES} != {*_SECTIONS}:
            if not self.problems:
                allowed = f"{' and '.join(_SECTIONS)}, and {_CREEP_FREE_PORES} if it is known"
                self._refuse((), "the file must consist of other entries", allowed)
            return NO_TARGETS
        if not isinstance(root["source"], str):
            self._refuse(("source",), "this is no text", "the origin of the values")
        found: list[Target] = []
        for label, quantities in self._entries(root["labels"], ("labels",)):
            for name, values in self._entries(quantities, ("labels", label)):
                found += self._quantity(label, name, values)
        pores = {}
        for label, written in self._entries(root.get(_CREEP_FREE_PORES, {}), (_CREEP_FREE_PORES,)):
            share = self._value((_CREEP_FREE_PORES, label), written, NUMBER)
            if share is not None:
                pores[label] = share
        return Targets(str(root["source"]), tuple(found), pores)

    def _quantity(self, label: str, name: str, values: Any) -> list[Target]:
        path: EntryPath = ("labels", label, name)
        if name not in QUANTITIES:
            near = get_close_matches(name, QUANTITIES, n=1, cutoff=0.0)
            self._refuse(path, "there is no such quantity", ", ".join(QUANTITIES), near[0])
            return []
        entries = dict(self._entries(values, path))
        fitted = self._fitted(path, entries.pop(_FITTED, []), list(entries))
        found = []
        for cycle, written in entries.items():
            here = (*path, cycle)
            if cycle != _EVERY and not (cycle.isdecimal() and int(cycle) > 0):
                self._refuse(here, "this is no cycle", f"a number from 1 on, {_EVERY}, {_FITTED}")
                continue
            value = self._value(here, written, QUANTITIES[name].dimension)
            number = None if cycle == _EVERY else int(cycle)
            if value is not None:
                found.append(Target(label, name, number, value, cycle in fitted))
        return found

    def _value(self, path: EntryPath, written: Any, dimension: Dimension) -> float | None:
        try:
            return dimension.parse(written)
        except UnitError as error:
            self._refuse(path, str(error), f"such as 70 {dimension.unit or '%'}")
            return None

    def _fitted(self, path: EntryPath, written: Any, cycles: list[str]) -> set[str]:
        """Cycles whose values were met by choice, as the keys of these values."""
        here, allowed = (*path, _FITTED), f"a list of cycles with a value: {', '.join(cycles)}"
        if not isinstance(written, list):
            self._refuse(here, "this is no list of cycles", allowed)
            return set()
        for place, cycle in enumerate(written):
            if str(cycle) not in cycles:
                self._refuse((*here, place), "there is no value for this cycle", allowed)
        return {str(cycle) for cycle in written}

    def _entries(self, section: Any, path: EntryPath) -> list[tuple[str, Any]]:
        if not isinstance(section, dict):
            self._refuse(path, "this must consist of entries KEY: VALUE", None)
            return []
        return list(section.items())

    def _refuse(
        self, path: EntryPath, message: str, allowed: str | None, near: str | None = None
    ) -> None:
        mark = self.document.mark(path)
        self.problems.append(
            Problem(
                key_of(path) or "(root)",
                message,
                value=mark.text if mark else None,
                allowed=allowed,
                line=self.document.line_of(path),
                suggestion=near,
            )
        )
