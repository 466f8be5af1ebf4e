"""Elements: the value of a tag in a data set. Numbers are read whatever value representation the writer declared.

pydicom decodes a value as its declared representation or, if it cannot, as text. Here the value of a numeric tag is
read as numbers from any text, and from binary numbers if these are declared.
"""

from functools import cache
from typing import Any

from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag
from pydicom.valuerep import STR_VR
from pydicom.values import convert_value

from cardioseg.ingest.dicom.numerals import numbers

_UNNAMED = (None, "UN")
_BINARY = frozenset({"FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"})
_DECIMAL = frozenset({"DS", "IS"})


def look_up(dataset: Dataset, keyword: str) -> Any:  # noqa: ANN401 - whatever a tag holds
    """The value of a tag, or None, as `dataset.get(keyword)` but in half the time.

    Several numbers are a list. A single value that is not a number is the list [None].
    """
    tag, kind = _tag(keyword)
    element = dataset.get_item(tag)
    if not isinstance(element, RawDataElement):
        return element and element.value
    declared = element.VR
    if (kind in _DECIMAL and declared not in _BINARY) or (kind in _BINARY and declared in STR_VR):
        values = numbers((element.value or b"").decode("latin-1"))
        return values if len(values) > 1 or values == [None] else next(iter(values), None)
    return convert_value(kind if declared in _UNNAMED else declared, element)


@cache
def _tag(keyword: str) -> tuple[BaseTag, str]:
    """A keyword's tag and value representation, looked up only once."""
    tag = Tag(keyword)
    return tag, dictionary_VR(tag)
