"""Ids per image: images of one series to which an anonymiser gave a study or series id each.

Such ids group nothing. The images of one folder are then grouped by their series number, as images without ids are.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cardioseg.ingest.cine.repeated_slices import CINE_PHASES
from cardioseg.ingest.dicom.slice_header import SliceHeader


def without_ids_per_image(headers: Sequence[SliceHeader]) -> list[SliceHeader]:
    """The headers in the same order; where each image of a folder has a series of its own, without these ids.

    Multi-frame files keep their ids: each may be a whole series. So do the images of a folder that has too few for a
    film. A study id is kept if images share it.
    """
    by_folder: dict[Path, list[SliceHeader]] = defaultdict(list)
    for header in headers:
        by_folder[header.path.parent].append(header)
    changed: dict[SliceHeader, SliceHeader] = {}
    for images in filter(_is_film_with_ids_per_image, by_folder.values()):
        of_study = Counter(image.study_uid for image in images)
        for image in images:
            study_uid = image.study_uid if of_study[image.study_uid] > 1 else ""
            changed[image] = replace(image, series_uid="", study_uid=study_uid)
    return [changed.get(header, header) for header in headers]


def _is_film_with_ids_per_image(images: Sequence[SliceHeader]) -> bool:
    series = {(image.study_uid, image.series_uid) for image in images}
    return len(series) == len(images) >= CINE_PHASES and all(image.frame is None for image in images)
