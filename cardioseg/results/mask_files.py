"""Mask files: the NIfTI masks below a folder, by case id."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from cardioseg.errors import NoInputError, UnusableError
from cardioseg.files import safe_name
from cardioseg.image.foreign_formats import foreign
from cardioseg.image.labels import CONVENTIONS, Convention, relabel
from cardioseg.image.nnunet_names import case_stem
from cardioseg.image.slicer_segmentation import is_segmentation
from cardioseg.image.volume import Cine
from cardioseg.image.volume_files import REFERENCE, SEGMENTATION, format_of, is_volume_file, stem
from cardioseg.ingest.labels.named_mask import read_named_mask
from cardioseg.ingest.labels.structures import Meaning, listed_names
from cardioseg.results.folder import CaseFolder, ResultsFolder
from cardioseg.results.run_record import read_run_record
from cardioseg.skipped import Skipped

_EDITORS = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd", ".hdr", ".img", ".mrb", ".vtm")  # suffixes of theirs
_RENAME = "rename the segments in 3D Slicer, for instance to RV cavity, or remove them"
_OWN_NUMBERS = (
    "a file dataset.json beside the masks can say what other numbers mean, as in "
    '{"labels": {"background": 0, "LV cavity": 255}}'
)
_NAMED_BY_FOLDER = "mask"


@dataclass(frozen=True)
class MaskFolder:
    """The masks at or below `root`.

    Attributes:
        root: a folder, or one file.
        paths: file by case id.
        clashes: files that are left out because they claim the same case id.
    """

    root: Path
    paths: dict[str, Path]
    clashes: tuple[Skipped, ...] = ()

    def where(self, path: Path) -> str:
        """A file's name for people: relative to the folder."""
        return path.name if path == self.root else str(path.relative_to(self.root))

    def skipped(self, path: Path, error: UnusableError, side: str = "") -> Skipped:
        """Why a file was not used, with its path said once; `side` says which of two it was on."""
        why = str(error).removeprefix(f"{path}: ")
        return Skipped(self.where(path), f"the {side} cannot be used: {why}" if side else why)


def find_masks(root: Path) -> MaskFolder:
    """Find the masks at or below `root`: NIfTI files, none hidden, no scans beside `_gt` or `.seg`, no edits."""
    by_case: dict[str, list[Path]] = {}
    for path in _mask_files(root):
        by_case.setdefault(case_id(path), []).append(path)
    folder = MaskFolder(root, {case: paths[0] for case, paths in by_case.items() if len(paths) == 1})
    clashes = [
        Skipped(folder.where(path), f"{len(paths)} masks here have the case id {case}: {_apart(paths)}")
        for case, paths in by_case.items()
        if len(paths) > 1
        for path in paths
    ]
    return MaskFolder(root, folder.paths, tuple(clashes))


def _apart(paths: Sequence[Path]) -> str:
    """What to do with masks that claim the same case id."""
    if len({path.parent for path in paths}) == len(paths):
        return "if they are of several observers or programs, evaluate each folder apart"
    return "give each its own name, or remove all but one"


def case_id(path: Path) -> str:
    """The case that a mask belongs to: its stem without `_gt` or `.seg`, or its folder's name if it is `mask.nii.gz`.

    nnU-Net's `_0000` is no part of it. It is made safe for a file system, as `predict` does, so that both sides of a
    pair agree.
    """
    name = case_stem(path).removesuffix(SEGMENTATION)
    return safe_name(path.absolute().parent.name if name == _NAMED_BY_FOLDER else name.removesuffix(REFERENCE))


