"""Packings for contact cases: two blocks with a common face, packings with mirror images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from shapes import Array, mapped_square

from creep_fem.microstructure import ParticleMesh, SurfaceArc

Face = Callable[[Array], Array]
"""Height of a block's face in um over x in um."""

_LOWER_WALL = ("left", "bottom")


@dataclass(frozen=True)
class Division:
    """Cells of a block: columns along the face, rows towards it.

    Attributes:
        columns: Number along the face.
        rows: Number across the block.
        grading: Cells grow away from x = 0 and from the face like sinh(grading s); 0: equal cells.
    """

    columns: int
    rows: int
    grading: float = 0.0

    def spread(self, s: Array, count: int) -> Array:
        """Graded coordinate of [0, 1], linear between vertices: mid-nodes stay in the middle."""
        vertices = np.linspace(0.0, 1.0, count + 1)
        graded = np.sinh(self.grading * vertices) / np.sinh(self.grading)
        return np.interp(s, vertices, graded)

    def across(self, s: Array) -> Array:
        """x/box of the points at s."""
        return self.spread(s, self.columns) if self.grading else s

    def away(self, t: Array) -> Array:
        """Distance from the face over the height of the block at t."""
        return self.spread(t, self.rows) if self.grading else t


def two_blocks(
    box: float, faces: tuple[Face, Face], divisions: tuple[Division, Division]
) -> ParticleMesh:
    """A lower and an upper block that fill the box between symmetry walls.

    Args:
        box: Edge length of the box in um.
        faces: Upper face of the lower block, lower face of the upper block.
        divisions: Cells of the lower and of the upper block.
    """
    points, cells, walls, arcs, first = [], [], [], [], 0
    for body, (face, division) in enumerate(zip(faces, divisions, strict=True)):
        block = mapped_square(division.columns, division.rows)
        s, t = block.points.T
        x = box * division.across(s)
        away = division.away(1.0 - t if body == 0 else t)
        opposite = 0.0 if body == 0 else box
        y = np.where(away == 1.0, opposite, face(x) * (1.0 - away) + opposite * away)
        touching = np.flatnonzero(away == 0.0)
        order = np.argsort(-s[touching] if body == 0 else s[touching])
        ends = ("right", "left") if body == 0 else ("left", "right")
        arcs.append(SurfaceArc(body, first + touching[order], closed=False, walls=ends))
        held = {"left": s == 0.0, "right": s == 1.0, "bottom": y == 0.0, "top": y == box}
        walls.append({name: first + np.flatnonzero(where) for name, where in held.items()})
        points.append(np.column_stack([x, y]))
        cells.append(block.cells + first)
        first += len(s)
    counts = [len(part) for part in cells]
    return ParticleMesh(
        box,
        np.vstack(points),
        np.vstack(cells),
        np.repeat(np.arange(2, dtype=np.int32), counts),
        np.arange(2, dtype=np.int32),
        tuple(arcs),
        {name: np.concatenate([part[name] for part in walls]) for name in walls[0]},
    )


def unfolded(packing: ParticleMesh, axis: int) -> ParticleMesh:
    """A packing with its mirror image in the left (axis 0) or bottom (axis 1) wall.

    Bodies on that wall are joined with their image, others doubled; the wall itself is no more.
    Coordinates along the axis then run from -box to box; the other walls are those of old.
    """
    count, wall = len(packing.points), _LOWER_WALL[axis]
    on_wall = packing.wall_nodes[wall]
    image = count + np.arange(count) - np.searchsorted(on_wall, np.arange(count))
    image[on_wall] = on_wall
    flip = np.where(np.arange(2) == axis, -1.0, 1.0)
    mirrored = np.delete(packing.points, on_wall, axis=0) * flip
    joined = np.unique(packing.cell_body[np.isin(packing.cells, on_wall).any(axis=1)])
    bodies = np.arange(len(packing.body_phase))
    body_image = len(bodies) + bodies - np.searchsorted(joined, bodies)
    body_image[joined] = joined
    turned = image[packing.cells][:, [0, 2, 1, 5, 4, 3]]
    upper = "right" if axis == 0 else "top"
    walls = {
        name: np.unique(np.concatenate([nodes, image[nodes]]))
        for name, nodes in packing.wall_nodes.items()
    }
    walls[upper], walls[wall] = packing.wall_nodes[upper], image[packing.wall_nodes[upper]]
    return ParticleMesh(
        packing.box,
        np.vstack([packing.points, mirrored]),
        np.vstack([packing.cells, turned]),
        np.concatenate([packing.cell_body, body_image[packing.cell_body].astype(np.int32)]),
        np.concatenate([packing.body_phase, np.delete(packing.body_phase, joined)]),
        tuple(_unfolded_arcs(packing, image, body_image, axis)),
        walls,
    )


def _unfolded_arcs(
    packing: ParticleMesh, image: NDArray[np.int64], body_image: NDArray[np.int64], axis: int
) -> list[SurfaceArc]:
    """Arcs that end at the mirror continue in their image, others are doubled."""
    mirror, opposite = _LOWER_WALL[axis], ("right", "top")[axis]
    swap = {opposite: mirror, mirror: opposite}
    arcs = []
    for arc in packing.arcs:
        back = image[arc.nodes[::-1]]
        if arc.walls is None:
            # the reversed image has to start with a vertex again
            back = np.roll(back, 1)
            arcs += [arc, replace(arc, body=int(body_image[arc.body]), nodes=back)]
            continue
        start, end = arc.walls
        image_walls = (swap.get(end, end), swap.get(start, start))
        if start == end == mirror:
            nodes = np.concatenate([arc.nodes, back[1:-1]])
            arcs.append(SurfaceArc(arc.body, nodes, closed=True, walls=None))
        elif end == mirror:
            nodes = np.concatenate([arc.nodes, back[1:]])
            arcs.append(replace(arc, nodes=nodes, walls=(start, image_walls[1])))
        elif start == mirror:
            nodes = np.concatenate([back, arc.nodes[1:]])
            arcs.append(replace(arc, nodes=nodes, walls=(image_walls[0], end)))
        else:
            other = SurfaceArc(int(body_image[arc.body]), back, closed=False, walls=image_walls)
            arcs += [arc, other]
    return arcs


def moved(packing: ParticleMesh, shift: tuple[float, float], box: float) -> ParticleMesh:
    """The packing shifted in um, in a box of another size in um."""
    return replace(packing, box=box, points=packing.points + np.array(shift))
