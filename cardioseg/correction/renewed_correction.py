"""Renewed correction: a corrected case is written again where its files or its measures no longer fit.

Its scan was exported again with another header, the files were removed while the scan was gone, or a person asks for
more formats. The mask of a scan with the same pixels has the same voxels, so a person's drawing stays.
"""

from collections.abc import Collection
from dataclasses import replace

from cardioseg.cases.patients import completed
from cardioseg.cases.scan import Scan
from cardioseg.cases.written_case import format_hashes, write_case
from cardioseg.correction.corrected_case import author_of, other_formats, remark_of, write_as
from cardioseg.correction.corrected_mask import Corrected, Prediction, describe_corrected, read_prediction
from cardioseg.files import sha256
from cardioseg.image.volume import Cine
from cardioseg.measure.case_measures import Measures
from cardioseg.measure.curves import Moments
from cardioseg.results.case_record import CaseRecord, RecordedGrid
from cardioseg.results.description import Description, read_description
from cardioseg.results.folder import CaseFolder, ResultsFolder
from cardioseg.results.mask_files import read_mask
from cardioseg.results.measured_mask import describe
from cardioseg.results.outcome import in_one
from cardioseg.results.review_record import Review

_AGAIN = "measured again with the present header of its scan"


def renew(results: ResultsFolder, folder: CaseFolder, record: CaseRecord, scan: Scan, formats: Collection[str]) -> str:
    """Write a corrected case again, if the header of its scan, its formats or its files require it.

    Args:
        results: the folder of all cases.
        folder: of the case.
        record: of the case.
        scan: of the case, where it is now.
        formats: by name: all that anybody asked for.

    Returns:
        What to say of the case.

    Raises:
        ResourceError: the file system refuses a write.
        UnusableError: the scan or the case cannot be read.
    """
    review, has_other_header = record.review, scan.has_other_header(record)
    is_written = set(formats) <= set(record.formats) and has_its_files(folder, record) and folder.overlay.is_file()
    if review is None or (is_written and not has_other_header):
        return record.remark
    mask, description = read_mask(folder.mask), read_description(folder)
    if has_other_header:
        mask, description, review = _measured_again(folder, record, review, scan)
    written = write_case(
        folder, scan, mask, description, author_of(results, record, review), formats=other_formats(formats)
    )
    remark = in_one(
        written,
        remark_of(record, mask, description, Moments(**record.chosen_phases)),
        _AGAIN if has_other_header else "",
    )
    changes = {"formats": tuple(sorted(formats)), "remark": remark, "review": review, "outdated": ""}
    header = {"header": scan.header, "grid": RecordedGrid.of(mask.grid)} if has_other_header else {}
    record.model_copy(update=changes | header | {"sha256": format_hashes(folder)}).write(folder)
    return remark


def has_its_files(folder: CaseFolder, record: CaseRecord) -> bool:
    """Whether the masks and objects that were written lie there unchanged."""
    try:
        return all(sha256(folder.path / name) == digest for name, digest in record.sha256.items())
    except OSError:
        return False


def _measured_again(
    folder: CaseFolder, record: CaseRecord, review: Review, scan: Scan
) -> tuple[Cine, Description, Review]:
    """The masks, now on the grid of the scan, their measures, and the review with those of the network's mask."""
    mask, prediction = read_mask(folder.mask), read_prediction(folder)
    scale, cine = scan.cine.grid.voxel_ml / mask.grid.voxel_ml, scan.cine
    stack = scan.case.series.stack if scan.case.series else None
    before = replace(
        read_description(folder),
        acquisition=completed(scan.case.acquisition, record.patient, stack),
        times_ms=cine.times_ms,
    )
    curves = [{key: tuple(ml * scale for ml in curve) for key, curve in fold.items()} for fold in before.fold_curves_ml]
    before = replace(before, fold_curves_ml=tuple(curves))
    mask = Cine(mask.voxels, cine.grid, cine.times_ms)
    network = prediction.mask and Cine(prediction.mask.voxels, cine.grid, cine.times_ms)
    predicted = Prediction(network, _of_network(network, prediction, before), prediction.chosen)
    description = describe_corrected(Corrected(mask, mask, predicted, Moments(**review.by_hand)), before)
    if network and folder.predicted_mask.is_file():
        write_as(folder.predicted_mask, network)
    write_as(folder.mask, mask)
    return mask, description, review.model_copy(update={"predicted": predicted.measures.document()})


def _of_network(network: Cine | None, prediction: Prediction, before: Description) -> Measures:
    """The measures of the network's mask; where that is lost, only its phases are known on another grid."""
    earlier = prediction.measures
    if network is None:
        return Measures({key: value for key, value in earlier.known.items() if key.endswith("_phase")})
    return describe(network, earlier.structures, before.acquisition, prediction.chosen, before.fold_curves_ml).measures
