"""Campaign: mutants by the thousand through a door for files, in a process of its own.

    python tests/adversarial/campaign.py dicom 20000 [--seed 0] [--keep FOLDER]

The doors are those of `DOORS`. It prints what became of the mutants as JSON. A file that takes longer
than the limit ends the process with a traceback; a mutant that raises anything but `UnusableError` is kept in FOLDER.
"""

import argparse
import faulthandler
import json
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

from mutants import mutate

from cardioseg.errors import UnusableError
from cardioseg.image import slicer_segmentation
from cardioseg.image.volume_files import format_of
from cardioseg.ingest.dicom import segment_frames
from cardioseg.ingest.dicom.reader import read_all_pixels, read_headers
from cardioseg.ingest.dicom.structure_set import read_structure_set
from cardioseg.ingest.labels.cvi42_workspace import read_workspace
from cardioseg.phantom import Encoding, Phantom, cine, enhanced_instance, instance, reference, write_dicom, write_nifti
from cardioseg.phantom.study import write_instance

HANG_S = 5
SMALL = Phantom(slices=2, phases=2, rows=16, columns=16, spacing_mm=(16.0, 8.0, 8.0), seed=2)
_ENCODINGS = (*Encoding, Encoding.EXPLICIT, Encoding.EXPLICIT, Encoding.IMPLICIT)  # most files are plain


def read_dicom(path: Path) -> None:
    """All that a tree's files go through: headers, then pixels."""
    read_all_pixels(read_headers(path))


def read_volume_file(path: Path) -> None:
    """All that a scan in one file goes through."""
    format_of(path).read_cine(path)


def read_segments(path: Path) -> None:
    """All that is read of a segmentation of 3D Slicer."""
    slicer_segmentation.read_segmentation(path)


def read_dicom_seg(path: Path) -> None:
    """All that is read of a DICOM SEG."""
    segmentation = segment_frames.read_segmentation(path)
    for segment in segmentation.segments:
        for _ in segmentation.drawn(segment, segmentation.frames):
            pass


def read_rtstruct(path: Path) -> None:
    """All that is read of an RTSTRUCT."""
    read_structure_set(path)


def read_cvi42(path: Path) -> None:
    """All that is read of a workspace."""
    read_workspace(path)


def dicom_originals(folder: Path) -> list[tuple[bytes, str]]:
    """One image in every encoding, and enhanced objects, with the ending of their names."""
    voxels, path = cine(SMALL).voxels, folder / "original.dcm"
    kinds = [(instance(SMALL, 1, 0, 1, voxels[0, 1]), encoding) for encoding in _ENCODINGS]
    enhanced = (Encoding.EXPLICIT, Encoding.IMPLICIT, Encoding.RLE)
    kinds += [(enhanced_instance(SMALL, voxels), encoding) for encoding in enhanced]
    originals = []
    for dataset, encoding in kinds:
        write_instance(path, dataset, encoding)
        originals.append((path.read_bytes(), ".dcm"))
    return originals


def nifti_originals(folder: Path) -> list[tuple[bytes, str]]:
    """A 4D image, packed and unpacked (which damage reaches), and its mask."""
    import gzip

    image, mask = (path.read_bytes() for path in write_nifti(SMALL, folder))
    return [(image, ".nii.gz"), (mask, ".nii.gz"), *((gzip.decompress(image), ".nii") for _ in range(4))]


def nifti_2_originals(folder: Path) -> list[tuple[bytes, str]]:
    """The same image as NIfTI-2."""
    import nibabel

    image, _ = write_nifti(SMALL, folder)
    old, path = nibabel.load(image), folder / "original.nii"
    nibabel.save(nibabel.Nifti2Image(old.dataobj, old.affine), path)
    return [(path.read_bytes(), ".nii")]


def itk_originals(folder: Path, suffix: str) -> list[tuple[bytes, str]]:
    """The same image as ITK saves it, packed and unpacked."""
    import SimpleITK as sitk

    image, _ = write_nifti(SMALL, folder)
    scan, path, originals = sitk.ReadImage(image), folder / f"original{suffix}", []
    for key in scan.GetMetaDataKeys():  # what NIfTI says besides; ITK warns of it
        scan.EraseMetaData(key)
    for is_packed in (True, False, False):
        sitk.WriteImage(scan, path, useCompression=is_packed)
        originals.append((path.read_bytes(), suffix))
    return originals


def segments_originals(folder: Path) -> list[tuple[bytes, str]]:
    """A mask with one and with several layers."""
    made, mask = beside("slicer_files"), reference(SMALL).phase(0)
    writers = (made.one_layer, made.layer_each)
    return [(write(folder / "a.seg.nrrd", mask.voxels, mask.grid).read_bytes(), ".seg.nrrd") for write in writers]


def dicom_seg_originals(folder: Path) -> list[tuple[bytes, str]]:
    """One slice of a mask, binary and as a label map."""
    made = beside("segmentation_objects")
    write_dicom(made.HEART, folder)
    stack, one_slice = made.stack_of(folder), made.mask_at(made.ED)
    one_slice[:2] = one_slice[3:] = 0
    paths = [made.by_highdicom(folder / kind, stack, made.ED, one_slice, kind=kind) for kind in ("BINARY", "LABELMAP")]
    return [(path.read_bytes(), ".dcm") for path in paths]


