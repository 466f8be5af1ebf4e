"""Writes docs/measures.md: `python docs/measures/page.py`. The rows of the columns come from the code.

The rows of the flags are written here; a test compares their names with those in the code.
"""

from collections.abc import Iterator
from pathlib import Path

from cardioseg.measure.coverage import APEX_PERCENT, BASE_PERCENT
from cardioseg.measure.quality import (
    FOLDS_EDV_PERCENT,
    FOLDS_EF_POINTS,
    GAP_PERCENT,
    JUMP_PERCENT,
    STEP_MM,
    STROKE_PERCENT,
)
from cardioseg.measure.quantities import CASE_COLUMNS, QUANTITIES
from cardioseg.measure.quantity import Quantity
from cardioseg.measure.reference_values import FEMALE, MALE, REFERENCE_VALUES, STUDY, ReferenceValue
from cardioseg.measure.shape import ISLAND_MM2, ISLAND_PERCENT, OPEN_PERCENT
from cardioseg.measure.wall_measures import SEGMENT_COLUMNS

PAGE = Path(__file__).parents[1] / "measures.md"

INTRODUCTION = """\
# The columns of measures.csv

Written by `python docs/measures/page.py` from the list of measures in the code.

`measures.csv` has one row per case and these columns, in this order. An empty cell means "not known", never zero.
Slices and phases are counted from 0. Numbers are rounded to 0.01. A volume is the sum of the areas times the distance
from slice to slice; the areas of a missing slice are interpolated from the neighbouring slices. A value outside the
range of the fourth column is kept, but flagged (`implausible value`), because hardly any living patient has such a
value. The last column has the code of the measure in DICOM PS3.16, where there is one (DCM is DICOM, LN is LOINC, SCT
is SNOMED CT).
"""


SEGMENTS = """\
# The columns of segments.csv

`segments.csv` has one row for each of the 16 AHA segments of each case (Cerqueira et al., Circulation 2002;105:539).
The 17th segment, the apical cap, is not in a short-axis stack.

- Slices: those with a wall around the LV cavity at end-diastole, divided into basal, mid and apical thirds. A slice has
  a wall if more than half of the rays from its centre meet one. If end-systole is known, a segment is measured on the
  slices that have a wall at both phases.
- Borders: the septum lies between the two insertion points of the RV, where the RV, the wall and the surroundings meet
  at end-diastole. In basal and mid slices, its halves are the two septal segments, and the rest of the wall is divided
  into four equal segments. In apical slices, the four segments are quarters; the septal one is centred on the septum.
  Slices that the RV does not reach have the borders of the nearest slice that it reaches.
- Thickness: along the normal of the midline of the wall, on rays every 3 degrees from the centre of the cavity, at
  borders that are interpolated between pixels. Papillary muscles belong to the cavity. Pieces of the mask that are not
  connected to the ventricle in a slice are left out here and in strain; volumes and mass count them.
- Anterior and inferior: from the position of the stack in the patient. If the file does not say it, cardioseg assumes
  that the images are shown as usual: seen from the apex, with the RV on the left.

In basal slices, the heart moves through the slice with the beat, and the wall is open at the outflow tract. There,
thickening is often low, or negative, in normal hearts too ([function.md](function.md) shows it by group).

A case has no rows if its model does not segment both the LV cavity and the myocardium.
"""


REFERENCES = f"""\
# Reference values

With `--reference-values`, the measures of a patient whose sex and age are known are compared with those of healthy
people of the same sex: {STUDY.subjects}, {STUDY.ages} years ({STUDY.citation},
doi {STUDY.doi}). Convention: {STUDY.convention}, as here. Patients of another age have no
reference values. The values of ejection fraction and mass are from the abstract of the study. The others are from
public code that quotes its tables; check them before you publish results that rest on them.

The z-score of a measure is (value - mean) / SD. Limits are those between which 95 % of healthy people lie. They are
printed in the study (women's volumes and ejection fraction), or they are mean ± 1.96 SD (all others, marked with \\*).
A measure without a row has no reference values: the RV of men, the ejection fraction of the RV, and the wall.
"""


STRAIN = """\
# Strain

`measures.json` contains four strain curves of the LV (`wall`, `strain`): a value for each phase, in percent of
end-diastole. `measures.csv` contains their peaks.

- Circumferential strain is the change of the length of a contour of the wall: of its inner contour (`endo`), the line
  in the middle (`mid`) or its outer contour (`epi`).
- Radial strain (`radial`) is the change of the mean thickness of the wall.
- The lengths or thicknesses of all slices that have a wall at every phase are added up, and compared with those at
  end-diastole.
- This strain is geometric: it compares the masks of two phases, and tracks no tissue. Compare it with strain from
  tagging or feature tracking only with care.
"""

