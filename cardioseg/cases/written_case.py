"""Written case: what is written of a mask into the folder of its case, whether a network drew it or a person too."""

from collections.abc import Collection

from cardioseg.cases.scan import Scan
from cardioseg.files import sha256
from cardioseg.image.volume import Cine
from cardioseg.report.dicom_object import Author
from cardioseg.results.case_pictures import write_pictures
from cardioseg.results.description import Description, read_description
from cardioseg.results.folder import CaseFolder
from cardioseg.results.formats import format_files, remove_objects, write_formats
from cardioseg.results.formats.predicted import PredictedCase
from cardioseg.results.outcome import in_one


def write_case(
    folder: CaseFolder, scan: Scan, mask: Cine, description: Description, author: Author, *, formats: Collection[str]
) -> str:
    """Write measures, pictures and the mask in these formats; what an earlier mask left there is gone.

    Args:
        folder: the case's.
        scan: that the mask was drawn on.
        mask: `Label` values (phase, slice, row, column).
        description: of the mask.
        author: who drew it.
        formats: by name.

    Returns:
        What cannot be written and why, or nothing. Paths of the scan may be in it.

    Raises:
        ResourceError: the file system refuses a write.
        UnusableError: the scan cannot be read.
    """
    image = scan.cine
    remove_objects(folder)  # of an earlier mask, some may be of phases that get none now
    description.write(folder)
    description = read_description(folder)  # with its rounding: all that is written says the same
    stack = scan.case.series.stack if scan.case.series else None
    drawn = PredictedCase(mask, description, tuple(description.curves_ml), author, stack, scan.case.is_4d)
    write_pictures(folder, image, mask, description.measures, flags=description.flags, title=folder.case_id)
    return scan.case.without_paths(in_one(*write_formats(drawn, folder, formats)))


def format_hashes(folder: CaseFolder) -> dict[str, str]:
    """File name -> hash, of the masks and the objects that lie in the folder."""
    return {path.name: sha256(path) for path in format_files(folder) if path.exists()}
