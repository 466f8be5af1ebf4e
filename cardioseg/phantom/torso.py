"""Torso: the still organs around the heart; signals are relative to blood, without the coils' sensitivity."""

from dataclasses import dataclass

import numpy as np

from cardioseg.phantom.phantom_settings import Phantom
from cardioseg.phantom.plane import Pixels, Plane, cover, paint, plane, texture

_FAT, _MUSCLE, _LUNG, _LIVER, _SPLEEN, _MARROW = 1.25, 0.27, 0.04, 0.42, 0.38, 0.5
_WARP_LIMIT_MM = 24.0
_ANTERIOR = (-0.53, -0.85)  # towards the breastbone, (right, down)


@dataclass(frozen=True)
class Organ:
    """An ellipsoid.

    Attributes:
        center_mm: (right, down, depth below the base), relative to the heart's centre.
        axes_mm: half axes (along the angle, across it, through the planes).
        turn: angle of the first axis; 0 is right, pi / 2 down.
        signal: relative to blood.
    """

    center_mm: tuple[float, float, float]
    axes_mm: tuple[float, float, float]
    turn: float
    signal: float


@dataclass(frozen=True)
class _Place:
    """Pixels of one slice, in mm right of and below the heart's centre.

    Attributes:
        straight: their positions.
        right: their warped positions to the right (row, column), so that no organ is an exact ellipse.
        down: their warped positions downwards.
        fat: fraction of fat in fatty tissue; the rest is strands.
        depth: depth of the slice below the base.
    """

    straight: Plane
    right: Pixels
    down: Pixels
    fat: Pixels
    depth: float

    @property
    def pixel_mm(self) -> float:
        return self.straight.pixel_mm


def torso(phantom: Phantom, center_mm: tuple[float, float]) -> Pixels:
    """Signal (slice, row, column) of everything but the heart, whose centre lies at `center_mm`."""
    rng = np.random.default_rng([phantom.seed, 1])
    warp = np.stack([4 * texture(rng, phantom, 45, 2) + 5 * texture(rng, phantom, 90, 3) for _ in range(2)], axis=1)
    warp = np.clip(warp, -_WARP_LIMIT_MM, _WARP_LIMIT_MM)
    fat = np.clip(0.9 + 0.15 * texture(rng, phantom, 4) + 0.12 * texture(rng, phantom, 12), 0.1, 1)
    grain = 1 + 0.08 * texture(rng, phantom, 4) + 0.07 * texture(rng, phantom, 18)
    vessels, abdomen = _lung_vessels(rng), (*_ORGANS, *_bowel(rng), *_liver_vessels(rng))
    straight = _around(plane(phantom), center_mm)
    places = (
        _Place(straight, straight.right_mm + right, straight.down_mm + down, share, depth)
        for (right, down), share, depth in zip(warp, fat, phantom.depths_mm.tolist(), strict=True)
    )
    still = np.stack([_slice(place, vessels, abdomen) for place in places])
    return np.asarray(still * np.clip(grain, 0.3, 2), np.float32)


def coils(phantom: Phantom, center_mm: tuple[float, float]) -> Pixels:
    """Sensitivity (row, column) of the receive coils: 1 at the heart, high at the chest wall, low deep inside."""
    around = _around(plane(phantom), center_mm)
    anterior = around.right_mm * _ANTERIOR[0] + around.down_mm * _ANTERIOR[1]
    lateral = np.hypot(around.right_mm - 190, around.down_mm - 60)
    wall = 2.0 * np.exp(-(((anterior - 100) / 30) ** 2)) + 1.5 * np.exp(-((lateral / 70) ** 2))
    return np.asarray(np.clip(0.55 + 0.45 * np.exp(anterior / 62) + wall, 0, 5), np.float32)


def field_of_view(phantom: Phantom) -> Pixels:
    """1 inside the round field that the scanner's distortion correction leaves, else 0; (row, column)."""
    whole, (_, dy, dx) = plane(phantom), phantom.spacing_mm
    share = np.random.default_rng([phantom.seed, 5]).choice([0.43, 0.46, 0.56])
    radius = share * min(phantom.rows * dy, phantom.columns * dx)
    return np.asarray(np.hypot(whole.right_mm, whole.down_mm) < radius, np.float32)


def _around(whole: Plane, center_mm: tuple[float, float]) -> Plane:
    x, y = center_mm
    return Plane(whole.right_mm - np.float32(x), whole.down_mm - np.float32(y), whole.pixel_mm)


