"""Beating heart: formulas of the ventricles' outlines in every plane at every phase.

Both walls of the left ventricle are truncated ellipsoids. A plane at depth d below the base cuts them in

    area(d) = pi R^2 q(d),  q(d) = 1 - ((d - e) / (l - e))^2 with the equator e = 0.2 l; 0 above the base and past l,

as a circle with harmonics that keep its area. R follows from the volume at a phase, V = step * sum over planes of area,
so that the imaged volumes are exact by construction, also while l shortens. The right ventricle touches the LV's outer
wall: it extends from r_epi(a) to r_epi(a) + h b(a) at angle a around the LV's centre.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioseg.phantom.phantom_settings import Phantom
from cardioseg.phantom.wall_change import WallChange, added_mm

Array = NDArray[np.float64]

_EQUATOR = 0.2  # share of the length
_SHORTENING = 0.24  # of the LV's length from ED to ES, times the ejection fraction: 14 % at 60 %
_TIP = 1.6  # thickening of the wall at the apex, times the ejection fraction
_RV_LENGTH = 0.85  # of the LV's
_RV_HALF_WIDTH = np.deg2rad(70)
_SMALLEST_SHARE = 0.04  # sections smaller than 1/25 of the largest are left out, as experts do not draw them
_TURN = np.arange(0, 2 * np.pi, 2 * np.pi / 4096)
_STEP = 2 * np.pi / len(_TURN)


@dataclass(frozen=True)
class Shape:
    """A roundish outline: r(a) = R (1 + sum k_n cos(n (a - a_n))) / sqrt(1 + sum k_n^2 / 2), of area pi R^2.

    Attributes:
        waves: (n, k_n, a_n) of each harmonic.
    """

    waves: tuple[tuple[int, float, float], ...]

    def radius(self, angle: ArrayLike) -> Array:
        """r(a) / R at angles in radians, of any shape."""
        waviness = sum(size * np.cos(n * (np.asarray(angle) - start)) for n, size, start in self.waves)
        return np.asarray((1 + waviness) / np.sqrt(1 + sum(size**2 for _, size, _ in self.waves) / 2))


@dataclass(frozen=True)
class Pose:
    """The position and shape of a heart, drawn from its seed.

    Attributes:
        center_mm: centre of the LV at the base, (right, down) from the image's middle.
        tilt: shift of that centre per mm of depth.
        septum: angle of the middle of the RV around the LV's centre; 0 is right, pi / 2 down.
        cavity: outline of the LV cavity.
        epicardium: outline of the LV's outer wall.
    """

    center_mm: tuple[float, float]
    tilt: tuple[float, float]
    septum: float
    cavity: Shape
    epicardium: Shape

    def bulge(self, angle: ArrayLike) -> Array:
        """b(x) = (1 - |x|^1.7) (1 - 0.5 x), at least 0, x = (a - septum) / width: the relative depth of the RV at a."""
        x = ((np.asarray(angle) - self.septum + np.pi) % (2 * np.pi) - np.pi) / _RV_HALF_WIDTH
        return np.asarray(np.clip(1 - np.abs(x) ** 1.7, 0, None) * (1 - 0.5 * x))


@dataclass(frozen=True)
class Section:
    """The heart in one plane at one phase, in polar coordinates (mm, radians from right to down) around `center_mm`.

    Attributes:
        center_mm: (right, down) from the image's middle.
        cavity_mm: radius of the circle that has the LV cavity's area; 0 without a cavity.
        epicardium_mm: the same for the LV's outer wall without its changes.
        rv_depth_mm: h, from the septum to the RV's free wall; 0 without an RV.
        depth_mm: depth of the plane below the base.
        contraction: 0 at ED, 1 at ES.
        crowding: surface of the LV cavity at ED divided by the surface now; the density of trabeculae grows by it.
        pose: the outlines.
        wall_changes: of the phantom.
        change_share: how much of them is left in this plane.
    """

    center_mm: tuple[float, float]
    cavity_mm: float
    epicardium_mm: float
    rv_depth_mm: float
    depth_mm: float
    contraction: float
    crowding: float
    pose: Pose
    wall_changes: tuple[WallChange, ...] = ()
    change_share: float = 0.0

    @property
    def reach_mm(self) -> float:
        """Radius that contains everything that beats, including the vessels above the ventricles."""
        return max(80.0, 1.1 * self.epicardium_mm + 1.2 * self.rv_depth_mm + 15)

    def cavity(self, angle: ArrayLike) -> Array:
        """Radius of the LV cavity in mm at each angle."""
        return self.cavity_mm * self.pose.cavity.radius(angle)

    def epicardium(self, angle: ArrayLike) -> Array:
        """Radius of the LV's outer wall in mm at each angle."""
        from_septum = np.asarray(angle) - self.pose.septum
        changes = self.change_share * added_mm(self.wall_changes, from_septum, self.contraction)
        return self.epicardium_mm * self.pose.epicardium.radius(angle) + changes

    def rv(self, angle: ArrayLike) -> Array:
        """Radius of the RV cavity's free wall in mm at each angle; that of the LV's outer wall away from the RV."""
        return self.epicardium(angle) + self.rv_depth_mm * self.pose.bulge(angle)


