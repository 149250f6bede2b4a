"""A small global design: all parameters of a study vary at once, over their whole ranges."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from creep_fem.config.fields import Section, Whole, refuse
from creep_fem.study.cases import Override
from creep_fem.study.parameter import Range
from creep_fem.study.sections import check_keys


def fewest_runs(parameters: int) -> int:
    """Fewest runs that tell effects apart: one per unknown of the fit, and one for its error."""
    return parameters + 2


class Sample(Section):
    """A Latin hypercube in the space of some parameters.

    Each parameter takes one value in each of ``size`` strata of equal width, so that the mean of
    its effect over the other parameters is seen at any number of runs. Sobol points are as even
    only at powers of two.

    Attributes:
        parameters: Bounds by the key of the entry.
        size: Number of runs.
        seed: Of the random numbers; the same seed gives the same sample with the same SciPy.
    """

    parameters: Annotated[dict[str, Range], Field(min_length=1), BeforeValidator(check_keys)]
    size: Annotated[int, Whole(at_least=1)]
    seed: Annotated[int, Whole(at_least=0)] = 1

    @field_validator("size")
    @classmethod
    def _enough(cls, size: int, info: ValidationInfo) -> int:
        # Parameters that are wrong are absent from the data.
        if "parameters" in info.data:
            count = len(info.data["parameters"])
            if size < fewest_runs(count):
                message = f"{size} runs do not tell the effects of {count} parameters apart"
                raise refuse(message, f"at least {fewest_runs(count)}")
        return size

    def positions(self) -> NDArray[np.float64]:
        """Points between the bounds, shape (size, parameters), each coordinate from 0 to 1.

        Values are exchanged among the points until the centred discrepancy does not fall any more,
        which takes away most of the chance correlation between parameters.
        """
        from scipy.stats.qmc import LatinHypercube

        sampler = LatinHypercube(len(self.parameters), optimization="random-cd", rng=self.seed)
        points: NDArray[np.float64] = sampler.random(self.size)
        return points

    def points(self) -> list[tuple[Override, ...]]:
        """The entries to replace in each run."""
        return [
            tuple(
                item.override(key, item.value_at(position), ("sample", "parameters", key))
                for (key, item), position in zip(self.parameters.items(), point, strict=True)
            )
            for point in self.positions().tolist()
        ]

    def corners(self) -> list[tuple[Override, ...]]:
        """All parameters at their lower bounds, and each alone at its upper one.

        Mistakes in the file show there, with the values that are written in it.
        """
        keys = list(self.parameters)
        lowest = tuple(self._bound(key, "lower") for key in keys)
        highest = [self._bound(key, "upper") for key in keys]
        raised = [(*lowest[:i], end, *lowest[i + 1 :]) for i, end in enumerate(highest)]
        return [lowest, *raised]

    def _bound(self, key: str, end: Literal["lower", "upper"]) -> Override:
        item = self.parameters[key]
        value = (item.lower if end == "lower" else item.upper).value
        return item.override(key, value, ("sample", "parameters", key, end))
