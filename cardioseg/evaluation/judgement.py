"""Judgement: the scores and problems of one subject's pairs, made in the process that reads them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cardioseg.evaluation.mistakes import DoubtfulConvention, likely_mistake
from cardioseg.evaluation.pairing import Pair, find_pairs, matching_id
from cardioseg.evaluation.scores import VolumeScore, score
from cardioseg.execution.executor import Lost
from cardioseg.image.labels import Convention, Label
from cardioseg.ingest.labels.subject import Source
from cardioseg.results.mask_files import MaskFolder
from cardioseg.skipped import Skipped


@dataclass(frozen=True)
class Judgement:
    """The scores and problems of one subject.

    Attributes:
        scored: the subject's pairs and their scores.
        problems: what could not be compared, and why.
        mistakes: pairs that look as if labels were swapped or an axis flipped, and how.
        edits: masks whose edit is compared, and files next to masks that are not compared, and why.
        edited: case ids of the predictions that were edited.
        corrected: case ids of the predictions that a person changed, as an edit or in `review`.
        matched: case ids of the predictions that belong to the subject.
        group_of: the subject's group by its id, if the references name groups.
        patient_keys: what tells the subject's patient by its id, see `Source.patient`.
        has_unusable_reference: whether one of the subject's references cannot be used.
    """

    scored: tuple[tuple[Pair, tuple[VolumeScore, ...]], ...] = field(default=(), repr=False)
    problems: tuple[Skipped, ...] = ()
    mistakes: tuple[Skipped, ...] = ()
    edits: tuple[Skipped, ...] = ()
    edited: tuple[str, ...] = ()
    corrected: tuple[str, ...] = ()
    matched: tuple[str, ...] = ()
    has_unusable_reference: bool = False
    group_of: Mapping[str, str] = field(default_factory=dict)
    patient_keys: Mapping[str, str | None] = field(default_factory=dict, repr=False)


def judge(
    pairs: Iterable[Pair | Skipped], segmented: Collection[Label], doubtful: Sequence[DoubtfulConvention] = ()
) -> Judgement:
    """Score the pairs of a subject.

    Args:
        pairs: masks on the same grid, or the reason why there is no pair.
        segmented: the labels that the prediction can have.
        doubtful: the conventions that may be wrong if labels look swapped, at most one of each side.
    """
    scored: list[tuple[Pair, tuple[VolumeScore, ...]]] = []
    problems: list[Skipped] = []
    mistakes: list[Skipped] = []
    for item in pairs:
        if isinstance(item, Skipped):
            problems.append(item)
            continue
        scored.append((item, tuple(score(item, segmented))))
        if mistake := likely_mistake(item, segmented, doubtful):
            mistakes.append(Skipped(f"{item.case_id} {item.reference.name}".strip(), mistake))
    compared = [pair for pair, _ in scored]
    return Judgement(
        scored=tuple(scored),
        problems=tuple(problems),
        mistakes=tuple(mistakes),
        edits=tuple(Skipped(pair.case_id, remark) for pair in compared for remark in pair.remarks),
        edited=tuple(pair.case_id for pair in compared if pair.is_edited),
        corrected=tuple(pair.case_id for pair in compared if pair.is_corrected),
    )


@dataclass(frozen=True)
class Judging:
    """Reads a subject's references and their predictions, and judges them.

    Attributes:
        predictions: the predicted masks.
        convention: the meaning of the numbers in these masks.
        segmented: the labels that the predictions can have.
        doubtful: the conventions that may be wrong, at most one of each side.
    """

    predictions: MaskFolder
    convention: Convention
    segmented: Collection[Label]
    doubtful: Sequence[DoubtfulConvention] = ()

    def prepare(self) -> None:
        """Nothing is needed."""

    def __call__(self, source: Source) -> Judgement:
        """The judgement of one subject."""
        subject = source.read()
        if isinstance(subject, Skipped):
            return Judgement(problems=(subject,), has_unusable_reference=True)
        pairs = (*subject.skipped, *find_pairs(subject, self.predictions, self.convention))
        judgement = judge(pairs, self.segmented, self.doubtful)
        ids = (matching_id(volume, self.predictions) for volume in subject.volumes)
        matched, edits = tuple(case for case in ids if case), (*judgement.edits, *subject.remarks)
        judgement = replace(judgement, edits=edits, matched=matched, group_of={subject.subject_id: subject.group})
        return replace(judgement, has_unusable_reference=bool(subject.skipped))


def unjudged(where: str, lost: Lost) -> Judgement:
    """The judgement of a subject whose process was killed."""
    return Judgement(problems=(Skipped(where, lost.reason),), has_unusable_reference=True)
