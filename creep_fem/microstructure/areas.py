"""Closed-form area of a disc cut by the walls of the box."""

from __future__ import annotations

from math import atan2, hypot, sqrt


def disc_area_in_box(x: float, y: float, radius: float, box: float) -> float:
    """Area of the part of a disc that lies in [0, box] x [0, box].

    The box is split into the triangles between the disc's centre and each of its edges. The signed
    areas that they share with the disc add up to the area sought, wherever the centre is.

    Args:
        x: Abscissa of the disc's centre in um.
        y: Ordinate of the disc's centre in um.
        radius: Radius of the disc in um.
        box: Edge length of the box in um.

    Returns:
        Area in um^2, zero if the disc lies outside.
    """
    corners = ((0.0, 0.0), (box, 0.0), (box, box), (0.0, box))
    relative = [(cx - x, cy - y) for cx, cy in corners]
    following = relative[1:] + relative[:1]
    area = sum(_shared_area(a, b, radius) for a, b in zip(relative, following, strict=True))
    # Sectors of a disc that misses the box cancel up to rounding.
    return area if area > 1e-13 * radius**2 else 0.0


def _shared_area(a: tuple[float, float], b: tuple[float, float], radius: float) -> float:
    """Signed area that the triangle (0, a, b) shares with a disc of this radius around 0."""
    length = hypot(b[0] - a[0], b[1] - a[1])
    tx, ty = (b[0] - a[0]) / length, (b[1] - a[1]) / length
    start = a[0] * tx + a[1] * ty
    height = a[0] * ty - a[1] * tx
    if abs(height) >= radius:
        return 0.5 * radius**2 * _angle(a, b)
    half_chord = sqrt(radius**2 - height**2)
    enter = min(max(-half_chord, start), start + length)
    leave = min(max(half_chord, start), start + length)
    if leave <= enter:
        return 0.5 * radius**2 * _angle(a, b)
    foot = (height * ty, -height * tx)
    p = (foot[0] + enter * tx, foot[1] + enter * ty)
    q = (foot[0] + leave * tx, foot[1] + leave * ty)
    triangle = 0.5 * (p[0] * q[1] - p[1] * q[0])
    return triangle + 0.5 * radius**2 * (_angle(a, p) + _angle(q, b))


def _angle(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Angle from a to b in rad, in (-pi, pi]."""
    return atan2(a[0] * b[1] - a[1] * b[0], a[0] * b[0] + a[1] * b[1])
