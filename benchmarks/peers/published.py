"""Numbers that were published with the benchmark, on another machine; never measured here."""

from __future__ import annotations

from benchmarks.peers.outcome import FINISHED, Outcome
from benchmarks.peers.problems import DISC_TIMES, quantities

_NOTE = "as published with the benchmark"
_TUBE = "20 x 20 QUAD4; two errors were published, 0.31 % and -0.08 %, but not of what"
_DRAG = "node-face penalty, viscous drag, hypoelastic Cauchy stress, all pairs listed by hand"


def outcomes() -> list[Outcome]:
    """What is known of MOOSE, and of CalculiX with more patience in its settings."""
    mises = tuple(quantity.reference for quantity in quantities("B3"))
    missing = (None,) * len(DISC_TIMES)
    rows = [
        ("B1", "MOOSE", 1.0, None, (-85.948, 0.31961), FINISHED, "settings not stated"),
        ("B2", "MOOSE", 1.0, None, (None, None, None), FINISHED, _TUBE),
        ("B3", "MOOSE, node-face penalty", 0.303, 540.0, mises, "time limit", _DRAG),
        (
            "B3",
            "CalculiX, node to surface",
            0.379,
            430.0,
            missing,
            "increment size smaller than minimum",
            "springs to the ground; the best of five variants, all pairs listed by hand",
        ),
    ]
    return [
        Outcome(
            problem,
            f"{code}, {_NOTE}",
            None,
            reached,
            () if wall is None else (wall,),
            None,
            values,
            ended_by,
            model,
            published=True,
        )
        for problem, code, reached, wall, values, ended_by, model in rows
    ]
