"""The growth of the active phase, and what its parameters become, while a packing is cycled."""

from __future__ import annotations

from creep_fem.config import RunConfig
from creep_fem.cycling import free_area_growth, growth_stretches
from creep_fem.mechanics.model import MechanicsModel


class Swelling:
    """Drives the growth and the parameters of the active phase along the half-cycles."""

    def __init__(self, model: MechanicsModel, config: RunConfig) -> None:
        """Lay out the half-cycles of a config."""
        material = config.materials.active
        self._model, self._start = model, config.cycling.soc.start
        self._phases = None if material.lithiated is None else config.phases
        self._change, self._mode = material.volume_change, material.growth_mode
        self.half_cycles = config.cycling.half_cycles(self._change)
        self._poisson_ratio = material.poisson_ratio
        self.current = self.half_cycles[0]

    def apply(self, time: float) -> None:
        """Set swelling and parameters of the active phase at a time in s."""
        soc = self.current.soc_at(time)
        self._model.set_growth([self._stretches(soc), (1.0, 1.0)])
        if self._phases is not None:
            self._model.set_parameters(self._phases(soc))

    def free_area_growth(self, soc: float) -> float:
        """Area ratio of an active particle that nothing touches and that does not creep."""
        return free_area_growth(self._stretches(soc), self._poisson_ratio)

    def _stretches(self, soc: float) -> tuple[float, float]:
        return growth_stretches(self._change, soc, self._start, self._mode)
