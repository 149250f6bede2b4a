"""Reads YAML and remembers in which line every entry stands and how it was written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from creep_fem.errors import Problem

EntryPath = tuple[str | int, ...]


def key_of(path: EntryPath) -> str:
    """Write a path as users know it, such as ``output.fields[1]``."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


@dataclass(frozen=True)
class Mark:
    """Where an entry stands.

    Attributes:
        line: Line in the file, counted from 1; None if it was given on the command line.
        text: The value as written; None for sections and lists.
    """

    line: int | None
    text: str | None


@dataclass
class Document:
    """Contents of a YAML text.

    Attributes:
        data: The entries as dicts, lists and scalars; None if the text is no YAML.
        marks: Where each entry stands.
        problems: Mistakes of the YAML itself.
    """

    data: Any = None
    marks: dict[EntryPath, Mark] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def mark(self, path: EntryPath) -> Mark | None:
        """Where an entry stands, None if it is missing."""
        return self.marks.get(path)

    def line_of(self, path: EntryPath) -> int | None:
        """Line of an entry or, if it is missing, of the nearest section around it."""
        while path and path not in self.marks:
            path = path[:-1]
        mark = self.marks.get(path)
        return mark.line if mark else None


def read_document(text: str) -> Document:
    """Parse a YAML text, and go on after entries that cannot be used.

    Args:
        text: YAML 1.2 with one document.

    Returns:
        Its contents; after a syntax error only the problem, for nothing behind it can be read.
    """
    document = Document()
    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = f"this is not YAML: {error.problem or error.context}"
        line = None if mark is None else mark.line + 1
        document.problems.append(Problem("(syntax)", message, line=line))
    except YAMLError as error:
        document.problems.append(Problem("(syntax)", f"this is not YAML: {error}"))
    else:
        if node is not None:
            document.data = _Reader(document).read(node, (), node.start_mark.line + 1, ())
    return document


class _Reader:
    """Turns YAML nodes into data."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.constructor = YAML(typ="safe", pure=True).constructor

    def read(self, node: Node, path: EntryPath, line: int, parents: tuple[Node, ...]) -> Any:
        """Convert one node, found at a path that starts in a line, within its parents."""
        text = str(node.value) if isinstance(node, ScalarNode) else None
        self.document.marks[path] = Mark(line, text)
        if any(node is parent for parent in parents):
            self._complain(path, "an anchor contains itself", line)
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, path, (*parents, node))
        if isinstance(node, SequenceNode):
            return [
                self.read(item, (*path, index), item.start_mark.line + 1, (*parents, node))
                for index, item in enumerate(node.value)
            ]
        return self._scalar(node, path, line)

    def _mapping(self, node: MappingNode, path: EntryPath, parents: tuple[Node, ...]) -> Any:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode):
                self._complain(path, "a key must be a single word", line)
                continue
            key = str(key_node.value)
            here = (*path, key)
            if key in data:
                first = self.document.line_of(here)
                self._complain(here, f"this entry was already given in line {first}", line)
                continue
            data[key] = self.read(value_node, here, line, parents)
        return data

    def _scalar(self, node: Node, path: EntryPath, line: int) -> Any:
        try:
            return self.constructor.construct_object(node)
        except (MarkedYAMLError, ValueError) as error:
            reason = error.problem if isinstance(error, MarkedYAMLError) else str(error)
            self._complain(path, f"the value cannot be read: {reason}", line)
            return None

    def _complain(self, path: EntryPath, message: str, line: int) -> None:
        self.document.problems.append(Problem(key_of(path) or "(root)", message, line=line))