def pose(phantom: Phantom) -> Pose:
    """The pose for the phantom's seed."""
    rng = np.random.default_rng([phantom.seed, 0])
    starts = rng.uniform(0, 2 * np.pi, 6)
    cavity = Shape(tuple(zip((2, 3, 5), (0.035, 0.02, 0.015), starts[:3].tolist(), strict=True)))
    epicardium = Shape(tuple(zip((2, 3, 4), (0.03, 0.015, 0.008), starts[3:].tolist(), strict=True)))
    right, down = rng.uniform(-5, 5, 2).tolist()
    slope, septum = rng.uniform(0.05, 0.2), np.deg2rad(rng.uniform(180, 205))
    return Pose((12 + right, -2 + down), (float(slope), 0.04), float(septum), cavity, epicardium)


def volumes_ml(phantom: Phantom) -> tuple[Array, Array]:
    """Per phase, the exact volumes of the LV and RV cavities: plane areas x step, summed over the imaged planes."""
    edv, _ = _lv_ed_ml(phantom)
    linear, square = _rv_areas(phantom, 0.0)
    rv_edv = _slabs_ml(phantom, phantom.rv_depth_mm * linear + phantom.rv_depth_mm**2 * square)
    ejected = phantom.contraction / 100
    return edv * (1 - phantom.lv_ef_percent * ejected), rv_edv * (1 - phantom.rv_ef_percent * ejected)


def wall_ml(phantom: Phantom) -> float:
    """Volume of the LV's wall over the imaged planes, the same at every phase; exact."""
    edv, outer = _lv_ed_ml(phantom)
    return outer - edv


def sections(phantom: Phantom, phase: int) -> tuple[Section, ...]:
    """The sections of all planes at one phase, in slice order."""
    posed, depths, contraction = pose(phantom), phantom.depths_mm, float(phantom.contraction[phase])
    inner, outer = _lv_radii_mm(phantom, contraction)
    shares = np.sqrt(_lv_shares(phantom, contraction)[1])
    rv_depths = _rv_depths_mm(phantom, contraction, float(volumes_ml(phantom)[1][phase]))
    centers = np.asarray(posed.center_mm) + np.clip(depths, 0, None)[:, None] * np.asarray(posed.tilt)
    planes = np.column_stack([centers, inner, outer, rv_depths, depths, shares]).tolist()
    crowding, changes = _crowding(phantom, contraction), phantom.wall_changes
    return tuple(
        Section((x, y), r, R, h, depth, contraction, crowding, posed, changes, share)
        for x, y, r, R, h, depth, share in planes
    )


def _share(depths_mm: Array, length_mm: float) -> Array:
    """Q of each plane; 0 if the section is too small to be drawn."""
    equator = _EQUATOR * length_mm
    share = 1 - ((depths_mm - equator) / (length_mm - equator)) ** 2
    return np.where((depths_mm >= 0) & (share > _SMALLEST_SHARE), share, 0.0)


def _slabs_ml(phantom: Phantom, areas_mm2: Array) -> float:
    return float(areas_mm2.sum()) * phantom.spacing_mm[0] / 1000


