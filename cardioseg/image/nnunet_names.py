"""nnU-Net's file names: `<case>_0000.nii.gz` for the first channel of a case, `_0001` for the next.

Isensee et al., Nat Methods 2021;18:203; nnU-Net's documentation, dataset_format.md.
"""

import re
from pathlib import Path

from cardioseg.archive.member_paths import archive_of, entries, is_file
from cardioseg.image.ed_es_pair import is_card
from cardioseg.image.volume_files import is_volume_file, stem

_CHANNEL = re.compile(r"(?P<case>.+)_(?P<number>\d{4})")
_FOLDERS = ("imagestr", "imagests", "imagesval")
_FIRST = "_0000"
_MOST = 4  # channels; more files are more likely the phases of a film


def case_stem(path: Path) -> str:
    """The name of a volume file's case: its stem without `_0000`, unless this is the number of a film's phase.

    A card of ED and ES is named after its folder.
    """
    name = path.absolute().parent.name if is_card(path) else stem(path)
    if not name.endswith(_FIRST) or len(name) == len(_FIRST):
        return name
    case = name.removesuffix(_FIRST)
    return case if _is_nnunet(path) or len(_channels(path, case)) <= _MOST else name


def other_channel(path: Path) -> str:
    """A message for a file that is a further channel of a case; "" for all other files."""
    match = _CHANNEL.fullmatch(stem(path))
    if not match or int(match["number"]) == 0:
        return ""
    channels = _channels(path, match["case"])
    if match["case"] + _FIRST not in channels or not (_is_nnunet(path) or len(channels) <= _MOST):
        return ""
    return (
        f"channel {int(match['number'])} of {match['case']}, of which only channel 0 is segmented: "
        "cardioseg reads one channel; to segment this channel, give the file alone"
    )


def _is_nnunet(path: Path) -> bool:
    folder = path.absolute().parent
    return folder.name.lower() in _FOLDERS or is_file(folder.parent / "dataset.json")


def _channels(path: Path, case: str) -> set[str]:
    """The stems in the file's folder that are the case's name with a channel number."""
    folder = path.absolute().parent
    pattern = f"{_escaped(case)}_[0-9][0-9][0-9][0-9].*"
    siblings = (
        [file for file in entries(folder)[1] if file.match(pattern)] if archive_of(folder) else folder.glob(pattern)
    )
    return {stem(sibling) for sibling in siblings if is_volume_file(sibling) and _CHANNEL.fullmatch(stem(sibling))}


def _escaped(name: str) -> str:
    """The name as a literal part of a glob pattern."""
    return re.sub(r"([*?[])", r"[\1]", name)
