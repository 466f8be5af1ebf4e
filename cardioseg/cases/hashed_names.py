"""Hashed names: names of cases that say nothing of whose they are, for results that are to be given away."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from cardioseg.cases.case import Case, CaseSource, Findings
from cardioseg.results.folder import ResultsFolder
from cardioseg.results.names_register import NamesRegister, note_names

OWN, HASH = "own", "hash"
_MANY = 1000  # names that are noted at once


class Hashed:
    """Cases named by a keyed hash of the user's own names; both are noted in the register of `out`.

    Args:
        findings: the cases, unit by unit.
        out: where their results go.

    Raises:
        UsageError: the register is damaged.
        ResourceError: it cannot be written.
    """

    def __init__(self, findings: CaseSource, out: Path) -> None:
        self._found, self._results = findings, ResultsFolder(out)
        self._new: dict[str, str] = {}
        self._others: dict[str, str] = {}  # of cases that are not done yet
        self._register = self._noted()
        self.sources, self.digest = findings.sources, findings.digest

    def __iter__(self) -> Iterator[Findings]:
        try:
            for findings in self._found:
                yield self._renamed(findings)
                if len(self._new) >= _MANY:
                    self._register = self._noted()
        finally:
            self._noted()

    def note(self, case: Case, name: str) -> None:
        """Note which of its names a case has got."""
        others = {other: own for other in case.others if (own := self._others.pop(other, None))}
        self._new |= {name: others[name]} if name in others else {}

    def remarks(self) -> Iterator[str]:
        """Nothing: every case has a hashed name."""
        yield from ()

    def _renamed(self, findings: Findings) -> Findings:
        name = self._register.name
        self._new |= {name(case.case_id): case.case_id for case in findings.cases}
        self._others |= {name(own): own for case in findings.cases for own in case.others}
        cases = (
            replace(case, case_id=name(case.case_id), others=tuple(map(name, case.others))) for case in findings.cases
        )
        return replace(findings, cases=tuple(cases))

    def _noted(self) -> NamesRegister:
        """The register with the new names, which are noted."""
        register = note_names(self._results, self._new)
        self._new = {}
        return register
