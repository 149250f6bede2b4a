"""How many near-contacts the particles of a layout have."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from creep_fem.microstructure.layout import Layout
from creep_fem.microstructure.neighbours import close_pairs

NEAR_CONTACT = 0.05
"""Two discs are near-contacts if their gap is at most this share of the mean radius."""


def coordination(layout: Layout) -> float:
    """Mean number of near-contacts of a disc, its own and other discs' mirror images included.

    The walls are planes of symmetry: a disc with its centre on a wall has each neighbour twice, and
    a disc that stands close before a wall has its own image as a neighbour. Images that a cut disc
    shares its own area with are part of it and do not count.

    Args:
        layout: Discs that do not overlap.

    Returns:
        Dimensionless mean over all discs of the layout, however large their part in the box.
    """
    centres = np.array([(disc.x, disc.y) for disc in layout.discs])
    radius = np.array([disc.radius for disc in layout.discs])
    threshold = NEAR_CONTACT * float(radius.mean())
    # Coincident images, as those of discs on walls, are one: five decimals are 10 pm.
    images = np.unique(np.round(_images(centres, radius, layout.box), 5), axis=0)
    everything = np.concatenate([np.column_stack([centres, radius]), images])
    disc, image = close_pairs(everything[:, :2], everything[:, 2], threshold).T
    wanted = (disc < len(radius)) & (image >= len(radius))
    disc, image = disc[wanted], image[wanted]
    offset = everything[disc] - everything[image]
    gaps = np.hypot(offset[:, 0], offset[:, 1]) - everything[disc, 2] - everything[image, 2]
    near = (gaps > 0.0) & (gaps <= threshold)
    return float(near.sum() / len(radius))


def _images(
    centres: NDArray[np.float64],
    radius: NDArray[np.float64],
    box: float,
) -> NDArray[np.float64]:
    """(9 n, 3) abscissa, ordinate and radius of the discs and their images in um."""
    x, y = centres.T
    columns = [
        np.stack([mirrored_x, mirrored_y, radius], axis=1)
        for mirrored_x in (x, -x, 2.0 * box - x)
        for mirrored_y in (y, -y, 2.0 * box - y)
    ]
    return np.concatenate(columns)
