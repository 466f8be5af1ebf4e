"""nnU-Net dataset.json: the file, which states the meaning of the numbers in its masks.

nnU-Net's first version wrote `"labels": {"1": "LV"}`, its second writes `{"LV": 1}`; both are read.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cardioseg.errors import NoInputError, reason_of
from cardioseg.image.labels import Convention, Label
from cardioseg.ingest.labels.structures import AS_USUAL, Meaning, Structure

CARD = "dataset.json"
_GIVE = "--labels acdc or --labels mnms says what the numbers mean"
_NAME = f"{_GIVE}; a table for --structures says what the names mean, with `other` for what is to be left out"
_MASKS = re.compile("labels.*|gt_segmentations", re.IGNORECASE)  # nnU-Net's folders whose card lies above them
_IGNORE = "ignore"  # nnU-Net's name for pixels without a reference; documentation, ignore_label.md
_DIGITS = 5  # of a number in a mask
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


def convention_of_card(path: Path, card: Mapping[str, Any], meaning: Meaning = AS_USUAL) -> Convention:
    """The meaning of the numbers of a card.

    Args:
        path: of the card, for messages.
        card: as `read_card` returns it.
        meaning: of the names.

    Raises:
        NoInputError: a name is not a known structure, or two names or numbers contradict each other.
    """
    convention: dict[int, Label] = {}
    for name, number in sorted(_names_and_numbers(card["labels"]), key=lambda pair: isinstance(pair[1], list)):
        if name == _IGNORE:
            continue
        structure = meaning.structure(name)
        convention |= _told_by_region(convention, number, structure)
        if _is_named_region(convention, number):
            continue
        if why := _contradiction(number, structure, convention):
            raise NoInputError(f"{path}: label {str(number)[:_LONGEST]} is called {name!r}, {why}", _NAME)
        if structure is not None:
            convention[int(number)] = structure.label
    return {0: Label.BACKGROUND} | convention


def _told_by_region(convention: Convention, region: Any, structure: Structure | None) -> dict[int, Label]:  # noqa: ANN401 - JSON
    """What a region says of a number without a name: beside the LV cavity, the epicardium's is the myocardium."""
    if structure is not Structure.LV_EPICARDIUM or not _is_region(region):
        return {}
    unnamed = [number for number in region if number not in convention]
    named = [convention[number] for number in region if number in convention]
    return {unnamed[0]: Label.LV_MYOCARDIUM} if named == [Label.LV_CAVITY] and len(unnamed) == 1 else {}


def _is_named_region(convention: Convention, region: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether a label is a region of numbers that all have a meaning."""
    return _is_region(region) and all(number in convention for number in region)


def _is_region(number: Any) -> bool:  # noqa: ANN401 - JSON
    return isinstance(number, list) and all(isinstance(part, int) for part in number)


def ignored_number(path: Path, card: Mapping[str, Any]) -> int | None:
    """The number of pixels without a reference; None if there are none.

    Raises:
        NoInputError: it is not a number of its own.
    """
    labels = list(_names_and_numbers(card["labels"]))
    ignored = [str(number) for name, number in labels if name == _IGNORE]
    others = [str(number) for name, number in labels if name != _IGNORE]
    if not ignored:
        return None
    number = ignored[0]
    if len(ignored) > 1 or number in {"0", *others} or not number.isdecimal() or len(number) > _DIGITS:
        raise NoInputError(f"{path}: its label {_IGNORE!r} has no number of its own", "give it the highest number")
    return int(number)


def _contradiction(number: Any, structure: Structure | None, convention: Convention) -> str:  # noqa: ANN401 - JSON
    """Why a name and its number are invalid or contradict earlier ones; "" if they do not."""
    if isinstance(number, list):
        return "a region of several numbers; cardioseg needs one number for each structure"
    if structure in (None, Structure.LV_EPICARDIUM) or not str(number).isdecimal():
        return "which does not tell what structure it is"
    label = structure.label
    if label is not Label.BACKGROUND and label in convention.values():
        return f"but another label is the {label.title} already"
    if int(number) in convention:
        return f"but it is the {convention[int(number)].title} already"
    if (structure is Structure.BACKGROUND) != (int(number) == 0):
        return "but 0 is the background"
    return ""


def stated_convention(masks: Path, option: str = "--labels", meaning: Meaning = AS_USUAL) -> Convention | None:
    """The convention stated by nnU-Net's card in a folder of masks, or above it if it is one of nnU-Net's folders.

    Args:
        masks: the folder, or one of its files.
        option: the command line option that replaces the card.
        meaning: of the names in the card.

    Returns:
        The meaning of the numbers; None if there is no card.

    Raises:
        NoInputError: there is a card, but it does not state the meaning.
    """
    folder = masks.absolute().parent if masks.is_file() else masks.absolute()
    places = (folder, folder.parent) if _MASKS.fullmatch(folder.name) else (folder,)
    path = next((place / CARD for place in places if (place / CARD).exists()), None)
    try:
        return None if path is None else convention_of_card(path, read_card(path), meaning)
    except NoInputError as error:
        hint = error.hint if option == "--labels" else _GIVE.replace("--labels", option)
        raise NoInputError(error.message, hint) from None


def _parse(path: Path) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_object)
    except OSError as error:
        raise NoInputError(f"{path} cannot be read: {reason_of(error)}") from None
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
