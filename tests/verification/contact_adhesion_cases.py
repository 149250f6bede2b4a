"""Two blocks that stick to each other are pulled apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from contact_bodies import Division, two_blocks
from contact_press import Press, described
from harness import material
from records import Check, Report, case
from scipy.optimize import brentq
from shapes import Array

from creep_fem.contact.law import CohesiveTail, PressureGapLaw
from creep_fem.materials.parameters import PhaseMaterial

_BOX = 1.0  # um
# repulsion is the package's default
_LAW = PressureGapLaw(400.0, 0.002, 0.1, CohesiveTail(strength=0.02, reach=0.03))
_PHASES = (material(10.0, 0.25), material(40.0, 0.3))
_PULLS = np.linspace(0.0, 0.036, 61)  # um


def _flat(x: Array) -> Array:
    return np.full_like(x, 0.5 * _BOX)


@dataclass(frozen=True)
class Pulled:
    """Closed form for two flat blocks between walls that are moved apart."""

    law: PressureGapLaw
    phases: tuple[PhaseMaterial, PhaseMaterial]

    def height(self, phase: PhaseMaterial, tension: float) -> float:
        """Height in um of a block held sideways under a tension in GPa."""
        oedometric = phase.bulk_modulus + 4.0 / 3.0 * phase.shear_modulus
        # Cauchy stress: M e/exp(e) with Hencky's strain e
        strain = brentq(lambda e: oedometric * e * np.exp(-e) - tension, -0.2, 0.2, xtol=1e-15)
        return 0.5 * _BOX * float(np.exp(strain))

    def tension(self, pull: float) -> float:
        """Tension in GPa when the walls are ``pull`` um further apart than the blocks are high."""

        def misfit(gap: float) -> float:
            tension = -float(self.law.pressure(np.array(gap)))
            return gap + sum(self.height(p, tension) for p in self.phases) - _BOX - pull

        gap = brentq(misfit, -0.01, 0.06, xtol=1e-15)
        return -float(self.law.pressure(np.array(gap)))


@case()
def adhesive_patch() -> Report:
    """Tension over separation of two flat blocks of different stiffness, up to parting."""
    divisions = (Division(4, 2), Division(5, 3))
    tail = _LAW.adhesion
    assert tail is not None
    # parted blocks carry nothing that a residual could be measured against
    floor = tail.strength * _BOX
    packing = two_blocks(_BOX, (_flat, _flat), divisions)
    press = Press(packing, _PHASES, _LAW, tolerance=1e-7, force_floor=floor)
    pulled = Pulled(_LAW, _PHASES)
    found, exact = [], []
    for pull in _PULLS:
        press.step(1.0, -float(pull))
        found.append(-press.force / _BOX)
        exact.append(pulled.tension(float(pull)))
    tension, reference = np.array(found), np.array(exact)
    # the blocks hold no energy when nothing pulls and after they have parted
    work = float(np.trapezoid(np.maximum(tension, 0.0), _PULLS))
    return Report(
        "Adhesive patch test",
        "uniform stress in each block; heights, stretches and gap law add up to the moved walls",
        "equilibrium and Hencky's law in closed form",
        "P2 with bubbles, "
        + " cells on ".join(f"{d.columns} x {d.rows}" for d in divisions)
        + f" cells, {len(_PULLS)} steps of {1e3 * _PULLS[1]:g} nm; {described(_LAW)}",
        (
            Check(
                "largest error of the tension over the strength",
                float(np.abs(tension - reference).max()),
                0.0,
                1e-4,
                tail.strength,
            ),
            Check("largest tension in GPa", float(tension.max()), float(reference.max()), 1e-4),
            Check("tension after parting in GPa", float(tension[-1]), 0.0, 1e-6, tail.strength),
            Check("work to part the blocks in GPa um", work, _LAW.work_of_adhesion, 2e-3),
        ),
    )
