"""Writes docs/measures.md from the code's own table of measures: `python docs/measures/page.py`. No row is typed."""

from collections.abc import Iterator
from pathlib import Path

from cardioseg.measure.quantities import CASE_COLUMNS, QUANTITIES
from cardioseg.measure.quantity import Quantity
from cardioseg.measure.reference_values import FEMALE, MALE, REFERENCE_VALUES, STUDY, ReferenceValue
from cardioseg.measure.wall_measures import SEGMENT_COLUMNS

PAGE = Path(__file__).parents[1] / "measures.md"

INTRODUCTION = """\
# The columns of measures.csv

Written by `python docs/measures/page.py` from the list of measures in the code.

`measures.csv` has one row per case and these columns, in this order. An empty cell means "not known", never zero.
Slices and phases are counted from 0. Numbers are rounded to 0.01. A volume is the sum of the areas times the distance
from slice to slice. A value outside the range of the fourth column is kept, but flagged (`implausible value`), because
hardly any living patient has such a value. The last column has the code of the measure in DICOM PS3.16, where there is
one (DCM is DICOM, LN is LOINC, SCT is SNOMED CT).
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
  borders that are interpolated between pixels. Papillary muscles belong to the cavity.
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


def page() -> str:
    """The whole page."""
    return "\n".join([INTRODUCTION, *_table(), REFERENCES, *_reference_table(), SEGMENTS, *_segment_table()])


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
