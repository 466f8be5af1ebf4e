"""Distinct names: folders and files of the same name are named after the folders that contain them, too."""

import os
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from cardioseg.archive.member_paths import plain_name
from cardioseg.files import safe_name, unique_names

_MASKS = re.compile(
    r"(labels?|masks?|segs?|segmentations?|annotations?|contours?|gts?|ground[ _-]?truths?|references?|manual)"
    r"([ _-]?(tr|ts|val|train|test|training|testing|validation))?"
)


def names_beside_masks(places: Sequence[Path], are_files: Sequence[bool]) -> list[str]:
    """As `distinct_names`, if masks lie beside the scans: no scan is renamed because its mask has the same name.

    Files may be masks if a folder name says so, as `masks` beside `images`; their pixels are not read yet. If such a
    folder contains scans after all, their names still differ from all others.

    Args:
        places: absolute paths of folders or files.
        are_files: which of them are files.
    """
    above = Path(os.path.commonpath(places)) if places else Path()
    for_masks = [is_file and _is_for_masks(place, above) for place, is_file in zip(places, are_files, strict=True)]
    among_all = distinct_names(places)
    scans = [number for number, is_for_masks in enumerate(for_masks) if not is_for_masks]
    among_scans = dict(zip(scans, distinct_names([places[number] for number in scans]), strict=True))
    ordered = sorted(range(len(places)), key=for_masks.__getitem__)  # scans choose first
    chosen = unique_names(among_scans.get(number, among_all[number]) for number in ordered)
    return [name for _, name in sorted(zip(ordered, chosen, strict=True))]


def _is_for_masks(place: Path, above: Path) -> bool:
    """Whether one of the folders below `above` has a name that is usual for masks."""
    return any(_MASKS.fullmatch(part.lower()) for part in place.relative_to(above).parts[:-1])


def distinct_names(places: Sequence[Path]) -> list[str]:
    """The last part of each path as a safe name; equal names are preceded by the nearest folders that differ.

    `a/x/sax` and `b/x/sax` become `a_sax` and `b_sax`. A path that occurs twice gets `-2`; so do paths that differ only
    in characters that a name cannot contain.

    Args:
        places: absolute paths of folders or files.
    """
    chosen = [[plain_name(place.name)] for place in places]  # the parts of each name, the last first
    for depth in range(1, max((len(place.parts) for place in places), default=0)):
        groups = _groups_of_equal_names(chosen)
        if not groups:
            break
        for equal_names in groups:
            folder_names = {number: _folder_name(places[number], depth) for number in equal_names}
            if len({name.lower() for name in folder_names.values()}) > 1:
                for number, name in folder_names.items():
                    chosen[number] += [name] if name else []
    return unique_names(map(_joined_name, chosen))


def _groups_of_equal_names(chosen: Sequence[Sequence[str]]) -> list[list[int]]:
    """Groups of names that are equal on a file system that ignores case."""
    groups: dict[str, list[int]] = defaultdict(list)
    for number, parts in enumerate(chosen):
        groups[_joined_name(parts).lower()].append(number)
    return [group for group in groups.values() if len(group) > 1]


def _joined_name(parts: Sequence[str]) -> str:
    return safe_name("_".join(reversed(parts)))


def _folder_name(place: Path, depth: int) -> str:
    parts = place.parts[1:]  # without the root
    return safe_name(plain_name(parts[-1 - depth])) if depth < len(parts) else ""
