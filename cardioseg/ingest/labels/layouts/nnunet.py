"""nnU-Net: `imagesTr/<case>_0000.nii.gz`, `labelsTr/<case>.nii.gz`, and a `dataset.json` that names the labels.

The images and masks may have any format of one file a volume that cardioseg reads, whatever `file_ending` says.

Isensee et al., "nnU-Net: a self-configuring method for deep learning-based biomedical image segmentation", Nature
Methods 2021.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cardioseg.errors import NoInputError, UnusableError
from cardioseg.image.labels import Convention
from cardioseg.image.nnunet_names import case_stem
from cardioseg.image.volume import Voxels
from cardioseg.image.volume_files import format_of, is_part, is_volume_file, siblings, stem
from cardioseg.ingest.labels.drawn_labels import drawn_phases, on_image
from cardioseg.ingest.labels.ed_es_names import subject_and_moment, unknown_moments, with_moments
from cardioseg.ingest.labels.nnunet_dataset_json import CARD, convention_of_card, ignored_number, read_card
from cardioseg.ingest.labels.numbered_labels import labels_of
from cardioseg.ingest.labels.structures import AS_USUAL, Meaning
from cardioseg.ingest.labels.subject import LabelledVolume, Source, Subject, annotation
from cardioseg.skipped import Skipped, reasons

NAME = "nnunet"
HAS_NUMBERS = True
HAS_NAMES = True
LOOKS_FOR = "dataset.json beside imagesTr/ and labelsTr/"
_IMAGES, _LABELS = "imagesTr", "labelsTr"
_CHANNEL = "_0000"
_STATE_PHASES = "name the files of these phases <subject>_ed and <subject>_es"
_RENAME = f"correct `labels` in {CARD}"
_ONE_PHASE = "save the phase that is drawn as a 3D image"
Named = tuple[str, str, Path]  # of a mask: case, moment and file


@dataclass(frozen=True)
class Numbers:
    """The meaning of the numbers in the masks.

    Attributes:
        convention: the structures.
        ignored: the number of pixels without a reference; None if there are none.
    """

    convention: Convention
    ignored: int | None

    def has_none(self, mask: Voxels) -> NDArray[np.bool_]:
        """The pixels without a reference."""
        return np.asarray(mask == self.ignored) if self.ignored is not None else np.zeros(mask.shape, np.bool_)


def recognises(root: Path) -> bool:
    """Whether the card names structures, and there are images and masks."""
    if not (root / CARD).is_file() or not all(_volume_files(root / name) for name in (_IMAGES, _LABELS)):
        return False
    try:
        read_card(root / CARD)
    except NoInputError:
        return False
    return True


def misses(root: Path) -> Iterator[str]:
    """Which parts of the dataset a folder lacks."""
    present = [name for name in (CARD, _IMAGES, _LABELS) if (root / name).exists()]
    lacking = [name for name in (CARD, _IMAGES, _LABELS) if name not in present]
    if present and lacking:
        yield f"{root} has {' and '.join(present)}, but no {' and no '.join(lacking)}"
    elif present:
        yield from _faults(root)
    if root.name in (_IMAGES, _LABELS) and recognises(root.absolute().parent):
        yield f"{root} is a part of a dataset: give the folder above it"


def _faults(root: Path) -> Iterator[str]:
    """Faults of a folder that has all parts."""
    for name in (_IMAGES, _LABELS):
        if not _volume_files(root / name):
            yield f"{root / name} holds no NIfTI, NRRD or MetaImage files"
    try:
        read_card(root / CARD)
    except NoInputError as error:
        yield error.message


def find(root: Path, meaning: Meaning = AS_USUAL) -> Iterator[Source | Skipped]:
    """Yield the subjects: masks named `<subject>_ed`, `_es`, `_frame01` or `_phase07` are volumes of one subject.

    Raises:
        NoInputError: there are several channels, or the card does not say what the numbers mean.
    """
    card = read_card(root / CARD)
    channels = card.get("channel_names", card.get("modality", {}))
    if isinstance(channels, Mapping) and len(channels) > 1:
        raise NoInputError(f"{root / CARD}: {len(channels)} channels an image, cardioseg reads one", "keep the cine's")
    convention = convention_of_card(root / CARD, card, meaning) if meaning.numbers is None else meaning.numbers
    numbers = Numbers(convention, ignored_number(root / CARD, card))
    masks = _volume_files(root / _LABELS)
    by_subject: dict[str, list[Named]] = {}
    for path in masks:
        subject_id, name = subject_and_moment(stem(path))
        by_subject.setdefault(subject_id, []).append((stem(path), name, path))
    sources = (
        Source(subject_id, str(root / _LABELS / subject_id), partial(_subject, root, subject_id, named, numbers))
        for subject_id, named in by_subject.items()
    )
    return chain(_images_without_mask(root, {stem(path) for path in masks}), sources)


def _volume_files(folder: Path) -> list[Path]:
    files = (path for path in folder.glob("*") if is_volume_file(path) and not path.name.startswith("."))
    return sorted(path for path in files if path.is_file() and not is_part(path))


def _images_without_mask(root: Path, cases: Set[str]) -> Iterator[Skipped]:
    """The images without a mask."""
    for path in _volume_files(root / _IMAGES):
        if not {stem(path), case_stem(path)} & cases:
            yield Skipped(str(path.relative_to(root)), f"it has no mask in {_LABELS}")


def _subject(root: Path, subject_id: str, named: Sequence[Named], numbers: Numbers) -> Subject:
    volumes: list[LabelledVolume] = []
    skipped: list[Skipped] = []
    for case, name, path in named:
        try:
            volumes += _volumes(root, case, name, path, numbers)
        except UnusableError as error:
            skipped.append(Skipped(str(path.relative_to(root)), str(error).removeprefix(f"{path}: ")))
    if not volumes:
        raise UnusableError(reasons(skipped))
    phases = tuple(with_moments(volumes))
    return Subject(subject_id, phases, skipped=tuple(skipped), unknown_moments=unknown_moments(phases, _STATE_PHASES))


def _volumes(root: Path, case: str, name: str, path: Path, numbers: Numbers) -> Iterator[LabelledVolume]:
    scan = _image(root, case)
    image = format_of(scan).read_cine(scan)
    mask = on_image(format_of(path).read_cine(path), image.grid)
    for phase in drawn_phases(image.phases, mask.voxels, _ONE_PHASE):
        drawn = np.where(numbers.has_none(mask.voxels[phase]), 0, mask.voxels[phase])
        yield LabelledVolume(
            name=name if image.phases == 1 else f"phase{phase:02d}",
            image=image.voxels[phase],
            mask=labels_of(drawn, numbers.convention, _RENAME),
            annotated=_annotated(mask.voxels[phase], numbers),
            spacing_mm=image.grid.spacing_mm,
            case_ids=(case, case + _CHANNEL),
            phase=None if image.phases == 1 else phase,
            sources=(str(scan.relative_to(root)),) * image.grid.shape[0],
            grid=image.grid,
        )


def _annotated(mask: Voxels, numbers: Numbers) -> NDArray[np.bool_]:
    """(slice, Label): a slice with ignored pixels has no complete reference of any structure."""
    annotated = annotation(len(mask), numbers.convention.values())
    annotated[numbers.has_none(mask).any(axis=(1, 2))] = False
    return annotated


def _image(root: Path, case: str) -> Path:
    folder = root / _IMAGES
    for name in (case + _CHANNEL, case):
        if images := siblings(folder / name, name):
            return images[0]
    raise UnusableError(f"{folder / case}{_CHANNEL}: no image of this name")
