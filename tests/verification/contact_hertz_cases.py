"""Line contact of elastic cylinders: Hertz."""

from __future__ import annotations

import numpy as np
from contact_bodies import Division, two_blocks
from contact_press import Press
from harness import material
from shapes import Array

from creep_fem.contact.law import PressureGapLaw
from creep_fem.materials.parameters import PhaseMaterial

BOX, RADIUS, HALF_WIDTH = 40.0, 100.0, 1.0
RIGID = 100.0


def level(x: Array) -> Array:
    return np.full_like(x, 0.5 * BOX)


def crown(x: Array) -> Array:
    return level(x) + x**2 / (2.0 * RADIUS)


def line_contact(columns, phases, law, grading=5.0) -> Press:
    rows = columns // 2
    lower = Division(round(0.8 * columns), round(0.8 * rows), grading)
    return Press(
        two_blocks(BOX, (level, crown), (lower, Division(columns, rows, grading))), phases, law
    )


if __name__ == "__main__":
    import time, sys

    E, nu = 10.0, 0.3
    law = PressureGapLaw(
        float(sys.argv[1]) if len(sys.argv) > 1 else 2000.0,
        float(sys.argv[2]) if len(sys.argv) > 2 else 5e-6,
        0.02,
    )
    for name, ph in (
        ("two", (material(E, nu), material(E, nu))),
        ("rigid", (material(E * RIGID, nu), material(E, nu))),
    ):
        es = E / (1 - nu**2) / (2 if name == "two" else 1)
        for cols in (16, 32, 64):
            t0 = time.time()
            pr = line_contact(cols, ph, law)
            p_aim = np.pi * HALF_WIDTH**2 * es / (4 * RADIUS)
            # approach: few steps till P aimed
            d = 0.0
            P = 0.0
            dd = 0.02
            hist = []
            for k in range(5):
                d = 0.0064 * (2 if name == "two" else 1) * (k + 1)
                pr.step(1.0, d)
                P = 2 * pr.problem.reactions().top
                a = np.sqrt(4 * P * RADIUS / np.pi / es)
                p0 = 2 * P / np.pi / a
                for b in (0, 1):
                    pf = pr.profile(b)
                    fa, fp = pf.ellipse()
                    am = 2 * np.sqrt(pf.second_moment)
                    print(
                        name,
                        cols,
                        b,
                        "it",
                        pr.iterations,
                        "d %.4f P %.5f a %.4f p0 %.5f | a_fit %.4f p_fit %.4f a_mom %.4f pmax %.4f"
                        % (
                            d,
                            P,
                            a,
                            p0,
                            fa / a - 1,
                            fp / p0 - 1,
                            am / a - 1,
                            pf.pressure.max() / p0 - 1,
                        ),
                        "%.1fs" % (time.time() - t0),
                    )
