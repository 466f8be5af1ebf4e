"""Evaluation rules: how scores are computed, in words that every output states."""

from collections.abc import Iterable

from cardioseg.evaluation.measures import AS_REPORTED, AT_READERS
from cardioseg.evaluation.summary import ALL, LabelSummary
from cardioseg.measure.significance import RESAMPLES

SEED = 0  # for the bootstrap
PROTOCOL = (
    "Each label is compared on the slices that have a reference for it. Dice = 2|R and P| / (|R| + |P|), Jaccard = "
    "|R and P| / |R or P|, sensitivity = |R and P| / |R|, precision = |R and P| / |P|. HD95 is the larger of the two "
    "directed 95th percentiles of the distances between surface voxels, ASSD the mean over both directions; both are "
    "in mm and use the spacing of the slices. A surface voxel has a face neighbour outside the mask. Slices without "
    "a reference have no part in a surface: the neighbour of a slice is then the next slice with a reference, and "
    "the distance between the two is the true one. per_slice: mean over these slices of all cases. per_volume: mean "
    "over volumes; a volume is one phase of one case, with all slices, in 3D. per_subject: mean over subjects; for "
    "each subject the mean over its slices. If several subjects are studies of one patient, as the references say, "
    "they count as one in per_subject, intervals and tests; each measure of the patient is then the mean over the "
    "studies that have both values. If one mask is empty, Dice is 0 ({missed} slices without a prediction, "
    "{invented} without a reference) and there is no distance. If both are empty, nothing is scored ({both_empty} "
    "slices). A structure that a reference volume of several slices does not have at all counts as not drawn and is "
    "not compared. base, mid, apex: thirds of the slices on which the reference has any structure; outside: the "
    "other slices. std: sample standard deviation (n - 1). Volumes are those of the same slices. A structure that a "
    "reference does not draw on slices between others has no volume: its measures are left out. Each subject has "
    "one value of each measure. If a prediction misses a structure at ED or ES, its volume (EDV, ESV or mass) counts "
    "as 0: the error is the whole volume. As no heart empties, this subject has no SV and no EF of this ventricle: "
    "it is named, and not part of their agreement; 8 of 12 means that 8 of 12 subjects with a reference have a "
    f"predicted value. {AT_READERS.capitalize()}: both masks at ED and ES of the reference, on the slices with a "
    f"reference. {AS_REPORTED.capitalize()}: the prediction as in measures.csv, over the whole stack and at its own "
    "ED and ES, compared with the same reference. Limits of agreement are bias ± 1.96 SD; ICC is ICC(2,1); intervals "
    "are 95 % percentile bootstraps over subjects ({resamples} resamples, seed {seed}). Slices are counted from 0. "
    "Error budget: 1 - Dice of a volume is |R xor P| / (|R| + |P|). Its voxels are counted on the slices on which "
    "only one mask has the label, and on the other slices by part of the heart and by whether the prediction is too "
    "small or too large there; mean over volumes."
)


def stated(summaries: Iterable[LabelSummary]) -> str:
    """The rules, with the numbers of slices on which a mask is empty."""
    overall = [summary for summary in summaries if summary.group == ALL]
    return PROTOCOL.format(
        missed=sum(summary.slices_missed for summary in overall),
        invented=sum(summary.slices_invented for summary in overall),
        both_empty=sum(summary.slices_both_empty for summary in overall),
        resamples=f"{RESAMPLES:,}",
        seed=SEED,
    )
