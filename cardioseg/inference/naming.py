"""Naming: names of cases that say nothing of whose they are, for results that are to be given away.

Which name is whose stands in a register beside the results, not in them, with the key that a name cannot be guessed
without: a bare hash of a name is found by hashing a list of names.
"""

import hmac
import json
import secrets
from dataclasses import dataclass, field, replace
from pathlib import Path

from cardioseg.errors import UsageError
from cardioseg.files import atomic_path
from cardioseg.inference.cases import Findings

OWN, HASH = "own", "hash"
NAMES = (OWN, HASH)
_DIGITS = 12


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


def register_path(out: Path) -> Path:
    """Where the register of the results in `out` lies: beside them."""
    whole = out.resolve()
    return whole.with_name(f"{whole.name}.names.json")


def hash_names(findings: Findings, out: Path) -> Findings:
    """Name the cases by a keyed hash of the user's own names, and note both in the register of `out`.

    Raises:
        UsageError: the register is damaged.
        ResourceError: it cannot be written.
    """
    register = _read(register_path(out))
    named = {register.name(case.case_id): case for case in findings.cases}
    own = register.cases | {name: case.case_id for name, case in named.items()}
    with atomic_path(register_path(out)) as partial:
        partial.touch(mode=0o600)  # for its owner alone
        partial.write_text(json.dumps({"key": register.key, "cases": own}, indent=2) + "\n", encoding="utf-8")
    return replace(findings, cases=tuple(replace(case, case_id=name) for name, case in named.items()))


def _read(path: Path) -> Register:
    try:
        known = Register(**json.loads(path.read_text(encoding="utf-8")))
        known.name("") + str(known.cases | {})
    except FileNotFoundError:
        return Register()
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        raise UsageError(f"{path}: not what --names hash writes", "remove it; the cases get new names") from None
    return known
