"""The report as a document: complete, escaped, self-contained."""

import re
from base64 import b64decode
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cardioseg.image.labels import Label
from cardioseg.measure.ventricles import VentricleMeasures
from cardioseg.report import html
from cardioseg.report.html import RESEARCH_USE, CaseReport, flatten, write_report

PNG = b"\x89PNG\r\n\x1a\n not really"
HOSTILE = """<script>alert(1)</script>"onload='x' & {{ 7 * 7 }} </style>"""
MEASURES = VentricleMeasures(
    lv_edv_ml=180.04, lv_esv_ml=110.0, lv_sv_ml=70.04, lv_ef_percent=38.9, ed_phase=18, es_phase=7
)
CURVES = {Label.LV_CAVITY: tuple(180.0 - 8 * abs(10 - phase) for phase in range(20))}
RUN = {
    "model": {"name": "sax", "sha256": "ab" * 32, "licence": None},
    "version": "1.2.3",
    "labels": ["lv_cavity"],
    "settings": {"threads": 2, "overwrite": False},
    "total_s": 12.3456789,
}


class Page(HTMLParser):
    """What a browser makes of the page: its text, tags and attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    path = tmp_path / "out" / "a" / "overlay.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(PNG)
    return path


def page(tmp_path: Path, *cases: CaseReport, run: dict[str, object] | None = None) -> Page:
    path = tmp_path / "out" / "report.html"
    write_report(path, RUN if run is None else run, cases)
    parsed = Page(path.read_text(encoding="utf-8"))
    assert parsed.open == []
    return parsed


def test_holds_what_it_is_given(tmp_path: Path, overlay: Path) -> None:
    case = CaseReport("SCD0000101", "done", measures=MEASURES, curves_ml=CURVES, overlay=overlay)
    found = page(tmp_path, case, CaseReport("b", "failed", "the slice near 40 mm is missing"))
    for expected in ("Model sax", "cardioseg 1.2.3", "1 done, 1 failed", "SCD0000101", "180.0", "38.9", "40 mm"):
        assert expected in found.text
    assert found.text.count(RESEARCH_USE) == 1
    assert "polyline" in [tag for tag, _ in found.tags]
    [source] = [attributes["src"] or "" for tag, attributes in found.tags if tag == "img"]
    assert b64decode(source.removeprefix("data:image/png;base64,")) == PNG


def test_loads_nothing_from_outside_and_runs_nothing(tmp_path: Path, overlay: Path) -> None:
    found = page(tmp_path, CaseReport("a", "done", measures=MEASURES, curves_ml=CURVES, overlay=overlay))
    tags = {tag for tag, _ in found.tags}
    assert not tags & {"script", "link", "iframe", "object", "embed", "base", "form"}
    for _, attributes in found.tags:
        assert not any(name.startswith("on") for name in attributes)
        assert (attributes.get("src") or "data:").startswith("data:")
        assert (attributes.get("href") or "#").startswith("#")
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"https?://|@import|url\(", text)
    assert "default-src 'none'" in text


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    run = {"model": HOSTILE, "version": HOSTILE, HOSTILE: HOSTILE}
    found = page(tmp_path, CaseReport(HOSTILE, HOSTILE, HOSTILE, MEASURES), run=run)
    assert "script" not in {tag for tag, _ in found.tags}
    assert not any("onload" in attributes for _, attributes in found.tags)
    assert found.text.count(" ".join(HOSTILE.split())) >= 6
    assert "49" not in found.text


def test_nothing_unknown_is_spelt_out(tmp_path: Path) -> None:
    found = page(
        tmp_path,
        CaseReport("empty", "done", measures=VentricleMeasures(), curves_ml={Label.LV_CAVITY: (0.0, 0.0)}),
        CaseReport(
            "single", "done", measures=VentricleMeasures(lv_edv_ml=100.0), curves_ml={Label.LV_CAVITY: (100.0,)}
        ),
        CaseReport("failed", "failed"),
        run={"model": None, "seed": None, "list": [None, 1]},
    )
    raw = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"\b(None|nan|NaN|Undefined)\b", raw)
    assert "polyline" not in {tag for tag, _ in found.tags}


def test_columns_that_no_case_has_are_left_out(tmp_path: Path) -> None:
    assert "RV" not in page(tmp_path, CaseReport("a", "done", measures=MEASURES)).text
    with_rv = VentricleMeasures(rv_edv_ml=140.0)
    assert (
        "RV"
        in page(tmp_path, CaseReport("a", "done", measures=MEASURES), CaseReport("b", "done", measures=with_rv)).text
    )


def test_every_row_is_as_wide_as_the_head(tmp_path: Path) -> None:
    page(tmp_path, CaseReport("a", "done", measures=MEASURES), CaseReport("b", "failed"))
    raw = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    table = raw[raw.index('<table class="overview">') : raw.index("</table>")]
    rows = table.split("<tr>")[1:]
    widths = [len(re.findall(r"<t[hd]", row)) for row in rows[1:]]
    above = sum(int(span) for span in re.findall(r'colspan="(\d+)"', rows[0])) + 2
    assert set(widths) == {above}


def test_no_case_at_all(tmp_path: Path) -> None:
    assert "No case" in page(tmp_path, run={}).text


def test_links_lead_to_their_cases(tmp_path: Path) -> None:
    found = page(tmp_path, *(CaseReport(name, "done", measures=MEASURES) for name in "abc"))
    targets = {f"#{attributes['id']}" for _, attributes in found.tags if "id" in attributes}
    assert [attributes["href"] for tag, attributes in found.tags if tag == "a"] == sorted(targets)


def test_overlays_beyond_the_limit_are_linked(tmp_path: Path, overlay: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "_EMBED_LIMIT_BYTES", len(PNG))
    found = page(tmp_path, *(CaseReport(name, "done", measures=MEASURES, overlay=overlay) for name in "ab"))
    assert len([tag for tag, _ in found.tags if tag == "img"]) == 1
    assert "a/overlay.png" in [attributes.get("href") for tag, attributes in found.tags if tag == "a"]


def test_an_overlay_that_is_gone_is_no_failure(tmp_path: Path) -> None:
    found = page(tmp_path, CaseReport("a", "done", measures=MEASURES, overlay=tmp_path / "gone.png"))
    assert "img" not in {tag for tag, _ in found.tags}


def test_the_same_input_gives_the_same_bytes(tmp_path: Path, overlay: Path) -> None:
    case = CaseReport("a", "done", measures=MEASURES, curves_ml=CURVES, overlay=overlay)
    for name in ("a.html", "b.html"):
        write_report(tmp_path / name, RUN, [case])
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_flatten_names_the_leaves() -> None:
    assert dict(flatten(RUN)) == {
        "model name": "sax",
        "model sha256": "ab" * 32,
        "version": "1.2.3",
        "labels": "lv_cavity",
        "settings threads": "2",
        "settings overwrite": "no",
        "total s": "12.3457",
    }
