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
