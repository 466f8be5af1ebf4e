"""Continued stacks: join series that continue a short-axis cine, fill its gaps, or show some of its slices again.

A stack is often exported as two series: several breath-holds, or slices that were forgotten and added later. The series
of a study become one cine if orientation, place in the plane, pixels, sequence and phases agree, and if all slices lie
on one common step. Where a slice was acquired again, the newest complete acquisition is used, as within a series. Two
stacks that share half of their slices or more are two acquisitions, and are not joined.
"""

from collections import defaultdict
from collections.abc import Sequence

from cardioseg.ingest.cine.imaging_differences import difference
from cardioseg.ingest.cine.series import Kind, Series, judge
from cardioseg.ingest.cine.shared_ids import shared_slices
from cardioseg.ingest.cine.split_series import ANOTHER_STACK, PARTS, SLICES_LIMIT, age_of
from cardioseg.ingest.cine.stack import Stack
from cardioseg.ingest.cine.unjoined_series import with_unjoined

_STEP_RTOL = 0.01  # steps that differ by less are equal
_OVERLAP = 1.05  # times the step: slices that are thicker overlap, as those of two stacks do
_GAP = 1  # slices that may be missing between a stack and its continuation


def join_continued_stacks(series: Sequence[Series]) -> list[Series]:
    """The series of a tree; those that belong to one short-axis cine are joined.

    A cine gets a flag for series that continue it, or show one of its slices again, and cannot be joined.
    """
    studies: dict[object, list[Series]] = defaultdict(list)
    for entry in series:
        header = entry.headers[0]
        studies[header.study_uid or header.path.parent, header.patient_id].append(entry)
    return [joined for study in studies.values() for joined in _joined_study(study)]


def _joined_study(series: Sequence[Series]) -> list[Series]:
    oldest_first = sorted(series, key=age_of)
    stacks = _joined_stacks([entry for entry in oldest_first if entry.kind is Kind.SHORT_AXIS_CINE])
    parts = [entry for entry in oldest_first if entry.kind in PARTS]
    stacks, parts = _with_parts(stacks, parts)
    flagged = [
        with_unjoined(stack, [*stacks[:place], *stacks[place + 1 :], *parts]) for place, stack in enumerate(stacks)
    ]
    return [*flagged, *parts, *(entry for entry in series if entry.kind not in (Kind.SHORT_AXIS_CINE, *PARTS))]


def _joined_stacks(stacks: Sequence[Series]) -> list[Series]:
    """Join each stack with later ones, the newest first: a continuation belongs to the last stack before it."""
    joined: list[Series] = []
    for stack in reversed(stacks):
        extended, used = _extended(stack, joined)
        joined = [extended, *_without(joined, used)]
    return joined


def _with_parts(stacks: Sequence[Series], parts: Sequence[Series]) -> tuple[list[Series], list[Series]]:
    """The stacks with the parts that belong to them, and the other parts; both the oldest first."""
    extended, left = list(stacks), list(parts)
    for is_later in (True, False):  # a part belongs to the last stack before it, or else to the first after it
        for place in range(len(stacks))[:: -1 if is_later else 1]:
            stack = extended[place]
            candidates = [part for part in left if not is_later or age_of(part) >= age_of(stack)]
            extended[place], used = _extended(stack, _without_another_stack(stack, candidates))
            left = _without(left, used)
    return extended, left


def _without_another_stack(stack: Series, parts: Sequence[Series]) -> list[Series]:
    """The parts; without those that show slices of the stack again, if these are most of its slices."""
    repeats = [part for part in parts if shared_slices(stack.film, part.film)]
    again = shared_slices(stack.film, [header for part in repeats for header in part.film]) if repeats else 0
    return _without(parts, repeats) if again >= ANOTHER_STACK * stack.slices else list(parts)


def _extended(stack: Series, candidates: Sequence[Series]) -> tuple[Series, list[Series]]:
    """The stack, joined with the candidates that fit, all at once or one by one; and these candidates."""
    fitting = [candidate for candidate in candidates if not difference(stack, candidate)][:SLICES_LIMIT]
    together = [fitting] if len(fitting) > 1 else []
    for group in (*together, *([candidate] for candidate in fitting)):
        joined = _joined(stack, group)
        if joined is not None:
            extended, used = _extended(joined, _without(fitting, group))
            return extended, [*group, *used]
    return stack, []


def _joined(stack: Series, others: Sequence[Series]) -> Series | None:
    """The stack with other series, or None if they do not fit together."""
    joined = judge([header for series in (stack, *others) for header in series.headers])
    if joined.stack is None or joined.kind is not Kind.SHORT_AXIS_CINE or joined.phases != stack.phases:
        return None
    if len(joined.strays) > sum(len(series.strays) for series in (stack, *others)):
        return None
    if len(others) > 1 and joined.slices < sum(series.slices for series in (stack, *others)):
        return None  # repeated slices are joined one by one: they may be another stack
    return joined if _continues(stack, others, joined.stack) else None


def _continues(stack: Series, others: Sequence[Series], arranged: Stack) -> bool:
    """Whether the series fill each other's gaps or follow each other, without new gaps between their slices."""
    if stack.stack is None:
        return True
    own_missing = sum(len(series.stack.missing) for series in (stack, *others) if series.stack)
    new_missing = len(arranged.missing) - own_missing
    own_mm, step_mm = stack.stack.grid.spacing_mm[0], arranged.grid.spacing_mm[0]
    if abs(own_mm - step_mm) <= _STEP_RTOL * own_mm:
        return new_missing <= _GAP
    return new_missing <= 0 and (arranged.thickness_mm or 0) <= _OVERLAP * step_mm


def _without(series: Sequence[Series], used: Sequence[Series]) -> list[Series]:
    ids = {id(entry) for entry in used}
    return [entry for entry in series if id(entry) not in ids]
