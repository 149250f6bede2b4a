"""Exceptions of the results room."""

from __future__ import annotations

from creep_fem.errors import CreepFemError


class ResultError(CreepFemError):
    """A result cannot be written, or a file of a run folder is missing, incomplete or foreign."""
