"""Plain letters: a text in the letters that every font and every character set of DICOM has."""

from unicodedata import combining, normalize

_DASHES = str.maketrans(dict.fromkeys("\N{MINUS SIGN}\N{EN DASH}\N{EM DASH}", "-"))


def without_accents(text: str) -> str:
    """A text in the letters that Pillow's font has: `m2` for `m²`, `Muller` for `Müller`, `-5` for `−5`."""
    plain = "".join(letter for letter in normalize("NFKD", text) if not combining(letter))
    return plain.translate(_DASHES)


def ascii_text(text: str) -> str:
    """A text in ASCII, whatever the character set of a DICOM object is; `?` stands for a letter that ASCII lacks."""
    return without_accents(text).encode("ascii", "replace").decode()
