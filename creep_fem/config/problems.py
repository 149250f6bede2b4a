"""Translates pydantic's errors into problems that name key, value, range, line and nearest key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from creep_fem.config.document import Document, EntryPath, key_of
from creep_fem.config.export import json_schema
from creep_fem.errors import Problem


def describe_errors(error: ValidationError, document: Document) -> list[Problem]:
    """Describe all errors of a validation.

    Args:
        error: What pydantic found.
        document: The data it was given, with lines.

    Returns:
        One problem for each mistake; a misspelt key is not also reported as a missing one.
    """
    keys = KnownKeys()
    details = [(detail, _path(detail, document.data)) for detail in error.errors(include_url=False)]
    unknown = [path for detail, path in details if detail["type"] == "extra_forbidden"]
    misspelt = {keys.nearest(path) for path in unknown}
    problems: list[Problem] = []
    for detail, path in details:
        if path in unknown:
            problems.append(_unknown(path, document, keys))
        elif "problems" in detail.get("ctx", {}):
            problems += _listed(detail, path, document)
        elif not misspelt.intersection(_wanted(detail, path)):
            problems.append(_described(detail, path, document, keys))
    return problems


def _wanted(detail: ErrorDetails, path: EntryPath) -> set[str]:
    """Keys of entries whose absence is the error."""
    if detail["type"] == "missing":
        return {key_of(path)}
    return {key_of((*path[:-1], choice)) for choice in detail.get("ctx", {}).get("choices", ())}


def _listed(detail: ErrorDetails, path: EntryPath, document: Document) -> Iterator[Problem]:
    """Problems found by one validator, in entries of a section or in a file that a field names."""
    in_file = detail["type"] == "in_file"
    for problem in detail["ctx"]["problems"]:
        entry = path if in_file else (*path, *problem.key.split("."))
        key, line = key_of(entry), document.line_of(entry)
        if in_file:
            where = f" in line {problem.line}" if problem.line is not None else ""
            message = f"{problem.message}{where}"
            yield replace(problem, key=f"{key}: {problem.key}", message=message, line=line)
        else:
            yield replace(problem, key=key, value=_text(entry, document), line=line)


def _path(detail: ErrorDetails, data: Any) -> EntryPath:
    """Path of the entry; pydantic's location also names branches of unions, which are not keys."""
    path: list[str | int] = []
    last = len(detail["loc"]) - 1
    for index, part in enumerate(detail["loc"]):
        is_key = isinstance(data, dict) and part in data
        is_item = isinstance(data, list) and isinstance(part, int) and part < len(data)
        if is_key or is_item:
            data = data[part]
            path.append(part)
        elif index == last and isinstance(part, str) and isinstance(data, dict | None):
            # Absent: missing, or a default that contradicts what is given.
            path.append(part)
    at: tuple[str, ...] = detail.get("ctx", {}).get("at", ())
    return (*path, *at)


def _unknown(path: EntryPath, document: Document, keys: KnownKeys) -> Problem:
    return Problem(
        key=key_of(path),
        message="this entry is unknown",
        value=_text(path, document),
        allowed=", ".join(keys.entries(path[:-1])) or None,
        line=document.line_of(path),
        suggestion=keys.nearest(path),
    )


def _described(
    detail: ErrorDetails, path: EntryPath, document: Document, keys: KnownKeys
) -> Problem:
    context = detail.get("ctx", {})
    kind = detail["type"]
    allowed = context.get("allowed") or context.get("expected") or keys.description(path)
    suggestion = context.get("suggestion")
    message = context.get("problem") or detail["msg"]
    if kind == "missing":
        message = "this entry is missing"
    elif kind in ("model_type", "model_attributes_type", "dict_type"):
        message = "a section with entries is needed here"
        allowed = ", ".join(keys.entries(path)) or "KEY: VALUE"
    elif kind == "literal_error":
        message = "this choice is unknown"
        choices = str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
        allowed = " or ".join(choices)
        near = get_close_matches(str(detail["input"]), choices, n=1)
        suggestion = near[0] if near else None
    elif kind in ("string_type", "string_pattern_mismatch"):
        message = "this is not a valid name"
    elif kind == "bool_type":
        message, allowed = "this is a yes-or-no entry", "true or false"
    value = None if kind == "missing" else _text(path, document)
    return Problem(key_of(path), message, value, allowed, document.line_of(path), suggestion)


def _text(path: EntryPath, document: Document) -> str | None:
    """The value as written, or what kind of thing was written."""
    mark = document.mark(path)
    if mark is None:
        return None
    if mark.text is not None:
        return mark.text or "nothing"
    value = document.data
    for part in path:
        value = value[part]
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return f"a section with {', '.join(value)}" if value else "an empty section"


@dataclass(frozen=True)
class KnownKeys:
    """All keys of the config, read off its JSON schema."""

    @cached_property
    def _schema(self) -> dict[str, Any]:
        return json_schema()

    @cached_property
    def _paths(self) -> dict[str, list[tuple[str, ...]]]:
        """Full paths by their last key."""
        paths: dict[str, list[tuple[str, ...]]] = {}
        for path in self._walk(self._schema, ()):
            paths.setdefault(path[-1], []).append(path)
        return paths

    def _walk(self, node: dict[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for key, value in self._properties(node).items():
            yield (*path, key)
            yield from self._walk(value, (*path, key))

    def _properties(self, node: dict[str, Any]) -> dict[str, Any]:
        """Entries of a section; where it is one of several choices, of the choice that has some."""
        if "$ref" in node:
            node = self._schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
        properties: dict[str, Any] = dict(node.get("properties", {}))
        for choice in node.get("anyOf", []) + node.get("oneOf", []):
            properties |= self._properties(choice)
        return properties

    def _node(self, path: EntryPath) -> dict[str, Any]:
        node = self._schema
        for part in path:
            node = self._properties(node).get(str(part), {})
        return node

    def entries(self, path: EntryPath) -> list[str]:
        """Keys of the section at a path; empty if the config has no such section."""
        return list(self._properties(self._node(path)))

    def description(self, path: EntryPath) -> str | None:
        """What may be written at a path."""
        node = self._node(path)
        entries = self._properties(node)
        if entries:
            return f"a section with {', '.join(entries)}"
        for choice in [node, *node.get("anyOf", [])]:
            if "description" in choice:
                return str(choice["description"])
        choices = node.get("enum")
        return ", ".join(map(str, choices)) if choices else None

    def nearest(self, path: EntryPath) -> str | None:
        """Full key that was probably meant: of the same section or else of another one."""
        section, word = path[:-1], str(path[-1]).lower()
        near = get_close_matches(word, self.entries(section), n=1)
        if near:
            return key_of((*section, near[0]))
        elsewhere = get_close_matches(word, self._paths, n=1, cutoff=0.8)
        if not elsewhere:
            return None
        found = self._paths[elsewhere[0]]
        return key_of(max(found, key=lambda candidate: _shared(candidate, path)))


def _shared(candidate: EntryPath, path: EntryPath) -> int:
    """How many leading keys two paths share."""
    pairs = list(zip(candidate, path, strict=False))
    return next((i for i, (ours, theirs) in enumerate(pairs) if ours != theirs), len(pairs))