FLAG_INTRODUCTION = """\
# Flags

A flag changes no mask, no volume and no ejection fraction. Some findings also leave out values that rest on them; the
table says which. `measures.json` gives its reason, with the value and its limit if there is one, and its
slices and phases; `cardioseg review` shows the place. "Correct the mask" means: see
[Choose the phases, correct the masks](../README.md#choose-the-phases-correct-the-masks).
"""

_CONVERTED = "compare the position of the scan with the original DICOM; convert it again, or use the DICOM"
_EXPORTED = "check whether files are missing; if so, export the scan again"
_REPEATED = "look at the pictures; to use another acquisition, remove the images of the newer one from the folder"
_PLAYED = "play the cine, and check the order of the phases and ED and ES"
_LOOKED = "look at the mask; correct it if it is wrong"
FLAGS = {
    "missing slice": (
        "a slice of the stack has no image; its mask is empty, and its areas are interpolated for the volumes",
        _EXPORTED,
    ),
    "surplus slice": (
        "a slice lies between two slices of a regular stack, or too near to its end; it is left out",
        "check whether the slices that are used show the heart well",
    ),
    "missing phase": ("a slice lacks a phase; the nearest phase is used", _EXPORTED),
    "surplus phase": ("a slice has more phases than the others; the extra phases are left out", _PLAYED),
    "repeated slice": ("a slice was acquired more than once; one acquisition is used", _REPEATED),
    "repeated stack": ("all slices were acquired more than once; one acquisition is used", _REPEATED),
    "slices not joined": (
        "another series of the study continues the stack, or shows a missing slice, and cannot be joined with it",
        "read the reason; if the case lacks slices of the heart, do not use the volumes",
    ),
    "unused repeat": (
        "a slice was acquired again as another series, which is not used",
        "read the reason; correct the mask if the first images of the slice are poor",
    ),
    "stray image": ("images of the series do not belong to the cine and are left out", "see their list in `run.json`"),
    "phases ordered by number": ("no time gives the order of the phases, only the image numbers", _PLAYED),
    "uneven phase times": ("phases may be missing, or two acquisitions may be mixed", _PLAYED),
    "phase times differ": (
        "a slice was acquired at other times of the beat than the other slices",
        "read the reason; if the volumes mix moments of the beat, do not use the ejection fraction",
    ),
    "not gated": (
        "the images of a slice are not those of one beat: the header says so, or they cover more than a beat",
        "play the cine: if slices contract at different phases, do not use the volumes and the ejection fraction",
    ),
    "qform and sform differ": ("a NIfTI header states two positions; one is used, as in ITK", _CONVERTED),
    "two spacings": ("a NIfTI header states two voxel sizes; one is used, as in ITK", _CONVERTED),
    "axes not perpendicular": ("the axes of the file are up to one degree off a right angle", _CONVERTED),
    "plane unknown": ("the file may have lost its orientation", "check that it shows short axes"),
    "label or probability map": ("nearly all values are 0 or 1", "check that the file is a scan"),
    "single-slice cine": ("one slice does not cover a ventricle", "do not use the volumes"),
    "cine of too few slices": ("the slices do not cover a ventricle", "do not use the volumes"),
    "slices far apart": (
        f"it is more than {STEP_MM:g} mm from slice to slice",
        "expect larger errors of the volumes",
    ),
    "gaps between slices": (
        f"gaps are more than {GAP_PERCENT:g} % of the distance from slice to slice",
        "expect larger errors of the volumes",
    ),
    "heart rates differ": (
        "heart rate and RR interval differ by more than 20 %; cardiac output, rates and time to ES are left out",
        "check the tags HeartRate and NominalInterval",
    ),
    "less than a beat": (
        "the phases cover less than 80 % of a beat; cardiac output, rates and time to ES are left out",
        "check whether phases are missing, and whether the largest volume is end-diastole",
    ),
    "more than a beat": (
        "the phases cover more than 120 % of a beat; cardiac output, rates and time to ES are left out",
        "play the cine: if it shows several beats, ED and ES may be of different beats",
    ),
    "slices out of step": (
        "the LV grows in one middle slice while it shrinks in the others; the volumes may mix moments of the beat",
        "play the cine: if slices contract at different phases, do not use the volumes and the ejection fraction",
    ),
    "no LV cavity": ("the mask has no LV cavity at some or all phases", _LOOKED),
    "no LV myocardium": ("the mask has no LV myocardium at some or all phases", _LOOKED),
    "no RV cavity": ("the mask has no RV cavity at some or all phases", _LOOKED),
    "slice extent": ("a ventricle is very short or long, or is missing in a slice within it", _LOOKED),
    "apex not covered": (
        f"in the most apical slice, a ventricle still has more than {APEX_PERCENT:g} % of its largest area",
        "check whether the stack ends too soon",
    ),
    "base not covered": (
        f"at ES, every ventricle has more than {BASE_PERCENT:g} % of its largest area in the most basal slice; ED is "
        "not checked",
        "check whether the stack begins too low; the volumes are then too small",
    ),
    "myocardium without a cavity": ("a slice that is not the apex has myocardium, but no LV cavity", _LOOKED),
    "open ring": (
        f"more than {OPEN_PERCENT:g} % of the outline of the LV cavity has no myocardium next to it",
        _LOOKED,
    ),
    "several components": (
        f"in a slice, more than {ISLAND_PERCENT:g} % and {ISLAND_MM2:g} mm² of a structure are not connected to its "
        "largest part",
        _LOOKED,
    ),
    "touches the border": ("a structure lies on the edge of the image", "check whether the heart is cut off"),
    "volume jump": (
        f"a volume is more than {JUMP_PERCENT:g} % of the largest one off the mean of the phases before and after",
        _LOOKED,
    ),
    "stroke volumes differ": (
        f"the stroke volumes of LV and RV differ by more than {STROKE_PERCENT:g} % of the larger one",
        "look at both masks in basal slices; a leaking valve or a shunt is another cause",
    ),
    "implausible value": (
        "a measure, or the height, weight or heart rate, is outside the range of living patients; if height or "
        "weight is, values per body surface area are left out",
        "look at the mask and at ED and ES; correct height or weight with `--patients`",
    ),
    "folds disagree": (
        f"the networks of an ensemble differ by a standard deviation of more than {FOLDS_EF_POINTS:g} points of EF or "
        f"{FOLDS_EDV_PERCENT:g} % of EDV",
        _LOOKED,
    ),
}
"""By the name of a flag: what was found, and what to do."""


