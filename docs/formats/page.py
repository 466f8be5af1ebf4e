"""Writes docs/formats.md: `python docs/formats/page.py`. Names, files, versions and findings come from the project."""

import re
from collections.abc import Iterator
from pathlib import Path

from cardioseg.image import volume_files
from cardioseg.ingest.labels.layouts import LAYOUTS
from cardioseg.results import formats
from cardioseg.results.folder import CaseFolder

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "formats.md"
DEBIAN = {  # packages of Debian 12, and their versions there
    "dcmtk": "3.6.7",
    "dicom3tools": "1.00~20220618",
    "Orthanc": "1.10.1",
    "plastimatch": "1.9.4",
}

INTRODUCTION = """\
# Files that cardioseg reads and writes

Written by `python docs/formats/page.py`.

"Tested with" lists independent programs. In the tests of cardioseg, these programs make the files that cardioseg reads,
or they open the files that cardioseg makes. The versions are those of `constraints.txt`, or those of Debian 12.
"""

PUBLISHED = "the published data"
SCANS = {
    "DICOM, classic MR": ("one image per file; a cine is one series, or one series per slice", "pydicom dicom3tools"),
    "DICOM, enhanced MR": ("many images per file", "pydicom dicom3tools"),
    "DICOM on a medium": ("a folder with a `DICOMDIR`; give the folder or the `DICOMDIR`", "pydicom"),
    "Zip archive": (
        "with any of these files in it, uncompressed or compressed by Deflate (the usual method); nothing is unpacked "
        "to disk",
        "Orthanc",
    ),
    "NIfTI": ("NIfTI-1 or NIfTI-2: {suffixes}; a `.hdr` has its voxels in a `.img` beside it", "nibabel SimpleITK"),
    "MetaImage": ("{suffixes}; an `.mhd` has its voxels in another file of its folder", "SimpleITK"),
    "NRRD": ("{suffixes}; also a sequence of 3D Slicer (`.seq.nrrd`)", "pynrrd SimpleITK"),
}
"""How `predict` and `inspect` take a format, and the programs that it is tested with."""

CINES = """\
A cine is a 4D image. In NIfTI, time is the fourth or the fifth axis; in MetaImage, the fourth. In NRRD, time is the
first or the last axis if the header gives it the kind `list`; otherwise it is the fourth axis. ITK can also store a
cine as a vector image with one component per phase; cardioseg reads this as a cine if there are more than four
components. If the file contains the times of the phases, the charts and `cine.gif` use them. In a sequence of 3D
Slicer, the times are used only if their unit is in the file. Cardiac output and the filling and ejection rates also
need the heart rate, which cardioseg reads from DICOM only.
"""

LABELS = {
    "pairs": (
        "Masks in a table",
        "a CSV file (see the [README](../README.md#train-on-your-own-labels)); images and masks in any volume format "
        "above or PNG; an image can also be a folder with one DICOM cine",
        "numbers (`--labels`), or names if the masks have them",
        "SimpleITK scikit-image",
    ),
    "acdc": ("ACDC", "as published", "by the dataset", PUBLISHED),
    "mnms": ("M&Ms", "as published", "by the dataset (`--labels` only if your copy has other numbers)", PUBLISHED),
    "sunnybrook": ("Sunnybrook", "as published", "by the dataset", PUBLISHED),
    "nnunet": ("nnU-Net raw dataset", "`dataset.json`, `imagesTr/`, `labelsTr/`", "names in `dataset.json`", ""),
    "dicomseg": ("DICOM SEG", "in one folder with its images", "codes, otherwise names", "highdicom dcmqi"),
    "rtstruct": ("DICOM RTSTRUCT", "in one folder with its images", "names", "plastimatch"),
    "cvi42": (
        "cvi42 workspace",
        "`.cvi42wsx`, `.cvi42wsx.zip` or `.xml`, in one folder with its images",
        "names of contours",
        "",
    ),
}
"""By layout: what it is, its files, what says which structure is which, and the programs that it is tested with."""

NAMES = """\
A segmentation of 3D Slicer (`.seg.nrrd`, also with overlapping layers) can be the `mask` of a row in the table, or a
reference of `evaluate`. cardioseg identifies its segments by their codes or names. A name may begin or end with ED or
ES (`LV endo ED`). Segments of ED and segments of ES belong in two files, each with the image of its phase; if both are
drawn on one phase, they are refused.

cardioseg does not guess what a name means. It knows common names, such as `LV endo` and `myocardium`. If your files
contain names that it does not know, write a table and give it with `--structures structures.toml`:

```toml
lv_cavity = ["Endo", "blood pool"]
lv_epicardium = ["Epi"]  # outer outline of the wall: the cavity and the myocardium together
lv_myocardium = ["Muscle"]
rv_cavity = ["RV"]
other = ["Aorta"]  # other structures: left out, without a message
```

Structures whose names are neither in your table nor known are left out, and `ingest` and `evaluate` list these names.
"""

