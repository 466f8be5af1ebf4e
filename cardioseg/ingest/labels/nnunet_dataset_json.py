"""nnU-Net dataset.json: the file, which states the meaning of the numbers in its masks.

nnU-Net's first version wrote `"labels": {"1": "LV"}`, its second writes `{"LV": 1}`; both are read.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cardioseg.errors import NoInputError
from cardioseg.image.labels import Label
from cardioseg.ingest.labels.drawn_labels import Convention

CARD = "dataset.json"
_GIVE = "--labels acdc or --labels mnms says what the numbers mean"
_MASKS = re.compile("labels.*|gt_segmentations", re.IGNORECASE)  # nnU-Net's folders whose card lies above them
_NAMES = {
    Label.BACKGROUND: "background bg",
    Label.RV_CAVITY: "rv rvc rvcavity rvbp rvbloodpool rightventricle rightventricularcavity rightventriclecavity",
    Label.LV_MYOCARDIUM: "myo myocardium mlv lvm lvmyo myolv lvmyocardium leftventricularmyocardium lvwall",
    Label.LV_CAVITY: "lv lvc lvcavity lvbp lvbloodpool leftventricle leftventricularcavity leftventriclecavity",
}
_MEANING = {name: label for label, names in _NAMES.items() for name in names.split()}
_LONGEST = 40  # characters of a name that are shown


class _TwiceError(ValueError):
    """A key occurs twice in one object of the file."""


def read_card(path: Path) -> dict[str, Any]:
    """Read a `dataset.json` whose `labels` name structures.

    Raises:
        NoInputError: it cannot be read, or names no structures.
    """
    card = _parse(path)
    if isinstance(card, dict) and "labels" in card and not isinstance(card["labels"], dict):
        raise NoInputError(f'{path}: its "labels" are no names with numbers, as in {{"LV": 1}}', _GIVE)
    if not isinstance(card, dict) or len(card.get("labels", ())) < 2:
        raise NoInputError(f"{path} names no structure besides the background", _GIVE)
    return card


def meaning_of(path: Path, card: Mapping[str, Any]) -> Convention:
    """The meaning of the numbers of a card; `path` is its path.

    Raises:
        NoInputError: a name is not a known structure, or two names or numbers contradict each other.
    """
    meaning: dict[int, Label] = {}
    for name, number in _names_and_numbers(card["labels"]):
        label = _MEANING.get(re.sub(r"[^a-z]", "", name.lower()))
        if why := _contradiction(number, label, meaning):
            raise NoInputError(f"{path}: label {str(number)[:_LONGEST]} is called {name!r}, {why}", _GIVE)
        if label is not None:
            meaning[int(number)] = label
    return {0: Label.BACKGROUND} | meaning


def _contradiction(number: Any, label: Label | None, meaning: Convention) -> str:  # noqa: ANN401 - JSON
    """Why a name and its number are invalid or contradict earlier ones; "" if they do not."""
    if isinstance(number, list):
        return "a region of several numbers; cardioseg needs one number for each structure"
    if label is None or not str(number).isdecimal():
        return "which does not tell what structure it is"
    if label in meaning.values():
        return f"but another label is the {label.title} already"
    if int(number) in meaning:
        return f"but it is the {meaning[int(number)].title} already"
    if (label is Label.BACKGROUND) != (int(number) == 0):
        return "but 0 is the background"
    return ""


def stated_convention(masks: Path, option: str = "--labels") -> Convention | None:
    """The convention stated by nnU-Net's card in a folder of masks, or above it if it is one of nnU-Net's folders.

    Args:
        masks: the folder, or one of its files.
        option: the command line option that replaces the card.

    Returns:
        The meaning of the numbers; None if there is no card.

    Raises:
        NoInputError: there is a card, but it does not state the meaning.
    """
    folder = masks.absolute().parent if masks.is_file() else masks.absolute()
    places = (folder, folder.parent) if _MASKS.fullmatch(folder.name) else (folder,)
    path = next((place / CARD for place in places if (place / CARD).exists()), None)
    try:
        return None if path is None else meaning_of(path, read_card(path))
    except NoInputError as error:
        raise NoInputError(error.message, _GIVE.replace("--labels", option)) from None


def _parse(path: Path) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_object)
    except OSError as error:
        raise NoInputError(f"{path} cannot be read: {(error.strerror or 'unknown error').lower()}") from None
    except json.JSONDecodeError as error:
        place = f"from line {error.lineno}, column {error.colno}, on"
        raise NoInputError(f"{path} is broken: it is no valid JSON {place}", _GIVE) from None
    except _TwiceError as error:
        raise NoInputError(f"{path} contradicts itself: it has {error} twice", _GIVE) from None
    except (ValueError, RecursionError):
        raise NoInputError(f"{path} is broken: it is no valid JSON", _GIVE) from None


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise _TwiceError(repr(key[:_LONGEST]))
        result[key] = value
    return result


def _names_and_numbers(labels: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Names and numbers, whichever of the two is the key."""
    for key, value in labels.items():
        name, number = (value, key) if key.isdecimal() else (key, value)
        yield str(name)[:_LONGEST], number
