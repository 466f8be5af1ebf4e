"""Names: what tells folders and files apart that are called alike: the folders that they lie in."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from cardioseg.files import safe_name, unique_names


def distinct_names(places: Sequence[Path]) -> list[str]:
    """The last part of each place, safe; where several are called alike, after the nearest folders that differ.

    `a/x/sax` and `b/x/sax` become `a_sax` and `b_sax`. One place that comes twice gets `-2`; so does what differs in
    nothing that a name may hold.

    Args:
        places: absolute paths of folders or files.
    """
    chosen = [[place.name] for place in places]  # the parts of each name, the last first
    for depth in range(1, max((len(place.parts) for place in places), default=0)):
        groups = _alike(chosen)
        if not groups:
            break
        for alike in groups:
            above = {number: _above(places[number], depth) for number in alike}
            if len({name.lower() for name in above.values()}) > 1:
                for number, name in above.items():
                    chosen[number] += [name] * bool(name)
    return unique_names(map(_joined, chosen))


def _alike(chosen: Sequence[Sequence[str]]) -> list[list[int]]:
    """Groups of names that are the same on a file system that does not tell upper from lower case."""
    groups: dict[str, list[int]] = defaultdict(list)
    for number, parts in enumerate(chosen):
        groups[_joined(parts).lower()].append(number)
    return [group for group in groups.values() if len(group) > 1]


def _joined(parts: Sequence[str]) -> str:
    return safe_name("_".join(reversed(parts)))


def _above(place: Path, depth: int) -> str:
    parts = place.parts[1:]  # without the root
    return safe_name(parts[-1 - depth]) if depth < len(parts) else ""
