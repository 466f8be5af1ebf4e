"""Foreign formats: files that cardioseg does not read, recognised by their first bytes, and what to do with them."""

import re
from pathlib import Path

from cardioseg.archive.member_paths import open_file
from cardioseg.errors import UnusableError

START_BYTES = 1024  # enough to recognise the formats
_AS_NIFTI = "save it as NIfTI (.nii.gz), for instance with 3D Slicer, ITK-SNAP or SimpleITK"
_UNPACK = "unpack it and give the folder"
_EXPORT = "give the DICOM or NIfTI files that it was made from"
_DICOMDIR_CLASS = b"1.2.840.10008.1.3.10"
_HEADER_BYTES = 348  # the first number in the file, in either byte order
_PAIR, _SINGLE, _PAIR_2, _SINGLE_2 = b"ni1\0", b"n+1\0", b"ni2\0", b"n+2\0"
_REGULAR, _ANALYZE = slice(38, 39), b"r"  # a mark that every program sets
_DICOMDIR = ("a DICOMDIR, which lists files but holds no images", "the files that it lists must lie in its folder")
_WORKSPACE = ("a workspace of cvi42, which holds contours but no images", _EXPORT)
_SPLIT_ZIP = ("one part of a split zip archive", _UNPACK)
_PART_SUFFIX = re.compile(r"\.z\d\d")
_WORKSPACES = (".cvi42wsx", ".cvi42wsx.zip")
_PAIRED = (
    "one half of a NIfTI pair (.hdr and .img)",
    "keep both files in one folder, with the same name, and give the .hdr file",
)
_OTHER_NAME = ("a NIfTI file by another name", "name it .nii, or .nii.gz if it is compressed")
_BEGINNINGS: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "a zip archive", _UNPACK),
    (b"PK\x05\x06", "an empty zip archive", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"Rar!\x1a\x07", "a rar archive", _UNPACK),
    (b"BZh", "packed with bzip2", _UNPACK),
    (b"\xfd7zXZ\0", "packed with xz", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "packed with zstd", _UNPACK),
    (b"\x1f\x8b", "packed with gzip", _UNPACK),
    (b"NRRD", "an NRRD image by another name, or a header without its voxels", "save it as one .nrrd file"),
    (b"ObjectType", "a MetaImage (.mha, .mhd)", _AS_NIFTI),
    (b"NDims", "a MetaImage (.mha, .mhd)", _AS_NIFTI),
    (b"MATLAB", "a MATLAB file", "save its volume as NIfTI with niftiwrite, or give the DICOM files"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file (.h5, MATLAB 7.3 or MINC)", _EXPORT),
    (b"CDF\x01", "a NetCDF file (MINC)", _AS_NIFTI),
    (b"\x93NUMPY", "a NumPy array, which has no geometry", _EXPORT),
    (b"\x89PNG\r\n", "a PNG picture, which has no geometry", _EXPORT),
    (b"\xff\xd8\xff", "a JPEG picture, which has no geometry", _EXPORT),
    (b"GIF8", "a GIF picture, which has no geometry", _EXPORT),
    (b"II*\0", "a TIFF picture, which has no geometry", _EXPORT),
    (b"MM\0*", "a TIFF picture, which has no geometry", _EXPORT),
    (b"%PDF", "a PDF document", _EXPORT),
    (b"# === DATA DESCRIPTION FILE", "a Philips PAR file", "convert PAR and REC to NIfTI with dcm2niix"),
)
_SUFFIXES: dict[str, tuple[str, str]] = {  # of files without characteristic first bytes
    ".iso": ("the image of a disc", "mount it and give the folder"),
    ".bmp": ("a BMP picture, which has no geometry", _EXPORT),
    ".raw": ("bare voxels, whose geometry is in another file", _AS_NIFTI),
    ".zraw": ("bare voxels, whose geometry is in another file", _AS_NIFTI),
    ".rec": ("the voxels of a Philips PAR file", "convert PAR and REC to NIfTI with dcm2niix"),
    ".mgz": ("a FreeSurfer image", "convert it with mri_convert"),
    ".mgh": ("a FreeSurfer image", "convert it with mri_convert"),
    ".mif": ("an MRtrix image", "convert it with mrconvert"),
    ".avi": ("a film, which has no geometry", _EXPORT),
    ".mp4": ("a film, which has no geometry", _EXPORT),
}


def foreign(path: Path) -> tuple[str, str] | None:
    """The format of a file and what to do with it, if the format is known but not read.

    Files with a NIfTI name are checked by the NIfTI reader.
    """
    start = _start(path)
    return foreign_content(path.name, start) if start else None


def is_dicomdir(path: Path) -> bool:
    """Whether a file is the list of the files on a disc or in a folder."""
    return foreign_content(path.name, _start(path)) == _DICOMDIR


def _start(path: Path) -> bytes:
    """The first bytes of a file; none if it cannot be read."""
    try:
        with open_file(path) as file:
            return file.read(START_BYTES)
    except (OSError, UnusableError):
        return b""


def foreign_content(name: str, start: bytes) -> tuple[str, str] | None:
    """As `foreign`, from a file's name and its first `START_BYTES`, unpacked."""
    if start[128:132] == b"DICM":
        return _DICOMDIR if _DICOMDIR_CLASS + b"\0" in start or name.upper() == "DICOMDIR" else None
    if name.lower().endswith(_WORKSPACES):
        return _WORKSPACE
    if _PART_SUFFIX.fullmatch(Path(name).suffix.lower()):
        return _SPLIT_ZIP
    for beginning, format_name, remedy in _BEGINNINGS:
        if start.startswith(beginning):
            return format_name, remedy
    if start[257:262] == b"ustar":
        return "a tar archive", _UNPACK
    return _nifti_relative(name, start) or _SUFFIXES.get(Path(name).suffix.lower())


def _nifti_relative(name: str, start: bytes) -> tuple[str, str] | None:
    """Formats related to NIfTI."""
    length = {int.from_bytes(start[:4], order) for order in ("little", "big")}
    magic = start[344:348]
    if start[4:8] in (_PAIR_2, _SINGLE_2):
        return _PAIRED if start[4:8] == _PAIR_2 else _OTHER_NAME
    if _HEADER_BYTES in length and len(start) >= _HEADER_BYTES:
        if magic == _PAIR:
            return _PAIRED
        if magic == _SINGLE:
            return _OTHER_NAME
        if start[_REGULAR] == _ANALYZE:
            return (
                "an Analyze image, which does not tell left from right",
                "give the DICOM files, or NIfTI made of them",
            )
    return _PAIRED if name.lower().endswith((".img", ".img.gz", ".hdr.gz")) else None
