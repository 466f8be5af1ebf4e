"""Records: JSON files that cardioseg wrote and reads again, checked against their schema."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from cardioseg.errors import UnusableError

RecordT = TypeVar("RecordT", bound=BaseModel)


def read_record(path: Path, kind: type[RecordT], hint: str) -> RecordT:
    """Read a record.

    Args:
        path: the file.
        kind: its schema.
        hint: what to do where it is none.

    Raises:
        UnusableError: it cannot be read, or does not follow the schema.
    """
    try:
        return kind.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        raise UnusableError(f"{path}: not a file that predict wrote", hint) from None
