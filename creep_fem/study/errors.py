"""Exceptions of the study room."""

from __future__ import annotations

from creep_fem.errors import CreepFemError


class StudyError(CreepFemError):
    """A study or a calibration cannot go on; what its runs have computed is on disk."""
