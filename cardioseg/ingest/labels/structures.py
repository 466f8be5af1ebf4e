"""Structures: what a drawn region shows, by its name. Contours and segments have names; the numbers of masks do not.

No name is guessed: a region whose name is not in the table is left out, and this is said. A table of the user's own:

    lv_cavity = ["Endo", "blood pool"]
    lv_epicardium = ["Epi"]  # the outer outline of the wall: the cavity and the myocardium together
    lv_myocardium = []
    rv_cavity = ["RV"]
    other = ["Aorta"]  # known, and left out without a remark
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from cardioseg.errors import UsageError, reason_of
from cardioseg.files import require_size_below
from cardioseg.image.labels import Convention, Label, convention_of

_FILE_LIMIT_BYTES = 1024**2
_MOMENT = re.compile(r"^e[ds][\W_]+|[\W_]+e[ds]$", re.IGNORECASE)  # `LV endo ED`: a region of one phase
_LONGEST = 40  # characters of a name that are shown


class Structure(Enum):
    """What a region shows. The value is its key in a table."""

    LV_EPICARDIUM = "lv_epicardium"
    LV_MYOCARDIUM = "lv_myocardium"
    RV_CAVITY = "rv_cavity"
    LV_CAVITY = "lv_cavity"
    OTHER = "other"
    BACKGROUND = "background"

    @property
    def title(self) -> str:
        """For people: `LV epicardium`."""
        side, _, part = self.value.partition("_")
        return f"{side.upper()} {part}" if part else side

    @property
    def label(self) -> Label:
        """What its region becomes in a label map; the background if it is left out."""
        if self is Structure.LV_EPICARDIUM:
            return Label.LV_MYOCARDIUM
        return Label.BACKGROUND if self is Structure.OTHER else Label[self.name]


BY_DEFAULT: Mapping[str, Structure] = {
    name: structure
    for structure, names in {
        Structure.LV_CAVITY: "lv lvc lvcavity lvbp lvbloodpool lvendo lvendocardium endo endocardium endocardial "
        "leftventricle leftventricularcavity leftventriclecavity leftventricularbloodpool saendocardialcontour",
        Structure.LV_MYOCARDIUM: "myo myocardium mlv lvm lvmyo myolv lvmyocardium leftventricularmyocardium lvwall "
        "myocardiumofleftventricle leftventriclemyocardium",
        Structure.LV_EPICARDIUM: "lvepi lvepicardium epi epicardium epicardial saepicardialcontour",
        Structure.RV_CAVITY: "rv rvc rvcavity rvbp rvbloodpool rvendo rvendocardium rightventricle "
        "rightventricularcavity rightventriclecavity rightventricularbloodpool sarvendocardialcontour",
        Structure.BACKGROUND: "background bg",
    }.items()
    for name in names.split()
}
"""Normalised name -> structure."""


@dataclass(frozen=True)
class Meaning:
    """What the labels of a source mean, as far as a person says it.

    Attributes:
        numbers: of the numbers in masks; None: as in the layout.
        names: normalised name of a contour or segment -> structure.
    """

    numbers: Convention | None = None
    names: Mapping[str, Structure] | None = None

    def structure(self, name: str) -> Structure | None:
        """The structure that a name stands for, with or without `ED` or `ES`; None if no table has the name."""
        table = {**BY_DEFAULT, **(self.names or {})}
        return table.get(normalised(name)) or table.get(normalised(_MOMENT.sub("", name.strip())))


AS_USUAL = Meaning()


def meaning_of(labels: str | None, structures: Path | None) -> Meaning:
    """What a person says: the name of a convention of numbers, and the path of a table of names.

    Raises:
        UsageError: there is no such convention, or the table cannot be read.
    """
    return Meaning(convention_of(labels), read_structures(structures) if structures else None)


def moment_of(name: str) -> str:
    """`ed` or `es` if a name begins or ends with it, as in `LV endo ED`; else ""."""
    moment = _MOMENT.search(name.strip())
    return normalised(moment.group()) if moment else ""


def normalised(name: str) -> str:
    """A name without case, spaces and punctuation: `LV-Endo` and `lv endo` are the same."""
    return "".join(filter(str.isalnum, name.casefold()))


def listed_names(names: Sequence[str]) -> str:
    """Names for a message: the first three, cut where they are long."""
    shown = ", ".join(repr(name[:_LONGEST]) for name in names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


def read_structures(path: Path) -> Mapping[str, Structure]:
    """Read a table of names, a TOML file; see the head of this module.

    Returns:
        Normalised name -> structure.

    Raises:
        UsageError: it cannot be read, has a key that is no structure, or gives one name to two structures.
    """
    table = _parse(path)
    names: dict[str, Structure] = {}
    for key, listed in table.items():
        structure = _structure_of(path, key)
        if not isinstance(listed, list) or not all(isinstance(name, str) and normalised(name) for name in listed):
            raise UsageError(f"{path}: {key[:_LONGEST]} is not a list of names", f'write {key[:_LONGEST]} = ["Name"]')
        for name in listed:
            if names.setdefault(normalised(name), structure) is not structure:
                raise UsageError(f"{path}: the name {name[:_LONGEST]!r} stands for two structures")
    return names


def _structure_of(path: Path, key: str) -> Structure:
    try:
        return Structure(key)
    except ValueError:
        known = ", ".join(structure.value for structure in Structure)
        raise UsageError(f"{path}: there is no structure {key[:_LONGEST]!r}", f"the structures are {known}") from None


def _parse(path: Path) -> dict[str, Any]:
    try:
        require_size_below(path, _FILE_LIMIT_BYTES)
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {reason_of(error)}") from None
    except (ValueError, RecursionError) as error:
        why = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "it is no text in UTF-8"
        raise UsageError(f"{path} is no valid TOML: {why}") from None