def page() -> str:
    """The whole page."""
    references, segments = (REFERENCES, *_reference_table()), (SEGMENTS, *_segment_table())
    return "\n".join([INTRODUCTION, *_table(), *references, *segments, STRAIN, FLAG_INTRODUCTION, *_flag_table()])


def _flag_table() -> Iterator[str]:
    yield "| flag | what was found | what to do |"
    yield "|---|---|---|"
    yield from (f"| `{kind}` | {found} | {to_do} |" for kind, (found, to_do) in FLAGS.items())
    yield ""


def _reference_table() -> Iterator[str]:
    yield "| measure | unit | women, mean ± SD | women, limits | men, mean ± SD | men, limits |"
    yield "|---|---|---|---|---|---|"
    for key in REFERENCE_VALUES[FEMALE]:
        of_sexes = (cell for sex in (FEMALE, MALE) for cell in _reference_cells(REFERENCE_VALUES[sex].get(key)))
        yield f"| {QUANTITIES[key].caption} | {QUANTITIES[key].unit} | {' | '.join(of_sexes)} |"
    yield ""


def _reference_cells(reference: ReferenceValue | None) -> tuple[str, str]:
    if reference is None:
        return "", ""
    mean = "" if reference.mean is None else f"{reference.mean:g} ± {reference.sd:g}"
    limits = f"{round(reference.limits.low, 1):g} to {round(reference.limits.high, 1):g}"
    return mean, limits if reference.printed else f"{limits} \\*"


def _table() -> Iterator[str]:
    yield "| column | unit | meaning | flagged outside | code |"
    yield "|---|---|---|---|---|"
    yield from (f"| `{name}` |  | {meaning} |  |  |" for name, meaning in CASE_COLUMNS.items())
    yield from map(_row, QUANTITIES.values())
    yield ""


def _segment_table() -> Iterator[str]:
    yield "| column | meaning |"
    yield "|---|---|"
    yield from (f"| `{name}` | {meaning} |" for name, meaning in SEGMENT_COLUMNS.items())
    yield ""


def _row(quantity: Quantity) -> str:
    cells = (f"`{quantity.key}`", quantity.unit, quantity.meaning, str(quantity.bounds or ""), quantity.code)
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
