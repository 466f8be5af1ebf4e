"""The review of a case: every measure of a volume that a correction changes is named."""

from cardioseg.measure.case_measures import Measures
from cardioseg.results.review_record import Decision, Review, change_text


def test_the_corrected_rv_of_a_scan_of_one_phase_is_named() -> None:
    predicted = {"lv_volume_ml": 80.0, "rv_volume_ml": 90.0}
    review = Review(decision=Decision.CORRECTED, initials="AB", predicted=predicted)
    now = Measures.from_document({"lv_volume_ml": 80.0, "rv_volume_ml": 111.5})
    assert review.remark(now) == "corrected in review by AB: RV volume 90.0 → 111.5 mL"
    row = review.row("A", now)
    assert (row["rv_volume_ml_predicted"], row["rv_volume_ml_change"], row["lv_volume_ml_change"]) == (90.0, 21.5, 0.0)


def test_a_change_is_named_as_in_the_tables() -> None:
    assert change_text("lv_mass_g", 90, 95.25) == "LV mass 90.0 → 95.3 g"
    assert change_text("rv_es_phase", 11, 8) == "RV ES phase 11 → 8"
    assert change_text("rv_es_phase", 11, None) == "RV ES phase 11 → not known"


def test_a_measure_that_a_correction_made_unknown_is_named() -> None:
    """The LV cavity was deleted at end-systole: neither its ESV nor its EF is known."""
    predicted = {"lv_edv_ml": 120.0, "lv_esv_ml": 66.96, "lv_ef_percent": 44.2}
    review = Review(decision=Decision.CORRECTED, predicted=predicted)
    now = Measures.from_document({"lv_edv_ml": 120.0})
    assert review.remark(now) == "corrected in review: LV ESV 67.0 mL → not known, LV EF 44.2 % → not known"
    row = review.row("A", now)
    assert (row["lv_ef_percent_predicted"], row["lv_ef_percent_change"]) == (44.2, None)
    assert Review(decision=Decision.ACCEPTED).remark(now) == "accepted in review"
