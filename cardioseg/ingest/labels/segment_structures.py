"""Segment structures: what the segments of a segmentation show, by coded meaning and by name.

Codes: DICOM PS3.16 names the ventricles (CID 7152) and the myocardium of the left one (CID 12305), but no cavity
without its wall. The code of a ventricle therefore says which ventricle, and the name says which part; a segment whose
name is not known is the cavity. A name in the user's own table is stronger than a code.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cardioseg.errors import UnusableError
from cardioseg.ingest.labels.structures import Meaning, Structure, listed_names, moment_of, normalised

Code = tuple[str, str]  # scheme and value

_LEFT = (Structure.LV_CAVITY, Structure.LV_EPICARDIUM, Structure.LV_MYOCARDIUM)
_RIGHT = (Structure.RV_CAVITY,)
_WALL = (Structure.LV_MYOCARDIUM,)
_POSSIBLE: dict[Code, tuple[Structure, ...]] = {
    ("SCT", "87878005"): _LEFT,
    ("SRT", "T-32600"): _LEFT,  # the same codes in SNOMED's old form, which DICOM retired
    ("SCT", "53085002"): _RIGHT,
    ("SRT", "T-32500"): _RIGHT,
    ("SCT", "49848007"): _WALL,
    ("SRT", "T-32620"): _WALL,
    ("SCT", "74281007"): _WALL,  # myocardium of no named ventricle, in SNOMED CT but in no context group of DICOM
}
"""What a code may stand for; the first if the name does not tell."""
_ONE_PHASE_EACH = (
    "save the segments of ED and those of ES in two files, each with the image of its phase; or, if all are of one "
    "phase, leave ED and ES out of the names"
)
NAME_THEM = "rename them, or list the names in a table: --structures structures.toml"


@dataclass(frozen=True)
class Named:
    """A segment's name, and its code, which is ("", "") if it has none."""

    name: str
    code: Code = ("", "")


def structures_of(segments: Sequence[Named], meaning: Meaning) -> list[Structure | None]:
    """The structure of each segment; None if neither its code nor its name tells, or the two contradict each other.

    Several segments with the code of one structure need names that tell them apart.
    """
    names = [meaning.structure(segment.name) for segment in segments]
    codes = [_POSSIBLE.get(segment.code, ()) for segment in segments]
    coded = Counter(codes[place][0] for place, name in enumerate(names) if name is None and codes[place])
    coded.update(name for name in names if name is not None)
    return [
        _structure(segment, name, possible, meaning, is_only=bool(possible) and coded[possible[0]] == 1)
        for segment, name, possible in zip(segments, names, codes, strict=True)
    ]


def _structure(
    segment: Named, name: Structure | None, possible: Sequence[Structure], meaning: Meaning, *, is_only: bool
) -> Structure | None:
    if not possible or normalised(segment.name) in (meaning.names or {}):
        return name
    if name is None:
        return possible[0] if is_only else None
    return name if name in possible else None


def require_one_moment(drawn: Mapping[str, Structure]) -> None:
    """Refuse segments of ED and of ES that are drawn on one phase: together they are the structure at neither.

    Args:
        drawn: the structures of segments by their names, those alone that draw something on one phase.

    Raises:
        UnusableError: some names say ED and some say ES, or of the names of one structure only some say either.
    """
    stated = {name: structure for name, structure in drawn.items() if moment_of(name)}
    mixed = [name for name, structure in drawn.items() if name in stated or structure in stated.values()]
    if len({moment_of(name) for name in mixed}) > 1:
        raise UnusableError(f"its segments {listed_names(mixed)} are drawn on one phase", _ONE_PHASE_EACH)


def unknown_remark(names: Sequence[str]) -> str:
    """What to say of segments that are left out; "" if there are none."""
    what = f"segments {listed_names(names)}, which are left out" if len(names) > 1 else ""
    what = what or (f"segment {listed_names(names)}, which is left out" if names else "")
    return f"nothing says what structure is shown by the {what} ({NAME_THEM})" if what else ""
