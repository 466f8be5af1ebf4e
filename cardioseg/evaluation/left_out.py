"""Left out: the slices of each volume that were not compared, because the reference says nothing of them."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from cardioseg.evaluation.scores import VolumeScore
from cardioseg.evaluation.wording import several
from cardioseg.skipped import Skipped


def left_out(scores: Iterable[VolumeScore]) -> tuple[Skipped, ...]:
    """A line for each volume with such slices: which they are, and how much the prediction has there."""
    by_volume: dict[tuple[str, str], list[VolumeScore]] = {}
    for score in scores:
        if score.left_out:
            by_volume.setdefault((score.case_id, score.volume), []).append(score)
    return tuple(Skipped(f"{case} {volume}".strip(), _in_words(own)) for (case, volume), own in by_volume.items())


def _in_words(scores: Sequence[VolumeScore]) -> str:
    """`LV cavity on slices 0, 9 to 11 of 12, where the reference is unknown (the prediction has 8.1 mL ... there)`."""
    parts = []
    for slices, group in groupby(scores, lambda score: score.left_out):
        own = list(group)
        total = len(slices) + len(own[0].slices)
        labels = " and ".join(score.label.title for score in own)
        amounts = ", ".join(filter(None, map(_amount, own)))
        there = f" (the prediction has {amounts} there)" if amounts else ""
        parts.append(f"{labels} on {_slices(slices)} of {total}, where the reference is unknown{there}")
    return "; ".join(parts)


def _slices(slices: Sequence[int]) -> str:
    """`slice 3`, `slices 0, 9 to 11`."""
    runs: list[list[int]] = []
    for index in slices:
        if runs and index == runs[-1][-1] + 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    texts = [str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs]
    return f"slice{'' if len(slices) == 1 else 's'} {', '.join(texts)}"


def _amount(score: VolumeScore) -> str:
    if not score.left_out_voxels:
        return ""
    if score.voxel_ml is None:
        return f"{several(score.left_out_voxels, 'pixel')} of {score.label.title}"
    return f"{score.left_out_voxels * score.voxel_ml:.1f} mL of {score.label.title}"
