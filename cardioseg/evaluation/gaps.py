"""Gaps: slices between the drawn slices of a structure on which a reference does not draw it.

No ventricle ends and begins again, so a volume over the drawn slices alone would be too small.
"""

from collections.abc import Iterable, Iterator, Mapping

from cardioseg.evaluation.left_out_slices import in_words
from cardioseg.evaluation.scores import VolumeScore
from cardioseg.image.labels import Label
from cardioseg.skipped import Skipped
from cardioseg.wording import listed

_SHORTER = 0.4  # share of the slices of ED that a heart, as it shortens, may lack at one end at ES
_FEW = 2


def drawn_slices(score: VolumeScore) -> tuple[int, ...]:
    """The slices, 0-based, on which the reference has voxels of the label."""
    return tuple(part.index for part in score.slices if part.overlap.reference)


def gaps(scores: Iterable[VolumeScore]) -> Mapping[VolumeScore, tuple[int, ...]]:
    """The scores of labels that the reference does not draw on slices between others, with these slices.

    A slice that has another structure, and on which the label is annotated, is no gap: at end-systole, a cavity may be
    empty in the middle of the ventricle.
    """
    by_volume: dict[tuple[str, str, str], list[VolumeScore]] = {}
    for score in scores:
        by_volume.setdefault((score.subject_id, score.case_id, score.volume), []).append(score)
    found = {}
    for same_volume in by_volume.values():
        not_empty = {index for score in same_volume for index in drawn_slices(score)}
        for score in same_volume:
            drawn = drawn_slices(score)
            inner = set(range(drawn[0], drawn[-1])) if drawn else set()
            if lacking := inner.difference(drawn) & (inner.difference(not_empty) | set(score.left_out)):
                found[score] = tuple(sorted(lacking))
    return found


def without_gaps(scores: Iterable[VolumeScore]) -> Iterator[VolumeScore]:
    """The scores of labels without a gap."""
    scores = tuple(scores)
    incomplete = gaps(scores)
    return (score for score in scores if score not in incomplete)


def volumes_with_gaps(scores: Iterable[VolumeScore]) -> Iterator[Skipped]:
    """A line for each volume whose reference has gaps."""
    by_place: dict[tuple[str, tuple[int, ...]], list[str]] = {}
    for score, lacking in gaps(scores).items():
        place = f"{score.case_id} {score.volume}".strip()
        by_place.setdefault((place, lacking), []).append(score.label.title)
    for (place, lacking), titles in by_place.items():
        yield Skipped(
            place,
            f"the reference does not draw {listed(titles)} on {in_words(lacking)}, but on slices before and after: "
            "no volume, EF or mass is computed from it; "
            f"draw {'this slice' if len(lacking) == 1 else 'these slices'} to have them compared",
        )


def shortened(scores: Iterable[VolumeScore]) -> Iterator[Skipped]:
    """A line for each cavity that the reference draws on far fewer slices at ES than at ED, at one end."""
    cavities = [score for score in scores if score.label in (Label.RV_CAVITY, Label.LV_CAVITY)]
    at_ed = {(score.subject_id, score.label): score for score in cavities if score.volume == "ed"}
    for es in (score for score in cavities if score.volume == "es"):
        ed = at_ed.get((es.subject_id, es.label))
        if ed and _stack(ed) == _stack(es) and (missing := _missing_end(drawn_slices(ed), drawn_slices(es))):
            yield Skipped(
                es.subject_id,
                f"the reference draws {es.label.title} on {in_words(missing)} at ED, but not at ES: if it was not "
                "drawn completely at ES, its ESV is too small and its EF too large",
            )


def _stack(score: VolumeScore) -> int:
    return len(score.slices) + len(score.left_out)


def _missing_end(at_ed: tuple[int, ...], at_es: tuple[int, ...]) -> tuple[int, ...]:
    """The slices of ED before the first or after the last of ES, if these are too many for a heart that shortens."""
    if not at_es:
        return ()
    before = tuple(index for index in at_ed if index < at_es[0])
    after = tuple(index for index in at_ed if index > at_es[-1])
    allowed = max(_FEW, len(at_ed) * _SHORTER)
    return next((end for end in (before, after) if len(end) > allowed), ())
