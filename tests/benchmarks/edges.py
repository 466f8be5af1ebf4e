"""Where readers draw the borders of the blood: scans with experts' masks, beside the phantom.

    python tests/benchmarks/edges.py DATASET ... -o docs/function/edges.json

Each DATASET is one as `cardioseg ingest` prepared it. In the middle half of each volume, the signal is averaged by the
distance from the border of a cavity's label, on a scale on which muscle is 0 and blood in the middle of the cavity
is 1. The result is the distance inside the label at which this mean first reaches a half.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from cardioseg.dataset.store import Dataset, open_dataset
from cardioseg.image.labels import Label
from cardioseg.phantom import Phantom, cine, reference

PHANTOMS = 12
BINS_MM = np.arange(-2.25, 6.5, 0.5)
DEEP_MM = 5.0  # inside a cavity, past most trabeculae
NOMINAL_MM = (1.4, 1.4)  # of a file without a pixel size
LEAST_PIXELS = 12
SEPTUM_MM = 5.0  # from the LV's wall: the RV's septal border

Plane = tuple[NDArray[np.float64], NDArray[np.uint8], tuple[float, float]]  # image, labels, pixel size
Profile = tuple[str, NDArray[np.float64]]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", type=Path, nargs="+")
    parser.add_argument("-o", "--out", type=Path)
    options = parser.parse_args()
    datasets = [open_dataset(folder) for folder in options.datasets]
    sources = {dataset.name: planes_of(dataset) for dataset in datasets} | {"phantom": planes_of_phantoms()}
    text = json.dumps({name: half_depths_mm(planes) for name, planes in sources.items()}, indent=1) + "\n"
    print(text)
    if options.out:
        options.out.write_text(text)


def planes_of(dataset: Dataset) -> Iterator[Plane]:
    """The slices in the middle half of each volume; all of a volume with fewer than four."""
    for subject in dataset.subjects():
        for volume in subject.volumes:
            edge = len(volume.image) // 4
            for index in range(edge, len(volume.image) - edge):
                pixel_mm = volume.pixel_mm(None) or NOMINAL_MM
                yield volume.image[index].astype(np.float64), volume.mask[index], pixel_mm


def planes_of_phantoms() -> Iterator[Plane]:
    """The same slices of phantoms at end-diastole and end-systole."""
    for seed in range(PHANTOMS):
        phantom = Phantom(seed=seed)
        images, labels, edge = cine(phantom).voxels, reference(phantom).voxels, phantom.slices // 4
        for phase in phantom.ed_es_phases:
            for index in range(edge, phantom.slices - edge):
                yield images[phase, index].astype(np.float64), labels[phase, index], phantom.spacing_mm[1:]


def half_depths_mm(planes: Iterator[Plane]) -> dict[str, dict[str, float]]:
    """By border: how many slices have it, and how deep inside the label the mean signal reaches a half."""
    profiles: dict[str, list[NDArray[np.float64]]] = defaultdict(list)
    for plane in planes:
        for border, profile in _profiles(*plane):
            profiles[border].append(profile)
    return {
        border: {"slices": len(of_border), "half_mm": _half_mm(np.ma.masked_invalid(of_border).mean(axis=0))}
        for border, of_border in profiles.items()
    }


def _profiles(
    image: NDArray[np.float64], labels: NDArray[np.uint8], pixel_mm: tuple[float, float]
) -> Iterator[Profile]:
    """The mean signal by depth inside the LV's cavity, and inside the RV's along the septum."""
    lv, wall, rv = (labels == label for label in (Label.LV_CAVITY, Label.LV_MYOCARDIUM, Label.RV_CAVITY))
    from_lv, from_wall = _depth_mm(lv, pixel_mm), _depth_mm(lv | wall, pixel_mm)
    muscle = image[(from_lv < -2.5) & ((from_wall > 2) if wall.any() else (from_lv > -4))]
    near_wall = distance_transform_edt(~(lv | wall), sampling=pixel_mm) < SEPTUM_MM
    borders = {"LV cavity": (from_lv, from_lv > -np.inf), "RV cavity, septum": (_depth_mm(rv, pixel_mm), near_wall)}
    for border, (depth, along) in borders.items():
        blood = image[depth > DEEP_MM]
        if min(blood.size, muscle.size) < LEAST_PIXELS or np.median(blood) <= np.median(muscle):
            continue
        signal = (image - np.median(muscle)) / (np.median(blood) - np.median(muscle))
        of_pixel = np.where(along, np.digitize(depth, BINS_MM), 0)
        bins = [signal[of_pixel == number] for number in range(1, len(BINS_MM))]
        yield border, np.array([values.mean() if values.size else np.nan for values in bins])


def _depth_mm(label: NDArray[np.bool_], pixel_mm: tuple[float, float]) -> NDArray[np.float64]:
    """How far inside the border of a label each pixel's centre lies; negative outside; -inf without a label."""
    if not label.any():
        return np.full(label.shape, -np.inf)
    inside, outside = (distance_transform_edt(part, sampling=pixel_mm) for part in (label, ~label))
    half_pixel = min(pixel_mm) / 2
    return np.where(label, inside - half_pixel, half_pixel - outside)


def _half_mm(profile: np.ma.MaskedArray[tuple[int], np.dtype[np.float64]]) -> float:
    """The first depth at which the profile reaches a half, between the middles of the bins that have a value."""
    has_value = ~np.ma.getmaskarray(profile)
    depths, values = ((BINS_MM[:-1] + BINS_MM[1:]) / 2)[has_value], profile.compressed()
    index = int((values >= 0.5).argmax())
    return float(np.interp(0.5, values[index - 1 : index + 1], depths[index - 1 : index + 1]))


if __name__ == "__main__":
    main()
