"""Review record: what a person who reviewed a case decided, and how much a correction changed the numbers."""

from collections.abc import Iterator, Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from cardioseg.measure.case_measures import Measures
from cardioseg.measure.quantities import QUANTITIES

_VOLUMES = ("edv_ml", "esv_ml", "sv_ml", "ef_percent")
CHANGES = (
    *("lv_ed_phase", "lv_es_phase", "rv_ed_phase", "rv_es_phase"),  # other phases alone change the volumes
    *(f"lv_{name}" for name in (*_VOLUMES, "mass_g", "volume_ml")),
    *(f"rv_{name}" for name in (*_VOLUMES, "volume_ml")),
)
REVIEW_COLUMNS = (
    *("case_id", "decision", "initials", "time", "changed_voxels"),
    *(f"{key}_{column}" for key in CHANGES for column in ("predicted", "change")),
    "note",
)
_DIGITS = 2  # those of measures.csv


class Decision(StrEnum):
    """What a person decided about a case."""

    ACCEPTED = "accepted"
    CORRECTED = "corrected"
    EXCLUDED = "excluded"


class BegunSave(BaseModel):
    """What was predicted of a case while a review of it is saved; it stays in the record if the save is killed.

    Attributes:
        predicted: the measures of the network's own mask.
        predicted_phases: `ed_phase` and `es_phase` as far as a person chose them for `predict`.
    """

    model_config = ConfigDict(frozen=True)

    predicted: dict[str, float | int | None] = {}
    predicted_phases: dict[str, int | None] = {}


class Review(BaseModel):
    """One case as a person left it.

    Attributes:
        decision: what the person decided.
        initials: of the person; may be empty.
        time: when it was saved, ISO 8601 with the offset from UTC.
        note: what the person wrote.
        changed_voxels: voxels of all phases that differ from the network's mask; None if that mask is lost.
        predicted: the measures of the network's own mask; empty if neither the mask nor the phases were changed.
        predicted_phases: `ed_phase` and `es_phase` as far as a person chose them for `predict`; likewise.
        by_hand: the same as far as a person chose them in the review.
    """

    model_config = ConfigDict(frozen=True)

    decision: Decision
    initials: str = ""
    time: str = ""
    note: str = ""
    changed_voxels: int | None = 0
    predicted: dict[str, float | int | None] = {}
    predicted_phases: dict[str, int | None] = {}
    by_hand: dict[str, int | None] = {}

    @property
    def is_corrected(self) -> bool:
        """Whether the mask, or the phases of end-diastole and end-systole, are no longer as predicted."""
        return bool(self.predicted)

    def remark(self, now: Measures) -> str:
        """What to say of the case: `corrected in review by AB: LV EF 55.0 → 57.1 %; basal slice removed`.

        Args:
            now: the present measures of the case.
        """
        by = f" by {self.initials}" if self.initials else ""
        changes = ", ".join(change_text(key, *values) for key, values in self.changes(now))
        after = " after a correction" if self.is_corrected and self.decision is Decision.EXCLUDED else ""
        said = "; ".join(filter(None, (changes, self.note)))
        return f"{self.decision}{after} in review{by}" + (f": {said}" if said else "")

    def changes(self, now: Measures) -> Iterator[tuple[str, tuple[float, float | None]]]:
        """The key of each phase and main measure that is another one now, with its value as predicted and now.

        The value of now is None if the correction made it unknown: the ESV of a cavity that was deleted at ES.
        """
        before = Measures.from_document(self.predicted)
        for key in CHANGES:
            value, value_now = before[key], now[key]
            if value is not None and (value_now is None or _difference(value, value_now)):
                yield key, (value, value_now)

    def row(self, case_id: str, now: Measures) -> Mapping[str, object]:
        """The row of `review.csv`; `now` are the present measures of the case."""
        said = self.model_dump(mode="json", include={"decision", "initials", "time", "changed_voxels", "note"})
        before = Measures.from_document(self.predicted) if self.is_corrected else now
        row: dict[str, object] = {"case_id": case_id, **said}
        predicted = before.as_row()
        for key in CHANGES:
            row[f"{key}_predicted"], row[f"{key}_change"] = predicted[key], _difference(before[key], now[key])
        return row


def is_changed(before: Measures, now: Measures) -> bool:
    """Whether a phase or a main measure is another one now, after rounding as in the tables."""
    rounded = (Measures.from_document(measures.as_row()) for measures in (before, now))
    seen, shown = ([measures[key] for key in CHANGES] for measures in rounded)
    return seen != shown


def _difference(before: float | None, now: float | None) -> float | None:
    return None if before is None or now is None else round(now - before, _DIGITS)


def change_text(key: str, before: float, now: float | None) -> str:
    """One change for people: `LV EF 55.0 → 57.1 %`, `RV ES phase 11 → 8`, `LV ESV 60.2 mL → not known`."""
    quantity = QUANTITIES[key]
    if now is None:
        return f"{quantity.caption} {quantity.text(before)} {quantity.unit}".rstrip() + " → not known"
    return f"{quantity.caption} {quantity.text(before)} → {quantity.text(now)} {quantity.unit}".rstrip()
