"""Naming: names of cases that say nothing of whose they are, for results that are to be given away.

Which name is whose stands in a register beside the results, not in them, with the key that a name cannot be guessed
without: a bare hash of a name is found by hashing a list of names.
"""

import hmac
import json
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from cardioseg.errors import UsageError
from cardioseg.files import atomic_path, make_folder, turn
from cardioseg.inference.cases import Case, Findings
from cardioseg.results.folder import ResultsFolder

OWN, HASH = "own", "hash"
NAMES = (OWN, HASH)
_DIGITS = 12
_MANY = 1000  # names that are noted at once


@dataclass(frozen=True)
class Register:
    """Who is who.

    Attributes:
        key: of the hash, in hexadecimal digits.
        cases: hashed name -> the user's own.
    """

    key: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    cases: dict[str, str] = field(default_factory=dict, repr=False)

    def name(self, own: str) -> str:
        """`case-` and 12 hexadecimal digits, the same for the same name."""
        return f"case-{hmac.new(bytes.fromhex(self.key), own.encode(), 'sha256').hexdigest()[:_DIGITS]}"


class Hashed:
    """Cases named by a keyed hash of the user's own names; both are noted in the register of `out`.

    Args:
        found: the cases, unit by unit.
        out: where their results go.

    Raises:
        UsageError: the register is damaged.
        ResourceError: it cannot be written.
    """

    def __init__(self, found: Iterable[Findings], out: Path) -> None:
        self._found, self._path = found, ResultsFolder(out).names
        self._new: dict[str, str] = {}
        self._others: dict[str, str] = {}  # of cases that are not done yet
        self._register = self._noted()
        self.sources, self.digest = getattr(found, "sources", ()), getattr(found, "digest", "")

    def __iter__(self) -> Iterator[Findings]:
        try:
            for found in self._found:
                yield self._renamed(found)
                if len(self._new) >= _MANY:
                    self._register = self._noted()
        finally:
            self._noted()

    def note(self, case: Case, name: str) -> None:
        """Note which of its names a case has got."""
        others = {other: own for other in case.others if (own := self._others.pop(other, None))}
        self._new |= {name: others[name]} if name in others else {}

    def _renamed(self, found: Findings) -> Findings:
        name = self._register.name
        self._new |= {name(case.case_id): case.case_id for case in found.cases}
        self._others |= {name(own): own for case in found.cases for own in case.others}
        cases = (
            replace(case, case_id=name(case.case_id), others=tuple(map(name, case.others))) for case in found.cases
        )
        return replace(found, cases=tuple(cases))

    def _noted(self) -> Register:
        """The register with the new names, which are noted; other parts of a run may have noted theirs meanwhile."""
        make_folder(self._path.parent)
        with turn(self._path.with_name(f".{self._path.name}.lock")):
            known = _read(self._path)
            register = Register(known.key, known.cases | self._new)
            with atomic_path(self._path) as partial:
                partial.touch(mode=0o600)  # for its owner alone
                partial.write_text(json.dumps(vars(register), indent=2) + "\n", encoding="utf-8")
        self._new = {}
        return Register(known.key)


def _read(path: Path) -> Register:
    try:
        known = Register(**json.loads(path.read_text(encoding="utf-8")))
        known.name("") + str(known.cases | {})
    except FileNotFoundError:
        return Register()
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        raise UsageError(
            f"{path}: --names hash did not write this file", "remove it; the cases then get new names"
        ) from None
    return known