def rtstruct_originals(folder: Path) -> list[tuple[bytes, str]]:
    """The outlines of a heart, with few points, so that damage reaches the structure around them."""
    path = beside("drawn_outlines").write_rtstruct(folder / "original.dcm", SMALL, few_points())
    return [(path.read_bytes(), ".dcm")]


def cvi42_originals(_folder: Path) -> list[tuple[bytes, str]]:
    """The same as a workspace."""
    made = beside("drawn_outlines")
    text = made.workspace({one.images[0]: [(made.NAMES[one.name], one.points)] for one in few_points()})
    return [(text.encode(), ".cvi42wsx")]


def few_points() -> list[Any]:
    return [replace(one, points=one.points[::30]) for one in beside("drawn_outlines").outlines(SMALL)]


def beside(module: str) -> Any:
    """A module beside the folder of this script; pytest finds it without help."""
    sys.path.append(str(Path(__file__).parents[1]))
    return import_module(module)


DOORS: dict[str, tuple[Callable[[Path], None], Callable[[Path], list[tuple[bytes, str]]]]] = {
    "dicom": (read_dicom, dicom_originals),
    "nifti": (read_volume_file, nifti_originals),
    "nifti-2": (read_volume_file, nifti_2_originals),
    "metaimage": (read_volume_file, lambda folder: itk_originals(folder, ".mha")),
    "nrrd": (read_volume_file, lambda folder: itk_originals(folder, ".nrrd")),
    "seg-nrrd": (read_segments, segments_originals),
    "dicom-seg": (read_dicom_seg, dicom_seg_originals),
    "rtstruct": (read_rtstruct, rtstruct_originals),
    "cvi42": (read_cvi42, cvi42_originals),
}


def mutants(originals: Sequence[tuple[bytes, str]], count: int, seed: int) -> Iterator[tuple[bytes, str]]:
    """`count` damaged copies, each from a generator of its own."""
    for index in range(count):
        rng = Random(f"{seed}-{index}")  # noqa: S311 - no secret
        content, suffix = rng.choice(originals)
        if suffix == ".nii.gz" and rng.random() < 0.5:  # a good checksum round damaged content
            import gzip

            yield gzip.compress(mutate(gzip.decompress(content), rng), 1, mtime=0), suffix
        else:
            yield mutate(content, rng), suffix


def run(kind: str, count: int, seed: int, keep: Path | None) -> dict[str, Any]:
    """Send `count` mutants through a door; what became of them."""
    read, write_originals = DOORS[kind]
    reasons: Counter[str] = Counter()
    escaped: Counter[str] = Counter()
    slowest_s = 0.0
    faulthandler.register(signal.SIGALRM, chain=True)  # a thread a file, as dump_traceback_later has, costs more
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        originals = write_originals(folder / "originals")
        for content, suffix in originals:
            (folder / f"warm{suffix}").write_bytes(content)
            read(folder / f"warm{suffix}")
        before_mb, start_s = peak_rss_mb(), time.process_time()
        for index, (content, suffix) in enumerate(mutants(originals, count, seed)):
            path = folder / f"mutant{suffix}"
            path.write_bytes(content)
            begun = time.perf_counter()
            signal.setitimer(signal.ITIMER_REAL, HANG_S)
            try:
                read(path)
                reasons["read"] += 1
            except UnusableError as error:
                reasons[_without_numbers(error.message.removeprefix(f"{path}: "))] += 1
            except BaseException as error:  # noqa: BLE001 - whatever else comes out is what is looked for
                escaped[type(error).__name__] += 1
                if keep:
                    (keep / f"{kind}-{seed}-{index}{suffix}").write_bytes(content)
            signal.setitimer(signal.ITIMER_REAL, 0)
            slowest_s = max(slowest_s, time.perf_counter() - begun)
        seconds = time.process_time() - start_s
    return {
        "kind": kind,
        "mutants": count,
        "seed": seed,
        "read": reasons.pop("read", 0),
        "refused": sum(reasons.values()),
        "escaped": dict(escaped),
        "slowest_s": round(slowest_s, 3),
        "cpu_s": round(seconds, 2),
        "rss_before_mb": before_mb,
        "peak_rss_mb": peak_rss_mb(),
        "reasons": dict(reasons.most_common()),
    }


def peak_rss_mb() -> int:
    """Of this process alone: `getrusage` would count its parent's."""
    status = Path("/proc/self/status").read_text()
    (peak_kb,) = (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return peak_kb // 1024


def _without_numbers(reason: str) -> str:
    return "".join("#" if character.isdigit() else character for character in reason)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=DOORS)
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--limit-mb", type=int, default=16384, help="of address space, so that nothing takes all")
    given = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (given.limit_mb * 2**20, given.limit_mb * 2**20))
    print(json.dumps(run(given.kind, given.count, given.seed, given.keep), indent=2))  # noqa: T201


if __name__ == "__main__":
    main()
