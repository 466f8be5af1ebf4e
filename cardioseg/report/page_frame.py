"""Page: the frame of all pages: one file that loads nothing, with a style, a script and a policy that allows it."""

import re
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cardioseg.files import write_parts
from cardioseg.report.measure_columns import in_words
from cardioseg.report.palette import ON_LIGHT
from cardioseg.wording import UNKNOWN

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

RESEARCH_USE = "For research use only. Not a medical device, not for diagnosis or treatment."


def write_page(path: Path, template: str, values: Mapping[str, Any]) -> None:
    """Write one self-contained HTML page.

    Args:
        path: the HTML file.
        template: `<package>/<file>` below `cardioseg`; it extends `report/page.html.j2`.
        values: the variables of the template; None is shown as a dash. `images` is the policy's sources of images, by
            default only those inside the page.

    Raises:
        ResourceError: the file system refuses the write.
    """
    script = (files(__package__) / "report.js").read_text(encoding="utf-8")
    parts = (
        _environment()
        .get_template(template)
        .generate(
            research_use=RESEARCH_USE,
            colours={label.key: colour for label, colour in ON_LIGHT.items()},
            script=script,
            script_hash=b64encode(sha256(script.encode()).digest()).decode(),
            **{"images": "data:"} | dict(values),
        )
    )
    write_parts(path, parts)


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - slow to import

    environment = Environment(
        loader=PackageLoader("cardioseg", ""),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: UNKNOWN if value is None else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"in_words": in_words, "with_code": _with_code}
    return environment


def _with_code(text: str) -> "Markup":
    """A sentence as HTML, with its commands in backticks shown as code."""
    from markupsafe import Markup, escape  # noqa: PLC0415 - comes with jinja2

    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - it is escaped
