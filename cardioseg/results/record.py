"""Record: what `case.json` in a case's folder says: of which scan and by which model it was made, and what was written.

It is written last. A case is done when its record verifies, not when a file exists.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cardioseg.files import write_json

RECORD_FILE = "case.json"
MASK_FILE = "mask.nii.gz"
MEASURES_FILE = "measures.json"


@dataclass(frozen=True)
class Record:
    """One case as it was committed.

    Attributes:
        content: hash of the scan's pixels: which case this is.
        header: hash of all else that measures rest on: geometry, times, body, heart rate.
        input: hash of the places, sizes and times of the scan's files; while it is the same, `content` is too.
        source: where the scan lay, as the user gave it; None where that is not to be said.
        naming: why the case has not the name that its scan has; or empty.
        remark: what else to say of it.
        cardioseg: version.
        model_sha256: the model; empty for measured masks.
        chosen_phases: `ed_phase` and `es_phase` as far as a person chose them.
        formats: what was written of the mask.
        sha256: file name -> hash, of the masks.
    """

    content: str
    header: str = ""
    input: str = ""
    source: str | None = None
    naming: str = ""
    remark: str = ""
    cardioseg: str = ""
    model_sha256: str = ""
    chosen_phases: Mapping[str, int | None] = field(default_factory=dict)
    formats: tuple[str, ...] = ()
    sha256: Mapping[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write `case.json` into a case's folder.

        Raises:
            ResourceError: the file system refuses.
        """
        write_json(folder / RECORD_FILE, asdict(self))


def read_record(folder: Path) -> Record | None:
    """The record of a case's folder, or None where there is none that can be read.

    A record of an earlier version says nothing of the content; it is taken to be of another scan.
    """
    with suppress(OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        document: dict[str, Any] = json.loads((folder / RECORD_FILE).read_text(encoding="utf-8"))
        fields = {name: value for name, value in document.items() if name in Record.__dataclass_fields__}
        record = Record(**({"content": ""} | fields | {"formats": tuple(document.get("formats", ()))}))
        if all(isinstance(one, str) for one in (record.content, record.input, record.naming, record.remark)):
            return Record(
                **(vars(record) | {"sha256": dict(record.sha256), "chosen_phases": dict(record.chosen_phases)})
            )
    return None
