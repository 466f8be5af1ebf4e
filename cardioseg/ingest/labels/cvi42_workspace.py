"""cvi42 workspace: the contours in the XML that cvi42 (Circle Cardiovascular Imaging) exports.

The format is not documented by its maker. Public readers agree on this structure (`ukbb_cardiac`'s
`parse_cvi42_xml.py`, `CMR-imageDataAlignment`'s `analyzeXML.m`, Gerardus' `getCMR42Contours.m`, OpenEP-py's
`_circle_cvi.py`): items with keys, nested as

    StudyMapStates > ImageStates > SOP instance UID > Contours > name > Points (x, y), SubpixelResolution

A second contour of a name on an image has four digits after its name. Points count sub-pixels. Divided by the
resolution they are columns and rows from 0; a whole number is the centre of a pixel: `ukbb_cardiac` fills them so, and
`CMR-imageDataAlignment` adds the position of the first pixel's centre to them. No public source confirms it with
cvi42's own numbers. If it were the corner of a pixel, masks would lie half a pixel from where they were drawn; their
areas would be the same. OpenEP-py reads the same points as sub-pixels from 1.

Python's expat parser reads the file in pieces. It expands no entities here, because a document type is refused; this is
also what `defusedxml` does.
"""

import re
from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from math import nan
from pathlib import Path
from typing import BinaryIO
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

from cardioseg.archive.member_paths import open_file
from cardioseg.archive.zip_contents import read_contents
from cardioseg.archive.zip_member import read_member
from cardioseg.errors import UnusableError, reason_of
from cardioseg.ingest.dicom.numerals import number

SUFFIX, ZIPPED_SUFFIX, BINARY_SUFFIX = ".cvi42wsx", ".cvi42wsx.zip", ".cvi42ws"
NAMESPACE = b"circlecvi.com/cvi42/Workspace"
HEAD_BYTES = 4096

_LIMIT_BYTES = 256 * 1024**2  # unpacked; a study takes some 10 MB
_PIECE_BYTES = 64 * 1024
_TOKEN_BYTES = 2**20  # expat keeps an unfinished tag in memory
_DEPTH, _NUMBER_CHARACTERS, _POINTS = 64, 100, 5_000_000
_COUNTED = re.compile(r"(?<=\D)\d{4}$")


@dataclass(frozen=True, eq=False)
class Cvi42Contour:
    """One contour on one image.

    Attributes:
        name: as cvi42 calls it, such as `saendocardialContour`; without the number of a second one.
        points: (point, 2) row and column, fractional, 0 at the centre of the first pixel.
        problem: why the points cannot be used; "" if they can.
    """

    name: str
    points: NDArray[np.float64] = field(repr=False)
    problem: str = ""


def read_workspace(path: Path) -> Mapping[str, Sequence[Cvi42Contour]]:
    """Read the contours of a workspace in XML, or of those in a file `.cvi42wsx.zip`.

    Returns:
        SOP instance UID -> contours on the image.

    Raises:
        UnusableError: it is no such workspace, is damaged or too large, or has no contours.
    """
    reader = _Reader()
    try:
        for file in _opened(path):
            with file:
                _parse(file, reader)
    except UnusableError as error:
        raise UnusableError(f"{path}: {error.message.removeprefix(f'{path}: ')}", error.hint) from None
    except (expat.ExpatError, LookupError, ValueError):  # the latter two for encodings
        raise UnusableError(f"{path}: damaged, no valid XML") from None
    except OSError as error:
        raise UnusableError(f"{path}: cannot be read: {reason_of(error)}") from None
    if not reader.contours:
        raise UnusableError(f"{path}: a workspace without contours")
    return reader.contours


def _opened(path: Path) -> Iterator[BinaryIO]:
    """The file; or the workspaces in it, if it is a zip file."""
    if not path.name.lower().endswith(ZIPPED_SUFFIX):
        yield open_file(path)
        return
    members = [member for name, member in read_contents(path).members.items() if name.lower().endswith(SUFFIX)]
    if not members:
        raise UnusableError(f"a zip file without a workspace (*{SUFFIX})")
    for member in members:
        yield BytesIO(read_member(path, member))


def _parse(file: BinaryIO, reader: "_Reader") -> None:
    """Give a file to expat in pieces; stop before expat or the reader keeps too much."""
    parser, size = expat.ParserCreate(), 0
    parser.StartDoctypeDeclHandler = _refuse_document_type
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.text
    while piece := file.read(_PIECE_BYTES):
        size += len(piece)
        reader.allow(len(piece))
        parser.Parse(piece, False)
        if size - parser.CurrentByteIndex > _TOKEN_BYTES:
            raise UnusableError("a tag in it is too long")
    parser.Parse(b"", True)


def _refuse_document_type(*_: object) -> None:
    raise UnusableError("its XML has a document type, which no workspace has")


class _Reader:
    """Follows the keys of nested items; keeps the points and the resolution of each contour.

    Attributes:
        contours: SOP instance UID -> contours on the image.
    """

    def __init__(self) -> None:
        self.contours: dict[str, list[Cvi42Contour]] = defaultdict(list)
        self._path: list[str] = []  # the key of each open item, or the name of an element without a key
        self._below = 0  # depth of the open contour; 0 if none is open
        self._text = ""
        self._xy = array("d")
        self._resolution: float | None = None
        self._bytes_left, self._coordinates_left = _LIMIT_BYTES, 2 * _POINTS

    def allow(self, size: int) -> None:
        self._bytes_left -= size
        if self._bytes_left < 0:
            raise UnusableError(f"larger than {_LIMIT_BYTES // 1024**2} MiB")

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        key = next((value for word, value in attributes.items() if word.rpartition(":")[2] == "key"), None)
        self._path.append(name.rpartition(":")[2] if key is None else key)
        if len(self._path) > _DEPTH:
            raise UnusableError("its XML is nested too deeply")
        if not self._below and self._path[-4:-3] == ["ImageStates"] and self._path[-2] == "Contours":
            self._below, self._xy, self._resolution = len(self._path), array("d"), None
        self._text = ""

    def text(self, text: str) -> None:
        if self._below:
            self._text = (self._text + text)[:_NUMBER_CHARACTERS]

    def end(self, _name: str) -> None:
        inside = self._path[self._below :] if self._below else []
        if inside == ["SubpixelResolution"]:
            self._resolution = number(self._text)
        elif inside[:1] == ["Points"] and inside[-1] in ("x", "y"):
            self._keep_coordinate(number(self._text))
        elif self._below == len(self._path):
            self._below = 0
            self.contours[self._path[-3]].append(self._contour(self._path[-1]))
        self._text = ""
        self._path.pop()

    def _keep_coordinate(self, value: float | None) -> None:
        self._coordinates_left -= 1
        if self._coordinates_left < 0:
            raise UnusableError(f"its contours have more than {_POINTS // 1_000_000} million points")
        self._xy.append(nan if value is None else value)

    def _contour(self, name: str) -> Cvi42Contour:
        xy = np.array(self._xy, np.float64)
        problem = ""
        if not self._resolution or self._resolution < 0:
            problem = "it does not say how many sub-pixels a pixel has"
        elif len(xy) % 2 or not np.isfinite(xy).all():
            problem = "its points are not pairs of finite numbers"
        points = np.empty((0, 2)) if problem else xy.reshape(-1, 2)[:, ::-1] / (self._resolution or 1)
        return Cvi42Contour(_COUNTED.sub("", name), points, problem)