def read_mask(path: Path, convention: Convention = CONVENTIONS["acdc"]) -> Cine:
    """Read a 3D or 4D mask, its numbers mapped from `convention` to `Label`.

    The segments of 3D Slicer's segmentations are known by their names, and by their numbers if no name is known.

    Raises:
        UnusableError: unreadable, or it holds a value or a segment that is no label.
    """
    if is_segmentation(path):
        named = read_named_mask(path, Meaning(convention))
        if named.unknown:
            raise UnusableError(f"{path}: nothing says what structure {listed_names(named.unknown)} is", _RENAME)
        return named.mask
    cine = format_of(path).read_cine(path)
    try:
        return Cine(relabel(cine.voxels, convention), cine.grid, cine.times_ms)
    except UnusableError as error:
        raise UnusableError(error.message, _OWN_NUMBERS) from None


def _mask_files(root: Path) -> list[Path]:
    paths = [root] if root.is_file() else sorted(root.rglob("*"))
    files = [path for path in paths if is_volume_file(path) and not path.name.startswith(".") and path.is_file()]
    stems = {path.with_name(stem(path)) for path in files}
    masks = [path for path in files if not _is_scan_of_a_mask(path, stems)]
    return [path for path in masks if path == root or not (_is_beside_a_prediction(path) or _is_below_one(path, root))]


def _is_scan_of_a_mask(path: Path, stems: Set[Path]) -> bool:
    """Whether a mask of the same name with `_gt` or `.seg` lies beside it; a predicted mask may have been edited so."""
    ends = (REFERENCE,) if CaseFolder(path.parent).is_committed else (REFERENCE, SEGMENTATION)
    return any(path.with_name(stem(path) + end) in stems for end in ends)


def _is_beside_a_prediction(path: Path) -> bool:
    """Whether an image in a predicted case's folder is another one than its mask: an edit of that, or a backup.

    An unpacked `mask.nii` is one too, unless it is all that is left of the mask.
    """
    case = CaseFolder(path.parent)
    if not case.is_committed or path == case.mask:
        return False
    return stem(path) != _NAMED_BY_FOLDER or case.mask.is_file()


def _is_below_one(path: Path, root: Path) -> bool:
    """Whether a mask lies in a subfolder of a predicted case's folder: it is no case of its own."""
    above = path.parent.parents
    return any(CaseFolder(folder).is_committed for folder in above if folder.is_relative_to(root))


def newer_files_below(path: Path) -> list[Path]:
    """Files in subfolders of a predicted mask's folder that may hold an edit of it, which nothing reads."""
    folders = [entry for entry in path.parent.iterdir() if entry.is_dir() and not entry.is_symlink()]
    files = (file for folder in folders for file in folder.rglob("*") if file.name.lower().endswith(_EDITORS))
    return sorted(file for file in files if file.is_file() and is_newer(file, path))


def files_beside(path: Path) -> list[Path]:
    """Files beside a predicted mask that can hold an edit of it, by their names."""
    own = (path.name, CaseFolder(path.parent).predicted_mask.name)
    files = (file for file in path.parent.iterdir() if file.name.lower().endswith(_EDITORS))
    return sorted(file for file in files if file.name not in own and not file.name.startswith(".") and file.is_file())


def is_newer(file: Path, path: Path) -> bool:
    """Whether a file was written after a mask."""
    try:
        return file.stat().st_mtime_ns > path.stat().st_mtime_ns
    except OSError:
        return False


def no_masks(root: Path, hint: str, what: str = "NIfTI masks") -> NoInputError:
    """That there are no masks at or below `root`, and what is there instead where that is known."""
    if root.is_dir() and (measured := read_run_record(ResultsFolder(root)).masks):
        return NoInputError(
            f"{root} was written by `measure` and holds no masks", f"give the folder of the masks: {measured}"
        )
    paths = [root] if root.is_file() else (path for path in sorted(root.rglob("*")) if path.is_file())
    for path in paths:
        if not is_volume_file(path) and not path.name.startswith(".") and (other_format := foreign(path)):
            name, remedy = other_format
            return NoInputError(f"{root}: no {what} in it; {path.name} is {name}", remedy)
    return NoInputError(f"{root}: no {what} in it", hint)
