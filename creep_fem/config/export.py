"""Writes the config's JSON schema, and configs as YAML."""

from __future__ import annotations

from io import StringIO
from typing import Any

from ruamel.yaml import YAML

from creep_fem.config.fields import Section
from creep_fem.config.run import RunConfig


def json_schema(
    kind: type[Section] = RunConfig, title: str = "Config of a creep-fem run"
) -> dict[str, Any]:
    """Describe the config, or another kind of file, for editors and other programs.

    Args:
        kind: The section that the file as a whole is.
        title: What the file is.

    Returns:
        JSON schema, draft 2020-12; quantities are texts, described by dimension, range and example.
    """
    schema = kind.model_json_schema(mode="validation")
    for section in [schema, *schema.get("$defs", {}).values()]:
        # The rest of a docstring tells Python's attributes.
        section["description"] = section["description"].partition("\n")[0]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": title,
    }


def write_yaml(data: dict[str, Any]) -> str:
    """Write plain data as YAML, one entry a line."""
    yaml = YAML()
    yaml.default_flow_style = False
    # Long paths stay on one line.
    yaml.width = 1000
    stream = StringIO()
    yaml.dump(data, stream)
    return stream.getvalue()
