"""Rendering: the cine that a scanner would acquire of the phantom, and its labels.

Signals are those of a balanced steady-state sequence as in the Sunnybrook data: blood is bright, muscle has about a
third of its signal, lung is nearly black, fat is bright and, near the chest coils, by far the brightest.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cardioseg.image.labels import Label
from cardioseg.image.volume import Cine
from cardioseg.phantom.appearance import Grain, paint_section
from cardioseg.phantom.beating_heart import Section, pose, sections
from cardioseg.phantom.phantom_settings import Phantom
from cardioseg.phantom.plane import Pixels, Plane, plane, texture
from cardioseg.phantom.torso import coils, field_of_view, torso

_BLOOD_VALUE = 240  # stored value of blood at the heart; a Sunnybrook series peaks at 850 to 1600
_NOISE = 0.03  # of blood
_BLUR_PIXELS = 0.55


@dataclass(frozen=True)
class _Textures:
    """Random fields (slice, row, column) that make tissue uneven."""

    muscle: Pixels
    flow: tuple[Pixels, Pixels]
    rough: Pixels


def cine(phantom: Phantom) -> Cine:
    """Render the images: int16 (phase, slice, row, column)."""
    return Cine(_voxels(phantom).copy(), phantom.grid, phantom.times_ms)


@lru_cache(maxsize=4)  # the same heart is often written in several forms
def _voxels(phantom: Phantom) -> NDArray[np.int16]:
    center = pose(phantom).center_mm
    still, gain = torso(phantom, center), coils(phantom, center)
    field = field_of_view(phantom)
    rng = np.random.default_rng([phantom.seed, 2])
    textures = _Textures(
        texture(rng, phantom, 6), (texture(rng, phantom, 14), texture(rng, phantom, 14)), texture(rng, phantom, 3.5)
    )
    frames = (_beat(phantom, phase, still, textures) * gain for phase in range(phantom.phases))
    noise = np.random.default_rng([phantom.seed, 3])
    return np.stack([np.rint(_BLOOD_VALUE * _magnitude(frame, noise) * field).astype(np.int16) for frame in frames])


def reference(phantom: Phantom) -> Cine:
    """The labels: uint8 `Label` (phase, slice, row, column); a pixel has the label of its centre."""
    whole = plane(phantom)
    voxels = [[_labels(whole, section) for section in sections(phantom, phase)] for phase in range(phantom.phases)]
    return Cine(np.array(voxels, np.uint8), phantom.grid, phantom.times_ms)


def _labels(whole: Plane, section: Section) -> NDArray[np.uint8]:
    labels = np.zeros((whole.down_mm.size, whole.right_mm.size), np.uint8)
    window = whole.around(section.center_mm, section.reach_mm)
    radius, angle = whole.window(window).polar(section.center_mm)
    inside = [radius < wall(angle) for wall in (section.cavity, section.epicardium, section.rv)]
    labels[window] = np.select(inside, [Label.LV_CAVITY, Label.LV_MYOCARDIUM, Label.RV_CAVITY], Label.BACKGROUND)
    return labels


def _magnitude(signal: Pixels, rng: np.random.Generator) -> Pixels:
    """|signal + complex noise|: Rician."""
    real, imaginary = _NOISE * rng.standard_normal((2, *signal.shape), np.float32)
    return np.asarray(np.hypot(signal + real, imaginary), np.float32)


def _beat(phantom: Phantom, phase: int, still: Pixels, textures: _Textures) -> Pixels:
    """One phase (slice, row, column) without coil sensitivity and noise."""
    volume, whole = still.copy(), plane(phantom)
    time = 2 * np.pi * phase / phantom.phases
    for index, section in enumerate(sections(phantom, phase)):
        window = whole.around(section.center_mm, section.reach_mm)
        cut = (index, *window)
        flow = np.cos(time) * textures.flow[0][cut] + np.sin(time) * textures.flow[1][cut]
        grain = Grain(textures.muscle[cut], flow.astype(np.float32), textures.rough[cut])
        paint_section(volume[cut], whole.window(window), section, grain)
    return np.asarray(ndimage.gaussian_filter(volume, (0, _BLUR_PIXELS, _BLUR_PIXELS)), np.float32)
