"""Saved review: a finished review becomes files: first the case, then the tables of all cases.

A file says that the tables are due before the case is written. So a save that was killed is caught up with at the next
start, or by the next run of `predict`.
"""

from cardioseg.cases.scan import is_at_place
from cardioseg.correction.corrected_case import Judgement, save_review
from cardioseg.correction.corrected_mask import Corrected
from cardioseg.errors import ResourceError, UnusableError
from cardioseg.files import sole_writer
from cardioseg.results.all_cases import every_outcome
from cardioseg.results.folder import ResultsFolder
from cardioseg.results.ledger import Ledger
from cardioseg.results.review_record import Decision
from cardioseg.results.run_record import RunRecord, known_run_record
from cardioseg.results.run_tables import write_summary
from cardioseg.review.correction import FinishedReview
from cardioseg.review.opened_case import OpenedCase

_LATER = "measures.csv and report.html are written later, because another run is writing into this folder"

_EDITED = "the mask was edited in another program, so nobody can accept it as the network drew it"


def save(results: ResultsFolder, opened: OpenedCase, review: FinishedReview) -> None:
    """Write a reviewed case; `write_tables` must follow.

    Args:
        results: the folder of all cases.
        opened: the case as the page shows it.
        review: what a person changed and decided.

    Raises:
        ResourceError: the file system refuses a write.
        UnusableError: the case was changed meanwhile, there is no such phase, or an edit is to be accepted as if the
            network had drawn it.
        UsageError: the correction does not fit the mask, or its initials or note begin as a formula does.
    """
    if review.version != opened.version:
        raise UnusableError(f"{opened.folder.case_id} was changed meanwhile", "load it again")
    review.require_text()
    mask = review.applied(opened.mask, opened.description.acquisition.missing)
    review.by_hand.require_within(mask.phases)
    corrected = Corrected(mask, opened.mask, opened.prediction, review.by_hand)
    if review.decision is Decision.ACCEPTED and opened.is_edited and not corrected.is_as_predicted:
        raise UnusableError(f"nothing was saved: {_EDITED}", "save it as a correction, or exclude the case")
    tables_are_due(results)
    judgement = Judgement(review.decision, review.initials.strip(), " ".join(review.note.split()))
    save_review(results, opened.folder, corrected, judgement)
    tables_are_due(results)  # another process may have begun the tables before the case was written


def write_tables(results: ResultsFolder) -> str:
    """Write the tables and the report of all cases again.

    Returns:
        Why they are written later; empty if they are written.

    Raises:
        ResourceError: the file system refuses a write.
    """
    try:
        with sole_writer(results.path):
            _write_tables(results)
    except ResourceError as error:
        if isinstance(error.__cause__, BlockingIOError):  # the folder is locked
            return _LATER
        raise
    return ""


def _write_tables(results: ResultsFolder) -> None:
    """Write the tables. A case that is saved from the first line on makes them due again, whatever process saves it."""
    ledger = Ledger((results.review_tables_ledger,))
    ledger.begin(RunRecord(), "")
    _due(results).remove()
    with every_outcome(results, ledger, is_at_place) as outcomes:
        write_summary(results, outcomes, known_run_record(results))
    ledger.remove()


def are_tables_due(results: ResultsFolder) -> bool:
    """Whether a case was saved, and its tables were not."""
    return results.reviewed_ledger.is_file() or results.review_tables_ledger.is_file()


def tables_are_due(results: ResultsFolder) -> None:
    """Remember, beyond this process, that the tables must be written.

    Raises:
        ResourceError: the file system refuses.
    """
    _due(results).begin(RunRecord(), "")


def _due(results: ResultsFolder) -> Ledger:
    return Ledger((results.reviewed_ledger,))
