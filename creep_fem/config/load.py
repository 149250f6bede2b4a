"""Reads a config and reports everything that is wrong with it at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from creep_fem.config.document import Document, EntryPath, Mark, key_of, read_document
from creep_fem.config.fields import Section
from creep_fem.config.problems import describe_errors
from creep_fem.config.run import RunConfig
from creep_fem.errors import ConfigError, Problem


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> RunConfig:
    """Read and check the config of a run.

    Args:
        path: YAML file.
        overrides: Entries to replace or add, each as ``KEY.PATH=VALUE`` with a value in YAML.

    Returns:
        The config in internal units.

    Raises:
        ConfigError: With all problems of the file and of the overrides, in the order of lines.
    """
    config, _ = load_section(RunConfig, path, overrides)
    config._source = Path(path)
    return config


def load_section[S: Section](
    kind: type[S], path: str | Path, overrides: Sequence[str] = ()
) -> tuple[S, Document]:
    """Read and check a file of any kind.

    Args:
        kind: The section that the file as a whole is.
        path: YAML file.
        overrides: Entries to replace or add, each as ``KEY.PATH=VALUE`` with a value in YAML.

    Returns:
        Its contents in internal units, and the document, which knows the lines.

    Raises:
        ConfigError: With all problems of the file and of the overrides, in the order of lines.
    """
    path = Path(path)
    document = read_document(_read_text(path))
    problems = document.problems
    if document.data is None and not problems:
        problems.append(Problem("(root)", "the file is empty"))
    if document.data is not None and not isinstance(document.data, dict):
        problems.append(Problem("(root)", "the file must consist of entries KEY: VALUE"))
    if not isinstance(document.data, dict):
        raise ConfigError(str(path), problems)
    for override in overrides:
        problems += _apply(override, document)
    try:
        section = kind.model_validate(document.data, context={"folder": path.parent})
    except ValidationError as error:
        told = {problem.key for problem in problems}
        found = describe_errors(error, document, kind)
        problems += [problem for problem in found if problem.key not in told]
    if problems:
        raise ConfigError(str(path), sorted(problems, key=lambda problem: problem.line or 0))
    return section, document


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        message = f"the file cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        message = "the file is not text in UTF-8"
    raise ConfigError(str(path), [Problem("(file)", message, str(path))])


def _apply(override: str, document: Document) -> list[Problem]:
    """Put one override into the document; returns what is wrong with it."""
    key, equals, text = override.partition("=")
    path: EntryPath = tuple(part.strip() for part in key.split("."))
    if not equals or not all(path):
        message = "this is no entry to set"
        return [Problem("--set", message, override, "KEY.PATH=VALUE, such as cycling.cycles=2")]
    value = read_document(text)
    if value.problems:
        return [Problem(key, problem.message, text) for problem in value.problems]
    section: dict[str, Any] = document.data
    for depth, name in enumerate(path[:-1], start=1):
        if section.get(str(name)) is None:
            section[str(name)] = {}
            document.marks[path[:depth]] = Mark(None, None)
        if not isinstance(section[str(name)], dict):
            return [Problem(key, f"{key_of(path[:depth])} is a value and has no entries", text)]
        section = section[str(name)]
    section[str(path[-1])] = value.data
    for inner in [mark for mark in document.marks if mark[: len(path)] == path]:
        del document.marks[inner]
    for inner, mark in value.marks.items():
        document.marks[path + inner] = Mark(None, mark.text)
    return []
