"""Case names: the name of a case on a picture, in a font that has its letters, or else marked by a hash."""

from functools import cache
from hashlib import sha256
from unicodedata import bidirectional, normalize

from PIL import ImageFont, features

from cardioseg.report.drawing import text_font
from cardioseg.report.plain_letters import ascii_text

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_INSTALLED = "DejaVuSans.ttf", "NotoSans-Regular.ttf", "arial.ttf", "NotoSansCJK-Regular.ttc"  # where Pillow finds them
_NO_LETTER = "\uffff"
_FROM_RIGHT = {"R", "AL"}
_HASH_DIGITS = 8


def drawn_name(name: str, size_px: int) -> tuple[str, Font]:
    """The text that stands for a name on a picture, and its font. Two names never become the same text.

    ASCII is drawn in Pillow's own font, which has no other letters; another name in the first font of the machine that
    has all its letters. Where none has, the name is written in ASCII with a hash of the whole name: `??_001 #9c1f03ab`.

    Args:
        name: of a case.
        size_px: height of the font.
    """
    if name.isascii() and name.isprintable():
        return name, text_font(size_px)
    if name == normalize("NFC", name):  # the same letters in other code points look alike
        for file in _INSTALLED:
            font = _installed(file, size_px)
            if font and all(_has(font, letter) for letter in name):
                return name, font
    plain = "".join(letter if letter.isprintable() else "?" for letter in ascii_text(name))
    digest = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{plain} #{digest[:_HASH_DIGITS]}", text_font(size_px)


@cache
def _installed(file: str, size_px: int) -> ImageFont.FreeTypeFont | None:
    try:
        return ImageFont.truetype(file, size_px)
    except (OSError, ImportError):
        return None


def _has(font: ImageFont.FreeTypeFont, letter: str) -> bool:
    """Whether a font draws a letter, in the right order; what is invisible is not drawn."""
    if bidirectional(letter) in _FROM_RIGHT and not features.check("raqm"):
        return False
    drawn = font.getmask(letter)
    return letter == " " or (drawn.getbbox() is not None and bytes(drawn) != bytes(font.getmask(_NO_LETTER)))
