"""ACDC: one folder per patient, with Info.cfg and the ED and ES volumes and masks as NIfTI (MICCAI 2017 challenge)."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from cardioseg.archive.member_paths import entries
from cardioseg.errors import UnusableError
from cardioseg.image.ed_es_pair import CARD, MOMENTS, existing_image, frame_of, image_named, is_card, read_card
from cardioseg.image.labels import CONVENTIONS, STRUCTURES, Convention
from cardioseg.image.nifti import read_cine, read_volume
from cardioseg.image.volume import Cine, Volume
from cardioseg.image.volume_files import REFERENCE, is_volume_file, stem
from cardioseg.ingest.labels.drawn_labels import (
    STATE_NUMBERS,
    on_image,
    readable_masks,
    require_several_labels,
)
from cardioseg.ingest.labels.numbered_labels import labels_of
from cardioseg.ingest.labels.structures import AS_USUAL, Meaning
from cardioseg.ingest.labels.subject import LabelledVolume, Source, Subject, annotation
from cardioseg.skipped import Skipped, reasons

NAME = "acdc"
HAS_NUMBERS = True
HAS_NAMES = False
LOOKS_FOR = "folders patient*/ with Info.cfg"
_CARDS = (CARD, f"patient*/{CARD}", f"*/patient*/{CARD}")  # a patient, the folder of patients, the one above
_MOMENT = re.compile("_(4d|frame[0-9]+)$")
_MASKS = ("*_frame*_gt.nii*", "*/*_frame*_gt.nii*", "*/*/*_frame*_gt.nii*")


def recognises(root: Path) -> bool:
    """Whether `root` is a patient's folder with Info.cfg, or contains such folders directly or one level below."""
    return any(any(root.glob(pattern)) for pattern in _CARDS)


def misses(root: Path) -> Iterator[str]:
    """Masks that are named like ACDC's, without the Info.cfg that says which is ED and which ES."""
    folders = {path.parent for pattern in _MASKS for path in root.glob(pattern)}
    if folders:
        yield f"{min(folders)} has masks *_frame*_gt, but no Info.cfg that gives the frames of ED and ES"


def find(root: Path, meaning: Meaning = AS_USUAL) -> Iterator[Source]:
    """Yield the patients.

    Raises:
        UsageError: no convention is given, and the masks hold a single number.
    """
    root = root if root.name else root.resolve()  # files are named after their folder, even if that is `.`
    if meaning.numbers is None:
        masks = (path for pattern in _MASKS for path in sorted(root.glob(pattern)))
        require_several_labels(readable_masks(masks), f"all masks in {root}", STATE_NUMBERS)
    convention = meaning.numbers or CONVENTIONS["acdc"]
    for folder in sorted(card.parent for pattern in _CARDS for card in root.glob(pattern)):
        yield Source(folder.name, str(folder), partial(_subject, root, folder, convention))


def read_body(path: Path) -> tuple[float | None, float | None]:
    """Height in m and weight in kg from the Info.cfg beside an image or a mask.

    None if there is none, if it does not give them, or if images of several patients lie beside it.

    Args:
        path: the image or the mask, or the Info.cfg itself.
    """
    try:
        card = read_card(path.parent / CARD)
        if not is_card(path) and len(_patients(path.parent)) > 1:
            return None, None
    except (OSError, UnusableError):
        return None, None
    height_cm, weight_kg = (_positive(card.get(key, "")) for key in ("Height", "Weight"))
    return None if height_cm is None else height_cm / 100, weight_kg


def _patients(folder: Path) -> set[str]:
    """The names of the patients whose images lie in a folder: `patient001` of patient001_4d and patient001_frame01."""
    images = (file for file in entries(folder)[1] if is_volume_file(file) and not file.name.startswith("."))
    names = {_MOMENT.sub("", stem(image).removesuffix(REFERENCE)) for image in images}
    return {name for name in names if not any(name.startswith(f"{other}_") for other in names)}


def _positive(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 < value < float("inf") else None


def _subject(root: Path, folder: Path, meaning: Convention) -> Subject:
    card = read_card(folder / CARD)
    volumes: list[LabelledVolume] = []
    skipped: list[Skipped] = []
    for key in MOMENTS:
        try:
            volumes.append(_volume(root, folder, key.lower(), frame_of(folder / CARD, card, key), meaning))
        except UnusableError as error:
            skipped.append(Skipped(f"{folder} {key}", str(error)))
    if not volumes:
        raise UnusableError(reasons(skipped))
    return Subject(folder.name, tuple(volumes), card.get("Group", ""), tuple(skipped))


def _volume(root: Path, folder: Path, name: str, frame: int, meaning: Convention) -> LabelledVolume:
    stem = f"{folder.name}_frame{frame:02d}"
    path, image = _image(folder, stem, frame)
    drawn = read_volume(existing_image(folder, f"{stem}_gt"))
    try:
        reference = on_image(Cine(drawn.voxels[None], drawn.grid), image.grid).phase(0)
    except UnusableError as error:
        raise UnusableError(f"{path}: {error.message}") from None
    return LabelledVolume(
        name=name,
        image=image.voxels,
        mask=labels_of(reference.voxels, meaning),
        annotated=annotation(len(image.voxels), STRUCTURES),
        spacing_mm=image.grid.spacing_mm,
        case_ids=(stem,),
        phase=None,
        sources=(str(path.relative_to(root)),) * len(image.voxels),
        grid=image.grid,
    )


def _image(folder: Path, stem: str, frame: int) -> tuple[Path, Volume]:
    """A frame from its file or, if there is none, from the whole cine."""
    cine = image_named(folder, f"{folder.name}_4d")
    if cine is None or image_named(folder, stem):
        path = existing_image(folder, stem)
        return path, read_volume(path)
    image = read_cine(cine)
    if not 1 <= frame <= image.phases:
        raise UnusableError(f"{cine}: there is no frame {frame}; it has the frames 1 to {image.phases}")
    return cine, image.phase(frame - 1)
