"""Left out: the slices of each volume that were not compared because they are not annotated in the reference."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from cardioseg.evaluation.scores import VolumeScore
from cardioseg.skipped import Skipped
from cardioseg.wording import counted


def left_out(scores: Iterable[VolumeScore]) -> tuple[Skipped, ...]:
    """One line per volume with such slices: which slices, and how much the prediction has there."""
    by_volume: dict[tuple[str, str], list[VolumeScore]] = {}
    for score in scores:
        if score.left_out:
            by_volume.setdefault((score.case_id, score.volume), []).append(score)
    return tuple(Skipped(f"{case} {volume}".strip(), _sentence(group)) for (case, volume), group in by_volume.items())


def _sentence(scores: Sequence[VolumeScore]) -> str:
    """`LV cavity on slices 0, 9 to 11 of 12, where the reference is unknown (the prediction has 8.1 mL ... there)`."""
    parts = []
    for slices, group in groupby(scores, lambda score: score.left_out):
        same_slices = list(group)
        total = len(slices) + len(same_slices[0].slices)
        labels = " and ".join(score.label.title for score in same_slices)
        amounts = ", ".join(filter(None, map(_amount, same_slices)))
        predicted = f" (the prediction has {amounts} there)" if amounts else ""
        parts.append(f"{labels} on {in_words(slices)} of {total}, where the reference is unknown{predicted}")
    return "; ".join(parts)


def in_words(slices: Sequence[int]) -> str:
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
        return f"{counted(score.left_out_voxels, 'pixel')} of {score.label.title}"
    return f"{score.left_out_voxels * score.voxel_ml:.1f} mL of {score.label.title}"