RESULTS = {
    "nifti": ("the mask, 4D for a cine, on the grid of the scan", "nibabel SimpleITK"),
    "dicom-seg": ("the mask at ED and at ES", "dcmqi highdicom monai dicom3tools Orthanc"),
    "dicom-seg-phases": (
        "the mask at each of the remaining phases; `--seg-phases all` is short for `--format "
        "dicom-seg,dicom-seg-phases`",
        "highdicom dicom3tools",
    ),
    "dicom-sr": ("the measures as a structured report", "dcmtk dicom3tools Orthanc"),
    "dicom-sc": ("contact sheet and measures as pictures", "dicom3tools Orthanc"),
    "rtstruct": ("contours at ED and at ES", "plastimatch dicom3tools Orthanc"),
    "seg-nrrd": (
        "for 3D Slicer. For a cine: segmentations at ED and at ES, and the masks of all phases (`.seq.nrrd`). For a "
        "scan with one phase: one segmentation (`mask.seg.nrrd`)",
        "pynrrd SimpleITK",
    ),
}
"""By format: what it holds, and the programs that it is tested with."""

AFTER_RESULTS = """\
`cardioseg ingest DATASET --format nnunet -o OUT` writes a prepared dataset as a raw dataset of nnU-Net. It has the same
folds as `train` if both commands get the same `--folds` and `--seed`.

## Play the mask over the cine

- **3D Slicer**: use `--format seg-nrrd`. Load the cine as a volume sequence, and add `mask.seq.nrrd`: both are
  sequences, and the module Sequences plays them together. `mask_ed.seg.nrrd` and `mask_es.seg.nrrd` open as
  segmentations with names and colours.
- **ITK-SNAP**: open the cine as a 4D image, and load `mask.nii.gz` as its segmentation. Both have the same grid and the
  same phases.
- **OHIF** and other viewers of a PACS: send the objects of `--format dicom-seg` to the PACS; they belong to the study
  of the scan. Each object is a separate series and contains the mask of one phase. `--seg-phases all` writes an object
  for every phase.

## Converters, and programs that read the results

cardioseg reads DICOM itself; you do not need to convert it. If you convert it for another program, check the result.
Each line of this list names a script, which makes test data and shows the problem:
"""


def page() -> str:
    """The whole page."""
    parts = (INTRODUCTION, *_scans(), CINES, *_labels(), NAMES, *_results(), AFTER_RESULTS, *_findings())
    return "\n".join(parts) + "\n"


def _scans() -> Iterator[str]:
    yield "## Scans\n\n`predict` and `inspect` read these files, given alone or anywhere in a folder:\n"
    yield "| Format | Files | Tested with |\n|---|---|---|"
    suffixes = {known.NAME: ", ".join(f"`{suffix}`" for suffix in known.SUFFIXES) for known in volume_files.FORMATS}
    for name, (files, programs) in SCANS.items():
        yield f"| {name} | {files.format(suffixes=suffixes.get(name, ''))} | {_versions(programs)} |"
    yield ""


def _labels() -> Iterator[str]:
    yield "## Labels\n\n`ingest` reads these as training data, and `evaluate` as references:\n"
    yield "| Format | `--layout` of `ingest` | Files | How the structures are identified | Tested with |"
    yield "|---|---|---|---|---|"
    for layout in LAYOUTS:
        title, files, meaning, programs = LABELS[layout.NAME]
        yield f"| {title} | `{layout.NAME}` | {files} | {meaning} | {_versions(programs)} |"
    yield ""


def _results() -> Iterator[str]:
    yield "## Results\n\n`predict` always writes `nifti`. It writes the others if you name them with `--format`:\n"
    yield "| `--format` | Content | Files of a case | Tested with |\n|---|---|---|---|"
    for known in formats.FORMATS:
        content, programs = RESULTS[known.NAME]
        names = ", ".join(f"`{path.name}`" for path in known.files(CaseFolder(Path("case")))) or "one file per phase"
        yield f"| `{known.NAME}` | {content} | {names} | {_versions(programs)} |"
    yield ""


def _findings() -> Iterator[str]:
    """The first sentence of each script, which says what it shows."""
    for path in sorted((ROOT / "findings").glob("*.sh")):
        head = path.read_text(encoding="utf-8").partition("\n#\n")[0]
        sentence = " ".join(re.findall(r"^# (.+)", head, re.MULTILINE)).removesuffix(".")
        yield f"- {sentence} ([{path.name}](../findings/{path.name}))."


def _versions(programs: str) -> str:
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    known = {name.lower(): version for name, version in re.findall(r"^(\S+)==(\S+)$", pins, re.MULTILINE)} | DEBIAN
    if programs in ("", PUBLISHED):
        return programs or "files that the tests write"
    return ", ".join(f"{name} {known.get(name) or known[name.lower()]}" for name in programs.split())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
