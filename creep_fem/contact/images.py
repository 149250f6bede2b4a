"""The surfaces together with their mirror images in the four walls.

Walls are planes of symmetry, so what touches a wall touches a mirror image. Images are edges like
all others, behind the real ones in the numbering, with mirrored control points of the same nodes;
their bodies are numbered behind the real bodies. A body that a wall cuts is one with its image in
that wall: its curve goes on across the wall, and nobody touches the image as a body of its own but
the body itself, where it has spread along the wall and faces it. Images of images, across the
corners of the box, are left out: nothing meets them before the pore in a corner has closed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import comb

import numpy as np
from numpy.typing import NDArray

from creep_fem.contact.boundary import WALL_COMPONENT, Boundary
from creep_fem.contact.search import FootPoints

# Powers of t (rows) of the powers of 1 - t (columns).
_BACKWARDS = np.array([[(-1) ** i * comb(j, i) for j in range(5)] for i in range(5)], dtype=float)


@dataclass(frozen=True)
class MirroredBoundary:
    """Real surfaces and their images.

    Attributes:
        edges: All edges, the real ones first.
        real: Number of real edges.
        bodies: Number of real bodies.
        cut: Whether a wall cuts a body, shape (4, bodies), walls in the order of
            ``WALL_COMPONENT``.
    """

    edges: Boundary
    real: int
    bodies: int
    cut: NDArray[np.bool_]

    @classmethod
    def of(cls, boundary: Boundary, box: float) -> MirroredBoundary:
        """Mirror all surfaces in the walls of a box with the given edge length in um."""
        bodies = int(boundary.edge_body.max(initial=-1)) + 1
        images = [boundary]
        cut = np.zeros((len(WALL_COMPONENT), bodies), dtype=bool)
        for number, (wall, axis) in enumerate(WALL_COMPONENT.items()):
            shift = 2.0 * box if wall in ("right", "top") else 0.0
            ends = (boundary.mirror[..., axis] < 0.0) & (boundary.offset[..., axis] == shift)
            cut[number, boundary.edge_body[ends.any(axis=1)]] = True
            image = _image(boundary, axis, shift, number + 1, bodies)
            images.append(image)
        joined = {
            name: np.concatenate([getattr(image, name) for image in images])
            for name in (
                *("edge_nodes", "edge_body", "edge_lengths", "control", "mirror", "offset"),
                *("coefficients", "following", "preceding"),
            )
        }
        return cls(replace(boundary, **joined), len(boundary.edge_body), bodies, cut)

    def wall(self, edges: NDArray[np.int64]) -> NDArray[np.int64]:
        """Wall behind which edges lie, -1 for real ones, shape (n,)."""
        walls: NDArray[np.int64] = edges // max(self.real, 1) - 1
        return walls

    def touchable(self, feet: FootPoints, point_body: NDArray[np.int64]) -> FootPoints:
        """The pairs whose foot is not on an image that is one with its body.

        Args:
            feet: Pairs.
            point_body: Body of every surface point, shape (p,).
        """
        wall, body = self.wall(feet.edge), self.edges.edge_body[feet.edge] % self.bodies
        welded = (wall >= 0) & self.cut[wall, body]
        return feet.chosen(~welded | self.is_own_image(feet, point_body))

    def is_own_image(self, feet: FootPoints, point_body: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether points are paired with an image of their own body, shape (n,)."""
        image = feet.edge >= self.real
        own: NDArray[np.bool_] = (
            self.edges.edge_body[feet.edge] % self.bodies == point_body[feet.point]
        )
        return image & own


def _image(boundary: Boundary, axis: int, shift: float, number: int, bodies: int) -> Boundary:
    """The image in a wall, its edges run through backwards: the solid stays on the left."""
    sign = np.ones(2)
    sign[axis] = -1.0
    offset = sign * boundary.offset[:, ::-1]
    offset[..., axis] += shift
    first = number * len(boundary.edge_body)

    def moved(neighbour: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.where(neighbour >= 0, neighbour + first, -1)

    return replace(
        boundary,
        edge_nodes=boundary.edge_nodes[:, ::-1],
        edge_body=boundary.edge_body + number * bodies,
        control=boundary.control[:, ::-1],
        mirror=sign * boundary.mirror[:, ::-1],
        offset=offset,
        coefficients=_BACKWARDS @ boundary.coefficients[:, :, ::-1],
        following=moved(boundary.preceding),
        preceding=moved(boundary.following),
    )
