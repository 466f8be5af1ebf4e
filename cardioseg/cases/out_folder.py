"""Out folder: where results may be written. Scans are not looked for in it, so no folder of scans may lie there."""

from collections.abc import Sequence
from pathlib import Path

from cardioseg.archive.member_paths import exists, is_archive, is_file
from cardioseg.errors import UsageError
from cardioseg.ingest.finding.scan_files import LeftOut, place_of
from cardioseg.results.folder import ResultsFolder

_HINT = "give another folder with -o; it may be a new folder among the scans"


def require_apart(scans: Sequence[Path], out: Path) -> None:
    """Refuse an output folder in which scans would be ignored.

    Args:
        scans: files, folders and archives. A single file is read wherever it lies. Results of earlier runs may be among
            the scans, as `predict scans/* -o scans/results` gives them when it is repeated.
        out: the folder of results, which need not exist yet.

    Raises:
        UsageError: a folder or an archive of scans is the output folder, or lies in it.
    """
    left = LeftOut(out.resolve())
    places = [place_of(source) for source in scans]
    ignored = [place for place in places if left.prunes(place) and _is_searched(place)]
    if len(ignored) < len(places) and _has_results(out):
        ignored = [place for place in ignored if place.resolve() != left.folder]
    if not ignored:
        return
    if ignored[0].resolve() == left.folder:
        raise UsageError(f"the output folder {out} is the folder of the scans", _HINT)
    raise UsageError(f"the scans in {ignored[0]} lie in the output folder {out}", _HINT)


def _is_searched(place: Path) -> bool:
    return exists(place) and (is_archive(place) or not is_file(place))


def _has_results(out: Path) -> bool:
    """Whether a run or a part of a run has written there."""
    results = ResultsFolder(out)
    return results.run.is_file() or bool(results.cases()) or any(results.parts())
