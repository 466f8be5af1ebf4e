"""References: expert labels from a prepared dataset, any labelled layout, or a plain folder of masks."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from cardioseg.dataset.store import is_dataset, open_dataset
from cardioseg.errors import UnusableError, UsageError
from cardioseg.evaluation.compared_edits import read_compared_mask
from cardioseg.files import safe_name
from cardioseg.image.labels import CONVENTIONS, STRUCTURES, Convention, Label
from cardioseg.image.slicer_segmentation import is_segmentation
from cardioseg.image.volume import Cine
from cardioseg.ingest.labels import layouts
from cardioseg.ingest.labels.ed_es_names import subject_and_moment, with_moments
from cardioseg.ingest.labels.named_mask import read_named_mask
from cardioseg.ingest.labels.nnunet_dataset_json import stated_convention
from cardioseg.ingest.labels.structures import AS_USUAL, Meaning
from cardioseg.ingest.labels.subject import LabelledVolume, Source, Subject, annotation
from cardioseg.results.mask_files import MaskFolder, find_masks, no_masks
from cardioseg.skipped import Skipped

_NNUNET = "labelsTr"
_REFERENCES = "give a prepared dataset, labelled data that `cardioseg ingest` reads, or a folder of NIfTI masks"


def find_references(root: Path, meaning: Meaning = AS_USUAL) -> Iterator[Source | Skipped]:
    """Find the reference labels below `root`, subject by subject.

    A folder that is neither a prepared dataset nor in a layout that `ingest` knows is read as a plain folder of NIfTI
    masks, or as nnU-Net's with masks in `labelsTr`. Every structure then counts as annotated on every slice. Masks that
    are named `<subject>_ed` and `_es`, `_frame01` or `_phase07`, and the phases of a 4D mask, are volumes of one
    subject; phases without any label count as not annotated, since experts often draw ED and ES only. If the names do
    not say ED and ES, the subject's largest LV cavity (RV cavity, if not every mask has an LV cavity) is at ED, its
    smallest at ES; without a cavity, there is no ED and no ES. `p1_phase07` is also phase 7 of a 4D prediction `p1`,
    counted from 0. The segments of 3D Slicer's segmentations are known by their names; a structure without a segment
    counts as not annotated.

    Args:
        root: a folder, or one mask.
        meaning: what the numbers and names of the labels mean, if not what the layout, the dataset or nnU-Net's card
            says; numbers that nothing explains are ACDC's.

    Raises:
        NoInputError: there are no labels, or nnU-Net's `dataset.json` does not say what the numbers mean.
        UnusableError: the prepared dataset is damaged.
        UsageError: a meaning is given for numbers or names that already have one, or that are not there.
    """
    if is_dataset(root):
        for option, given in (("--labels", meaning.numbers), ("--structures", meaning.names)):
            if given is not None:
                raise UsageError(f"{option} has no effect: {root} is a prepared dataset", layouts.NO_EFFECT)
        return open_dataset(root).sources()
    if layouts.detect(root):
        return layouts.find(root, meaning=meaning)
    masks = find_masks(_folder_of_masks(root))
    if not masks.paths and not masks.clashes:
        raise no_masks(root, _REFERENCES, "reference labels")
    return _find_plain(masks, meaning.numbers or plain_convention(root, meaning), meaning)


def plain_convention(root: Path, meaning: Meaning = AS_USUAL) -> Convention:
    """The meaning of the numbers in a plain folder of masks: as in nnU-Net's card, or ACDC's if there is no card.

    Raises:
        NoInputError: there is a card that does not say what the numbers mean.
        UsageError: names are given, and there is neither a card nor a mask whose segments have names.
    """
    folder = _folder_of_masks(root)
    stated = stated_convention(folder, meaning=meaning)
    has_names = meaning.names is not None and any(map(is_segmentation, find_masks(folder).paths.values()))
    if stated is None and meaning.names is not None and not has_names:
        raise UsageError(f"--structures has no effect: the labels in {root} have no names", layouts.NO_EFFECT)
    return stated or CONVENTIONS["acdc"]


def _folder_of_masks(root: Path) -> Path:
    return root / _NNUNET if (root / _NNUNET).is_dir() else root


def is_plain(root: Path) -> bool:
    """Whether `find_references` finds a folder or file as plain masks, so that their numbers need a convention."""
    return not is_dataset(root) and layouts.detect(root) is None


def _find_plain(folder: MaskFolder, convention: Convention, meaning: Meaning) -> Iterator[Source | Skipped]:
    yield from folder.clashes
    by_subject: dict[str, list[tuple[str, str, Path]]] = {}
    for case, path in folder.paths.items():
        subject_id, name = subject_and_moment(case)
        by_subject.setdefault(subject_id, []).append((case, name, path))
    root_only = replace(folder, paths={}, clashes=())  # a source is sent to other processes: keep it small
    for subject_id, masks in by_subject.items():
        yield Source(subject_id, subject_id, partial(_read_subject, subject_id, root_only, masks, convention, meaning))


def _read_subject(
    subject_id: str,
    folder: MaskFolder,
    masks: Sequence[tuple[str, str, Path]],
    convention: Convention,
    meaning: Meaning,
) -> Subject:
    volumes: list[LabelledVolume] = []
    skipped: list[Skipped] = []
    remarks: list[Skipped] = []
    for case, name, path in masks:
        try:
            if is_segmentation(path):
                named = read_named_mask(path, meaning)
                volumes += _volumes(case, name, named.mask, folder.where(path), named.labels)
                skipped += [Skipped(folder.where(path), why) for why in named.left_out]
                continue
            compared = read_compared_mask(path, convention)
            volumes += _volumes(case, name, compared.mask, folder.where(path))
            remarks += [Skipped(f"reference {case}", remark) for remark in compared.remarks]
        except UnusableError as error:
            skipped.append(folder.skipped(path, error, "reference"))
    return Subject(subject_id, tuple(with_moments(volumes)), skipped=tuple(skipped), remarks=tuple(remarks))


def _volumes(
    case: str, name: str, mask: Cine, source: str, segments: Sequence[Label] | None = None
) -> Iterator[LabelledVolume]:
    """A volume for each phase that is drawn; `segments`: the labels that a segmentation of 3D Slicer has."""
    annotated = annotation(mask.grid.shape[0], STRUCTURES if segments is None else segments)
    case_ids = (case, safe_name(subject_and_moment(case)[0])) if name else (case,)
    for phase, voxels in enumerate(mask.voxels):
        if mask.phases == 1 or voxels.any():
            yield LabelledVolume(
                name=f"phase{phase:02d}" if mask.phases > 1 else name,
                image=voxels,  # a plain folder of masks has no scan
                mask=voxels,
                annotated=annotated,
                spacing_mm=mask.grid.spacing_mm,
                case_ids=case_ids if mask.phases == 1 else (case,),
                phase=phase if mask.phases > 1 else None,
                sources=(source,) * len(voxels),
                grid=mask.grid,
                is_box=segments is not None,
            )
