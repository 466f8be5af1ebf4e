"""Names register: which hashed name stands for which case. It lies beside the results, for their owner alone.

A bare hash of a name is found by hashing a list of names; so the hash has a key, and the register keeps it.
"""

import hmac
import json
import secrets
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, field_validator

from cardioseg.errors import UnusableError, UsageError
from cardioseg.files import atomic_path, make_folder, turn
from cardioseg.results.folder import ResultsFolder
from cardioseg.results.records import read_record

_DIGITS = 12


class NamesRegister(BaseModel):
    """Who is who.

    Attributes:
        key: of the hash, in hexadecimal digits.
        cases: hashed name -> the user's own.
    """

    model_config = ConfigDict(frozen=True)

    key: str = Field(default_factory=lambda: secrets.token_hex(16), repr=False)
    cases: dict[str, str] = Field(default_factory=dict, repr=False)

    @field_validator("key")
    @classmethod
    def _is_hexadecimal(cls, key: str) -> str:
        bytes.fromhex(key)
        return key

    def name(self, own: str) -> str:
        """`case-` and 12 hexadecimal digits, the same for the same name."""
        return f"case-{hmac.new(bytes.fromhex(self.key), own.encode(), 'sha256').hexdigest()[:_DIGITS]}"


def note_names(folder: ResultsFolder, names: Mapping[str, str]) -> NamesRegister:
    """Add hashed names and what they stand for; other parts of a run may have added theirs meanwhile.

    Returns:
        The key, without the names.

    Raises:
        UsageError: the register is damaged.
        ResourceError: it cannot be written.
    """
    path = folder.names
    make_folder(path.parent)
    with turn(path.with_name(f".{path.name}.lock")):
        register = _read(folder)
        document = {"key": register.key, "cases": register.cases | dict(names)}
        with atomic_path(path) as partial:
            partial.touch(mode=0o600)  # for its owner alone
            partial.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return NamesRegister(key=register.key)


def _read(folder: ResultsFolder) -> NamesRegister:
    if not folder.names.exists():
        return NamesRegister()
    try:
        return read_record(folder.names, NamesRegister, "")
    except UnusableError:
        message = f"{folder.names}: --names hash did not write this file"
        raise UsageError(message, "remove it; the cases then get new names") from None