def _length_mm(phantom: Phantom, contraction: float) -> float:
    return phantom.lv_length_mm * (1 - _SHORTENING * phantom.lv_ef_percent / 100 * contraction)


def _crowding(phantom: Phantom, contraction: float) -> float:
    """(R l at ED) / (R l now) of a cavity whose volume goes with R^2 l."""
    volume = 1 - phantom.lv_ef_percent / 100 * contraction
    return float(np.sqrt(phantom.lv_length_mm / _length_mm(phantom, contraction) / volume))


def _lv_shares(phantom: Phantom, contraction: float) -> tuple[Array, Array]:
    """Shares q of the cavity and of the outer wall; the wall at the tip thickens as the cavity shortens."""
    length, tip = _length_mm(phantom, contraction), _TIP * phantom.lv_ef_percent / 100 * contraction
    return _share(phantom.depths_mm, length), _share(phantom.depths_mm, length + phantom.wall_mm * (1 + tip))


def _lv_ed_ml(phantom: Phantom) -> tuple[float, float]:
    """At ED, the volume inside the cavity and inside the outer wall."""
    inner, outer = _lv_shares(phantom, 0.0)
    radius, wall = phantom.lv_radius_mm, phantom.wall_mm
    return _slabs_ml(phantom, np.pi * radius**2 * inner), _slabs_ml(phantom, np.pi * (radius + wall) ** 2 * outer)


def _lv_radii_mm(phantom: Phantom, contraction: float) -> tuple[Array, Array]:
    """Per plane, the radii that give the cavity its current volume and the wall its constant volume.

    The outer one solves pi R^2 + L R + Q = area, where L and Q are the integrals of s d and d^2 / 2 over the turn, for
    the outline R s + d with the changes d of the wall.
    """
    edv, outer_ml = _lv_ed_ml(phantom)
    cavity_ml = edv * (1 - phantom.lv_ef_percent / 100 * contraction)
    wanted = (cavity_ml, cavity_ml + outer_ml - edv)
    shares = _lv_shares(phantom, contraction)
    inner, outer = (np.sqrt(q * ml / _slabs_ml(phantom, np.pi * q)) for q, ml in zip(shares, wanted, strict=True))
    if phantom.wall_changes:
        changes = _changes_mm(phantom, contraction)
        linear = (pose(phantom).epicardium.radius(_TURN) * changes).sum(1) * _STEP
        square = (changes**2).sum(1) * _STEP / 2
        outer = (np.sqrt(linear**2 + 4 * np.pi * (np.pi * outer**2 - square)) - linear) / (2 * np.pi)
    return inner, outer


def _changes_mm(phantom: Phantom, contraction: float) -> Array:
    """Per plane, what the changes add to the wall at each angle of `_TURN`."""
    shares = np.sqrt(_lv_shares(phantom, contraction)[1])
    return shares[:, None] * added_mm(phantom.wall_changes, _TURN - pose(phantom).septum, contraction)


def _rv_share(phantom: Phantom, contraction: float) -> Array:
    return _share(phantom.depths_mm, _RV_LENGTH * _length_mm(phantom, contraction))


def _rv_areas(phantom: Phantom, contraction: float) -> tuple[Array, Array]:
    """Per plane, A1 and A2 of the area A1 h + A2 h^2 between the septum and a free wall at depth h sqrt(q)."""
    posed = pose(phantom)
    out = posed.bulge(_TURN)
    q = _rv_share(phantom, contraction)
    _, outer = _lv_radii_mm(phantom, contraction)
    outline = outer[:, None] * posed.epicardium.radius(_TURN) + _changes_mm(phantom, contraction)
    linear = (outline * out).sum(1) * _STEP * np.sqrt(q)
    return linear, (out**2).sum() * _STEP / 2 * q


def _rv_depths_mm(phantom: Phantom, contraction: float, volume_ml: float) -> Array:
    """Per plane, the depth of the RV: h of the quadratic equation for the volume, times sqrt(q)."""
    linear, square = (_slabs_ml(phantom, areas) for areas in _rv_areas(phantom, contraction))
    depth = (np.sqrt(linear**2 + 4 * square * volume_ml) - linear) / (2 * square)
    return np.asarray(depth * np.sqrt(_rv_share(phantom, contraction)))
