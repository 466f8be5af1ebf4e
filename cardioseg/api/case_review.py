"""Case review: what a person who looked at a case in `review` decided."""

from dataclasses import dataclass
from datetime import datetime

from cardioseg.results.case_record import read_case_record
from cardioseg.results.folder import CaseFolder


@dataclass(frozen=True)
class CaseReview:
    """What a person decided about a case in `cardioseg review`.

    Attributes:
        decision: `accepted`, `corrected` or `excluded`; in results of `measure`, followed by `, changed since` if the
            mask or its main measures changed after the review.
        initials: of the person; may be empty.
        time: when it was saved, with the offset from UTC; None if it is not known.
        note: what the person wrote; may be empty.
    """

    decision: str
    initials: str = ""
    time: datetime | None = None
    note: str = ""


def read_case_review(folder: CaseFolder) -> CaseReview | None:
    """The review of a case; None if nobody reviewed it."""
    record = read_case_record(folder)
    if record is None or not record.decided:
        return None
    if record.review is None:
        return CaseReview(record.decided)
    review = record.review
    return CaseReview(str(review.decision), review.initials, _time(review.time), review.note)


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