def _slice(place: _Place, vessels: tuple[Organ, ...], abdomen: tuple[Organ, ...]) -> Pixels:
    image = np.full(place.right.shape, 0.005, np.float32)
    skin, rib_cage, lungs = (_trunk(place, inset) for inset in (0.0, 9.0, 20.0))
    paint(image, skin, _FAT)
    paint(image, rib_cage, _ribs(place))
    paint(image, lungs, _LUNG)
    for organ in vessels:
        _add(image, place, organ, lungs)
    for organ in _MEDIASTINUM:
        _add(image, place, organ, lungs * place.fat)
    dome = 46 + 0.0022 * (place.right + 25) ** 2 - 0.05 * place.depth
    below = cover(place.down - dome, place.pixel_mm) * lungs
    paint(image, below, 0.7 * _FAT * place.fat)
    for organ in abdomen:
        _add(image, place, organ, below)
    return image


def _trunk(place: _Place, inset_mm: float) -> Pixels:
    """Fraction of each pixel deeper than `inset_mm` under the skin; fat is thicker towards the sides."""
    right, down = place.right - 30 + 0.15 * place.depth, place.down - 76
    front = right * _ANTERIOR[0] + down * _ANTERIOR[1]
    side = right * _ANTERIOR[1] - down * _ANTERIOR[0]
    inset = inset_mm * (1 + 0.6 * (side / 120) ** 2)
    rho = np.hypot(front / 160, side / 172)
    return cover((1 - rho) * 160 - inset, place.pixel_mm)


def _ribs(place: _Place) -> Pixels:
    """Muscle, alternating with the bright marrow and the dark bone of the ribs."""
    angle = np.arctan2(place.down - 72, place.right - 22)
    wave = np.sin(13 * angle + 0.07 * place.depth)
    return np.asarray(_MUSCLE + 0.35 * np.clip(wave - 0.4, 0, 1) - 0.25 * np.clip(-wave - 0.6, 0, 1), np.float32)


def _add(image: Pixels, place: _Place, organ: Organ, within: Pixels) -> None:
    """Paint an organ; organs other than fat get a dark border, as fat and water cancel in shared pixels."""
    (x, y, z), (along, across, through) = organ.center_mm, organ.axes_mm
    cut = 1 - ((place.depth - z) / through) ** 2
    window = place.straight.around((x, y), max(along, across) + _WARP_LIMIT_MM)
    if cut <= 0:
        return
    right, down, part = place.right[window] - x, place.down[window] - y, image[window]
    u = right * np.cos(organ.turn) + down * np.sin(organ.turn)
    v = down * np.cos(organ.turn) - right * np.sin(organ.turn)
    inside = (np.sqrt(cut) - np.hypot(u / along, v / across)) * min(along, across)
    paint(part, cover(inside, place.pixel_mm) * within[window], organ.signal)
    if min(along, across) > 6 and organ.signal < 0.7:
        seam = np.clip(1 - np.abs(inside) / place.pixel_mm, 0, 1)
        part *= 1 - 0.6 * seam * within[window]


_MEDIASTINUM = (Organ((-28, 20, 55), (72, 30, 80), 0.12, 0.62),)  # the fat that the heart lies on
_ORGANS = (  # liver, spleen, stomach's wall and content, vertebra, aorta, kidney
    Organ((-78, 92, 20), (92, 44, 140), -0.12, _LIVER),
    Organ((70, 86, 25), (22, 36, 60), 0.3, _SPLEEN),
    Organ((12, 66, 45), (34, 15, 45), -0.15, 0.3),
    Organ((12, 67, 45), (26, 9, 38), -0.15, 0.75),
    Organ((38, 122, 0), (25, 24, 200), 0.0, _MARROW),
    Organ((30, 88, -20), (11, 11, 200), 0.0, 1.0),
    Organ((72, 134, 30), (22, 30, 45), 0.4, 0.55),
)


def _bowel(rng: np.random.Generator) -> tuple[Organ, ...]:
    """Loops of bowel and other content of the abdomen."""
    return tuple(
        Organ(
            (rng.uniform(-40, 60), rng.uniform(72, 160), rng.uniform(0, 110)),
            (rng.uniform(7, 18), rng.uniform(5, 10), rng.uniform(12, 40)),
            rng.uniform(0, np.pi),
            rng.choice([0.05, 0.2, 0.3, 0.4, 0.8]),
        )
        for _ in range(30)
    )


def _liver_vessels(rng: np.random.Generator) -> tuple[Organ, ...]:
    return tuple(
        Organ(
            (rng.uniform(-140, -15), rng.uniform(62, 125), rng.uniform(-10, 80)),
            (rng.uniform(3, 14), rng.uniform(1.2, 2.5), rng.uniform(8, 20)),
            rng.uniform(0, np.pi),
            0.75,
        )
        for _ in range(35)
    )


def _lung_vessels(rng: np.random.Generator) -> tuple[Organ, ...]:
    return tuple(
        Organ(
            (rng.uniform(-60, 140), rng.uniform(-90, 60), rng.uniform(-20, 90)),
            (rng.uniform(1.5, 7), rng.uniform(0.8, 1.8), rng.uniform(8, 14)),
            rng.uniform(0, np.pi),
            rng.uniform(0.2, 0.6),
        )
        for _ in range(140)
    )
