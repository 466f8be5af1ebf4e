"""Plain letters: a text in the letters that every font and every character set of DICOM has."""

from unicodedata import combining, normalize

_SIGNS = str.maketrans(
    dict.fromkeys("\N{MINUS SIGN}\N{EN DASH}\N{EM DASH}", "-")
    | {"\N{PLUS-MINUS SIGN}": "+/-", "\N{RIGHTWARDS ARROW}": "->", "\N{MULTIPLICATION SIGN}": "x"}
)


def ascii_text(text: str) -> str:
    """A text in ASCII, as every character set of DICOM and Pillow's font have it.

    `m2` for `m²`, `Muller` for `Müller`, `-5` for `−5`; `?` stands for a letter that ASCII lacks.
    """
    plain = "".join(letter for letter in normalize("NFKD", text) if not combining(letter))
    return plain.translate(_SIGNS).encode("ascii", "replace").decode()
