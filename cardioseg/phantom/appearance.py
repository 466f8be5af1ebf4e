"""Appearance: paint a section of the heart into a slice. The outlines are the section's; the rest is decoration."""

from dataclasses import dataclass

import numpy as np

from cardioseg.phantom.beating_heart import Array, Section
from cardioseg.phantom.plane import Pixels, Plane, cover, paint

_FAT, _WALL, _RV_WALL_MM = 1.0, 0.38, 3.0
_RIM_MM = 1.0  # readers count it to the cavity, but it looks like muscle
_VESSELS = (  # (right, down) of the LV's centre, half axes in mm: left atrium, right atrium, outflow tract, aorta
    (20.0, 14.0, 33.0, 20.0),
    (-38.0, 20.0, 21.0, 24.0),
    (-34.0, -20.0, 23.0, 15.0),
    (-6.0, -6.0, 14.0, 14.0),
)


@dataclass(frozen=True)
class Grain:
    """Random fields (row, column) of zero mean and unit variance.

    Attributes:
        muscle: unevenness of the wall.
        flow: unevenness of the blood, moving with the phase.
        rough: trabeculae.
    """

    muscle: Pixels
    flow: Pixels
    rough: Pixels


def paint_section(image: Pixels, pixels: Plane, section: Section, grain: Grain) -> None:
    """Paint the heart over `image` (row, column), in place."""
    if section.epicardium_mm > 0:
        _paint_ventricles(image, pixels, section, grain)
    elif section.depth_mm < 0:
        _paint_vessels(image, pixels, section, grain)


def _paint_ventricles(image: Pixels, pixels: Plane, section: Section, grain: Grain) -> None:
    radius, angle = pixels.polar(section.center_mm)
    epicardium, rv = section.epicardium(angle), section.rv(angle)
    present = np.clip((rv - epicardium) / 5, 0, 1).astype(np.float32)  # the free wall tapers where it meets the LV
    inside_rv = rv - radius
    _paint_fat(image, pixels, section, inside_rv + _RV_WALL_MM * present, grain)
    paint(image, cover(inside_rv + _RV_WALL_MM * present, pixels.pixel_mm), _WALL * (1 + 0.3 * grain.rough))
    muscle = _trabeculae(inside_rv, 9.0, section.crowding, grain)
    paint(image, cover(inside_rv - _RIM_MM, pixels.pixel_mm) * present, _blood(grain, muscle))
    wall = np.asarray(_WALL * (1 + 0.14 * grain.muscle + 0.05 * grain.rough), np.float32)
    paint(image, cover(epicardium + _RIM_MM * present - radius, pixels.pixel_mm), wall)
    inside_lv = section.cavity(angle) - radius
    muscle = np.maximum(_trabeculae(inside_lv, 5.0, section.crowding, grain), _papillary(pixels, section))
    paint(image, cover(inside_lv - _RIM_MM, pixels.pixel_mm), _blood(grain, muscle))


def _paint_fat(image: Pixels, pixels: Plane, section: Section, inside_mm: Array, grain: Grain) -> None:
    """Fat in the grooves and towards the diaphragm, between dark lines at the pericardium and at the fat's border."""
    _, angle = pixels.polar(section.center_mm)
    groove = np.clip(np.cos(2 * (angle - section.pose.septum) - 2.6) + 0.2, 0, 1)
    thickness = 1 + 3 * np.clip(np.sin(angle), 0, 1) + 3 * groove + grain.flow
    thickness = np.clip(thickness, 0.3, None)
    paint(image, cover(inside_mm + thickness + 1.2, pixels.pixel_mm), 0.14)
    paint(image, cover(inside_mm + thickness, pixels.pixel_mm), _FAT * np.clip(0.8 + 0.2 * grain.muscle, 0.3, 1.2))
    paint(image, cover(inside_mm + 1.0, pixels.pixel_mm), 0.2)


def _blood(grain: Grain, muscle: Pixels) -> Pixels:
    """Blood, mixed with the fraction `muscle` (0 to 1) of muscle in it."""
    flow = np.float32(1) + 0.07 * grain.flow + 0.04 * grain.rough
    return np.asarray(flow + muscle * (_WALL - flow), np.float32)


def _trabeculae(inside_mm: Array, depth_mm: float, crowding: float, grain: Grain) -> Pixels:
    """Fraction of muscle within `depth_mm` of a cavity's border; it grows as the surface shrinks."""
    near = np.clip(1 - inside_mm / depth_mm, 0, 1)
    return np.asarray(np.clip(crowding * near * (0.15 + 0.6 * grain.rough), 0, 0.85), np.float32)


def _papillary(pixels: Plane, section: Section) -> Pixels:
    """Fraction of each pixel in the two papillary muscles: free in the cavity at mid level, closer in systole."""
    size = section.cavity_mm * (0.2 + 0.08 * section.contraction) * np.sin(np.pi * np.clip(section.depth_mm / 70, 0, 1))
    share = np.zeros(np.broadcast_shapes(pixels.right_mm.shape, pixels.down_mm.shape), np.float32)
    for turn in (np.pi * 0.72, -np.pi * 0.72):
        angle = section.pose.septum + turn
        distance = float(section.cavity(angle)) * (0.72 - 0.1 * section.contraction)
        x, y = section.center_mm
        radius, turned = pixels.polar((x + distance * float(np.cos(angle)), y + distance * float(np.sin(angle))))
        outline = size * (1 + 0.25 * np.cos(2 * turned + turn) + 0.15 * np.cos(3 * turned))
        share = np.maximum(share, cover(outline - radius, pixels.pixel_mm) * np.float32(size > 0))
    return share


def _paint_vessels(image: Pixels, pixels: Plane, section: Section, grain: Grain) -> None:
    """The atria and great vessels above the ventricles; they fill while the ventricles empty."""
    x, y = section.center_mm
    radius, angle = pixels.polar((x - 10, y + 2))
    edge = 62 * section.pose.epicardium.radius(angle) * (1 - 0.25 * np.abs(np.sin(angle)))
    paint(image, cover(edge - radius, pixels.pixel_mm), _FAT * np.clip(0.75 + 0.25 * grain.flow, 0.2, 1.3))
    for order, (right, down, along, across) in enumerate(_VESSELS):
        filled = 1 + (0.12 if order < 2 else -0.05) * section.contraction
        radius, angle = pixels.polar((x + right, y + down))
        ellipse = along * across / np.hypot(across * np.cos(angle), along * np.sin(angle))
        inside = filled * ellipse * section.pose.cavity.radius(angle + order) - radius
        paint(image, cover(inside + 1.2, pixels.pixel_mm), 0.3)
        paint(image, cover(inside, pixels.pixel_mm), 0.9 * _blood(grain, _trabeculae(inside, 4.0, 1.0, grain)))
