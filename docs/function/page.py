"""Writes docs/function.md from `segments.json` beside this file: `python docs/function/page.py`. No figure is typed."""

import json
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
PAGE = FOLDER.parent / "function.md"

INTRODUCTION = """\
# Wall thickness and thickening by segment

Written by `python docs/function/page.py` from the measurements of `tests/benchmarks/segments.py` and
`tests/benchmarks/edges.py`; the scripts can be run again. [docs/measures.md](measures.md) defines the segments and how
thickness is measured.
"""


def page(folder: Path = FOLDER) -> str:
    """The whole page."""
    found = json.loads((folder / "segments.json").read_text())
    parts = (
        *(_phantoms(found["phantoms"]), _edges(json.loads((folder / "edges.json").read_text()))),
        *(_unseen_patients(found["unseen patients"]), _second_way(found["second way"])),
        _patients(found["patients"]),
    )
    return "\n".join([INTRODUCTION, *(line for part in parts for line in part)])


def _phantoms(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield "## Phantoms whose wall is known\n"
    yield _paragraph(
        "Each heart has 16 segments. Errors are measured minus true values, over all segments, for thickness at "
        "end-diastole and end-systole. Found: the segment that thickens least is one of the four that do so in truth "
        "(infarct), or the thickest place is in the septum (thick septum)."
    )
    columns = (
        *(
            "masks",
            "heart",
            "hearts",
            "thickness error, mm",
            "largest",
            "share within the limit",
            "thickening error, points",
            "largest",
        ),
        *("share within the limit", "found", "segments without a value"),
    )
    yield from _table(columns, map(_phantom_row, rows))


def _phantom_row(row: dict[str, Any]) -> Sequence[str]:
    thickness, thickening = row["thickness_mm"], row["thickening_points"]
    return (
        *(row["masks"], row["heart"], str(row["hearts"])),
        *_errors(thickness, 2, "mm"),
        *_errors(thickening, 1, "points"),
        "" if row["found"] is None else f"{row['found']} of {row['hearts']}",
        str(row["missing"]),
    )


def _errors(errors: dict[str, float], digits: int, unit: str) -> Sequence[str]:
    return (
        f"{errors['bias']:+z.{digits}f} ± {errors['sd']:.{digits}f}",
        f"{errors['largest']:.{digits}f}",
        f"{100 * errors['share_within']:.1f} % ({errors['limit']:g} {unit})",
    )


def _edges(sources: dict[str, dict[str, dict[str, float]]]) -> Iterator[str]:
    yield "## Where the border of the blood lies\n"
    yield _paragraph(
        "A reader draws the cavity up to where the muscle is dark. So the blood's signal has not yet fallen to a half "
        "at the drawn border, but somewhat inside it, and a network learns that. The phantom is drawn alike: muscle "
        "begins 1 mm inside the known border of a cavity. The table has the distance inside the label at which the "
        "mean signal is half way between muscle and blood. Readers of Sunnybrook drew no outer wall, so muscle is what "
        "lies 2.5 to 4 mm outside their cavity, and includes other tissue."
    )
    borders = list(next(iter(sources.values())))
    rows = ((name, *(_edge(of_border.get(border)) for border in borders)) for name, of_border in sources.items())
    yield from _table(("images", *(f"{border}, mm (slices)" for border in borders)), rows)


def _edge(measured: dict[str, float] | None) -> str:
    return "not drawn" if measured is None else f"{measured['half_mm']:.2f} ({measured['slices']})"


def _unseen_patients(found: dict[str, Any]) -> Iterator[str]:
    yield "## Predicted masks of patients\n"
    thickness, thickening = found["thickness_mm"], found["thickening_points"]
    yield _paragraph(
        f"The networks of `sax_ensemble` were run on the {found['patients']} ACDC patients that they were not trained "
        "on, at end-diastole and end-systole. Errors are values from these masks minus values from the experts' masks, "
        f"over all segments. Thickness: {_in_words(thickness, 2, 'mm')}. Thickening: "
        f"{_in_words(thickening, 1, 'points')}. Segments without a value in one of the two masks: {found['missing']}. "
        "Hypertrophy (HCM) against normal hearts (NOR) by the largest thickness of the predicted masks: AUC "
        f"{found['auc_thickest']:.2f}."
    )


def _in_words(errors: dict[str, float], digits: int, unit: str) -> str:
    mean = _errors(errors, digits, unit)[0]
    return f"{mean} {unit}, {100 * errors['share_within']:.1f} % within {errors['limit']:g} {unit}"


def _second_way(found: dict[str, Any]) -> Iterator[str]:
    yield "## A second way to measure thickness\n"
    yield _paragraph(
        f"On the references of {found['subjects']} ACDC patients, thickness at end-diastole was also measured with the "
        "distance transforms of SciPy: the distance to the cavity plus the distance to the surroundings, in the middle "
        "of the wall. This takes the shortest distances, so it gives smaller values. Distance transforms minus rays, "
        f"over {found['segments']} segments: {found['bias_mm']:+.2f} ± {found['sd_mm']:.2f} mm; "
        f"{100 * found['share_within_1_mm_of_bias']:.1f} % of the segments are within 1 mm of this mean."
    )


def _patients(found: dict[str, Any]) -> Iterator[str]:
    groups = list(found["patients"])
    yield "## Patients\n"
    yield _paragraph(
        f"The experts' masks of {found['dataset']}, by group. The AUC is the probability that a patient of one group "
        "has a larger value than a patient of the other."
    )
    rows = [
        ("patients", *(str(found["patients"][group]) for group in groups)),
        ("mid septum at end-diastole, mm", *(_mean(found["mid_septum_mm"][group]) for group in groups)),
        ("largest thickness, mm", *(_mean(found["thickest_mm"][group]) for group in groups)),
        (
            f"patients with a segment that thickens by less than {found['low_percent']:g} %",
            *(f"{100 * found['share_with_low_segment'][group]:.0f} %" for group in groups),
        ),
        ("such segments per patient", *(f"{found['low_segments'][group]:.1f}" for group in groups)),
    ]
    yield from _table(("", *groups), rows)
    yield (
        f"- Hypertrophy (HCM) against normal hearts (NOR): AUC {found['auc_mid_septum']:.2f} by the mid septum, "
        f"{found['auc_thickest']:.2f} by the largest thickness."
    )
    missing = sum(found["missing_values"].values())
    yield f"- Segments without a value: {missing} of {16 * sum(found['patients'].values())}.\n"
    yield "Thickness at end-diastole in mm / thickening in %, mean of each group:\n"
    segments = (
        (name, *(f"{of_group[group][0]:.1f} / {of_group[group][1]:.0f}" for group in groups))
        for name, of_group in found["segments"].items()
    )
    yield from _table(("segment", *groups), segments)


def _paragraph(text: str) -> str:
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False) + "\n"


def _mean(spread: Sequence[float]) -> str:
    return f"{spread[0]:.1f} ± {spread[1]:.1f}"


def _table(columns: Sequence[str], rows: Iterator[Sequence[str]] | Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
