"""Chosen phases: the phases of end-diastole and end-systole that a person chose, for all cases and for single ones."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cardioseg.cases.case_csv import case_rows
from cardioseg.errors import UsageError
from cardioseg.measure.curves import Moments
from cardioseg.text_table import whole_number

COLUMNS = ("case_id", "ed_phase", "es_phase")
_HINT = f"its columns are {','.join(COLUMNS)}; phases count from 0; for an empty cell, cardioseg finds the phase itself"
_IN_FILE = "for this case in the --phases file"


@dataclass(frozen=True)
class Choices:
    """Phases that a person chose.

    Attributes:
        every: for every case.
        by_case: for single cases, by their names in the results; what they say comes first.
    """

    every: Moments = Moments()  # noqa: RUF009 - frozen
    by_case: Mapping[str, Moments] = field(default_factory=dict, repr=False)

    def of(self, case_id: str, earlier: Moments = Moments()) -> Moments:  # noqa: B008 - frozen
        """The phases that are chosen for one case; those of an `earlier` run stay if nobody says anything else now."""
        own = self.by_case.get(case_id)
        return self.every.filled(earlier) if own is None else own.filled(self.every)

    def require_within(self, case_id: str, chosen: Moments, phases: int) -> None:
        """Raise UnusableError if a phase in `chosen`, see `of`, is none of the case's `phases`."""
        own = self.by_case.get(case_id, Moments())
        ed = "--ed" if own.ed_phase is None and self.every.ed_phase is not None else f"ed_phase {_IN_FILE}"
        es = "--es" if own.es_phase is None and self.every.es_phase is not None else f"es_phase {_IN_FILE}"
        chosen.require_within(phases, (ed, es))

    def document(self) -> dict[str, Any]:
        """For `run.json`."""
        single = {name: asdict(moments) for name, moments in sorted(self.by_case.items())}
        return asdict(self.every) | ({"by_case": single} if single else {})


def said(chosen: Moments) -> str:
    """Which phases of a case a person chose, in words; or nothing."""
    phases = {"ED": chosen.ed_phase, "ES": chosen.es_phase}
    listed = ", ".join(f"{name} {phase}" for name, phase in phases.items() if phase is not None)
    return f"chosen by hand: {listed}" if listed else ""


def read_choices(path: Path) -> dict[str, Moments]:
    """The phases of single cases from a CSV with the columns `case_id`, `ed_phase` and `es_phase`; others may follow.

    A `measures.csv` has the phases of each ventricle, too. Where these differ and the row still has the phase of the
    LV, nobody chose it: the row is as it was written, and the RV must not move to the phase of the LV.

    Raises:
        UsageError: it cannot be read, lacks a column, names a case twice, or a phase is no whole number.
    """
    return {name: _moments(row, where) for name, where, row in case_rows(path, COLUMNS[1:], _HINT)}


def _moments(row: Mapping[str, str], where: str) -> Moments:
    phases = {}
    for name in COLUMNS[1:]:
        phase = whole_number(row.get(name, ""))
        if phase is None and row.get(name, "").strip():
            raise UsageError(f"{where}: {name} is not a whole number from 0 on", _HINT)
        phases[name] = None if _is_as_written(row, name) else phase
    if phases["ed_phase"] is not None and phases["ed_phase"] == phases["es_phase"]:
        raise UsageError(
            f"{where}: both phases are {phases['ed_phase']}", "end-diastole and end-systole are different phases"
        )
    return Moments(**phases)


def _is_as_written(row: Mapping[str, str], name: str) -> bool:
    """Whether a row of a `measures.csv` has a phase that only one of its ventricles has, as `predict` wrote it."""
    left, right = (whole_number(row.get(f"{side}_{name}", "")) for side in ("lv", "rv"))
    return None not in {left, right} and left != right and whole_number(row.get(name, "")) == left
