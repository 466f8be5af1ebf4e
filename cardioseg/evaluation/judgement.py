"""Judgement: what the pairs of one subject come to, in whatever process they are read."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from cardioseg.evaluation.mistakes import Numbers, likely_mistake
from cardioseg.evaluation.pairing import Pair, matching_id, pair
from cardioseg.evaluation.scores import VolumeScore, score
from cardioseg.execution.executor import Lost
from cardioseg.image.labels import Label
from cardioseg.ingest.masks import MaskFolder
from cardioseg.ingest.subject import Skipped, Source


@dataclass(frozen=True)
class Judgement:
    """Of one subject.

    Attributes:
        scored: its pairs and their scores.
        problems: what could not be compared, and why.
        mistakes: pairs that look as if labels were swapped or an axis flipped, and how.
        edits: masks of which an edit is compared, and files beside masks that are not, and why.
        edited: the predictions that somebody edited.
        matched: the predictions that belong to it.
        is_lacking: whether a reference of it cannot be used.
    """

    scored: tuple[tuple[Pair, tuple[VolumeScore, ...]], ...] = field(default=(), repr=False)
    problems: tuple[Skipped, ...] = ()
    mistakes: tuple[Skipped, ...] = ()
    edits: tuple[Skipped, ...] = ()
    edited: tuple[str, ...] = ()
    matched: tuple[str, ...] = ()
    is_lacking: bool = False


def judge(pairs: Iterable[Pair | Skipped], segmented: Collection[Label], doubtful: Numbers | None = None) -> Judgement:
    """Score pairs one by one.

    Args:
        pairs: masks on the same grid, or why there is no pair.
        segmented: the labels that the prediction can have.
        doubtful: the numbers whose convention may be the wrong one, where labels look swapped.
    """
    scored: list[tuple[Pair, tuple[VolumeScore, ...]]] = []
    problems: list[Skipped] = []
    mistakes: list[Skipped] = []
    for one in pairs:
        if isinstance(one, Skipped):
            problems.append(one)
            continue
        scored.append((one, tuple(score(one, segmented))))
        if what := likely_mistake(one, segmented, doubtful):
            mistakes.append(Skipped(f"{one.case_id} {one.reference.name}".strip(), what))
    known = [one for one, _ in scored]
    return Judgement(
        scored=tuple(scored),
        problems=tuple(problems),
        mistakes=tuple(mistakes),
        edits=tuple(Skipped(one.case_id, remark) for one in known for remark in one.remarks),
        edited=tuple(one.case_id for one in known if one.is_edited),
    )


@dataclass(frozen=True)
class Judging:
    """Reads a subject's references and their predictions, and judges them.

    Attributes:
        predictions: the masks.
        convention: the meaning of their numbers.
        segmented: the labels that they can have.
        doubtful: the numbers whose convention may be the wrong one.
    """

    predictions: MaskFolder
    convention: Mapping[int, Label]
    segmented: Collection[Label]
    doubtful: Numbers | None = None

    def prepare(self) -> None:
        """Nothing is needed."""

    def __call__(self, source: Source) -> Judgement:
        """What the subject comes to."""
        subject = source.read()
        if isinstance(subject, Skipped):
            return Judgement(problems=(subject,), is_lacking=True)
        pairs = (*subject.skipped, *pair(subject, self.predictions, self.convention))
        found = judge(pairs, self.segmented, self.doubtful)
        ids = (matching_id(volume, self.predictions) for volume in subject.volumes)
        matched, edits = tuple(one for one in ids if one), (*found.edits, *subject.remarks)
        return replace(found, edits=edits, matched=matched, is_lacking=bool(subject.skipped))


def unjudged(where: str, lost: Lost) -> Judgement:
    """Of a subject whose process was killed."""
    return Judgement(problems=(Skipped(where, lost.reason),), is_lacking=True)
