"""The report as a document: complete, escaped, self-contained."""

import re
from base64 import b64decode, b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from cardioseg.image.flag import Flag
from cardioseg.image.labels import Label
from cardioseg.measure.acquisition import Acquisition
from cardioseg.measure.case_measures import Measures
from cardioseg.report import run_report as html
from cardioseg.report.case_report import CaseReport
from cardioseg.report.page_frame import RESEARCH_USE
from cardioseg.report.run_report import flatten, write_report

HOSTILE = """<script>alert(1)</script>"onload='x' & {{ 7 * 7 }} </style>"""
MEASURES = Measures(
    {"lv_edv_ml": 180.04, "lv_esv_ml": 110.0, "lv_sv_ml": 70.04, "lv_ef_percent": 38.9, "ed_phase": 18, "es_phase": 7}
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
        if not {"style", "script"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    path = tmp_path / "out" / "a" / "overlay.png"
    path.parent.mkdir(parents=True)
    Image.new("L", (30, 20)).save(path)
    return path


def page(tmp_path: Path, *cases: CaseReport, run: dict[str, object] | None = None) -> Page:
    path = tmp_path / "out" / "report.html"
    write_report(path, RUN if run is None else run, cases)
    parsed = Page(path.read_text(encoding="utf-8"))
    assert parsed.open == []
    return parsed


def attributes_of(found: Page, tag: str) -> list[dict[str, str | None]]:
    return [attributes for name, attributes in found.tags if name == tag]


def test_holds_what_it_is_given(tmp_path: Path, overlay: Path) -> None:
    case = CaseReport("SCD0000101", "done", "edited", MEASURES, CURVES, pictures=[overlay])
    found = page(tmp_path, case, CaseReport("b", "failed", "the slice near 40 mm is missing (`inspect b` says more)"))
    for expected in ("model sax", "cardioseg 1.2.3", "2 cases, 1 failed", "SCD0000101", "edited", "180.0", "38.9"):
        assert expected in found.text
    assert "the slice near 40 mm is missing ( inspect b says more)" in found.text
    assert found.text.count(RESEARCH_USE) == 1
    assert "polyline" in [tag for tag, _ in found.tags]
    [picture] = attributes_of(found, "img")
    assert b64decode((picture["src"] or "").removeprefix("data:image/png;base64,")) == overlay.read_bytes()
    assert (picture["width"], picture["height"]) == ("30", "20")


def test_flags_are_said_in_words_with_their_place(tmp_path: Path) -> None:
    flags = [Flag("open ring", "12 % is open", 7, 3), Flag("implausible value", "lv_ef_percent is 4 %")]
    text = page(tmp_path, CaseReport("a", "done", measures=MEASURES, flags=flags)).text
    assert "open ring slice 3, phase 7 12 % is open" in text
    assert "LV EF is 4 %" in text
    assert "2 flags open ring, implausible value" in text
    assert "1 case, 1 flagged" in text


def test_who_needs_a_human_comes_first(tmp_path: Path) -> None:
    flag = Flag("open ring", "")
    cases = [
        CaseReport("clean", "done", measures=MEASURES),
        CaseReport("two", "done", measures=MEASURES, flags=[flag, flag]),
        CaseReport("one", "done", measures=MEASURES, flags=[flag]),
        CaseReport("broken", "failed", "why"),
        CaseReport("clean too", "done", measures=MEASURES),
    ]
    heads = attributes_of(page(tmp_path, *cases), "th")
    assert [head["data-value"] for head in heads if "data-value" in head] == [
        "broken",
        "two",
        "one",
        "clean",
        "clean too",
    ]


def test_both_ventricles_error_bars_and_the_body(tmp_path: Path) -> None:
    measures = Measures(
        {
            "lv_edv_ml": 120.0,
            "lv_edv_sd_ml": 2.04,
            "rv_edv_ml": 130.0,
            "lv_mass_g": 90.0,
            "lv_edv_index_ml_per_m2": 60.0,
            "bsa_m2": 2.0,
        }
    )
    text = page(tmp_path, CaseReport("a", "done", measures=measures)).text
    assert (
        "LV RV EDV 120.0 ± 2.0 130.0 mL Mass 90.0 g EDV / BSA 60.0 – mL/m² Scan and body Body surface area 2.00 m²"
        in text
    )
    assert "standard deviation over the model's networks" in text
    person = Acquisition(1.7, 70.4, sex="F", age_years=61.2)
    text = page(tmp_path, CaseReport("a", "done", measures=measures, acquisition=person)).text
    assert "Scan and body Sex female Age 61 years Height 170 cm Weight 70 kg Body surface area" in text
    assert "standard deviation" not in page(tmp_path, CaseReport("a", "done", measures=MEASURES)).text


def test_loads_nothing_from_outside_and_runs_no_script_but_its_own(tmp_path: Path, overlay: Path) -> None:
    found = page(tmp_path, CaseReport("a", "done", measures=MEASURES, curves_ml=CURVES, pictures=[overlay]))
    assert not {tag for tag, _ in found.tags} & {"link", "iframe", "object", "embed", "base", "form"}
    for _, attributes in found.tags:
        assert not any(name.startswith("on") for name in attributes)
        assert (attributes.get("src") or "data:").startswith("data:")
        assert (attributes.get("href") or "#").startswith("#")
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"https?://|@import|url\(|fetch|XMLHttp|innerHTML", text)
    [script] = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    allowed = b64encode(sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{allowed}'" in text


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    run = {"model": HOSTILE, "version": HOSTILE, HOSTILE: HOSTILE}
    flag = Flag(HOSTILE, f"{HOSTILE} `{HOSTILE}`")
    cases = [CaseReport(HOSTILE, status, f"`{HOSTILE}`", MEASURES, flags=[flag]) for status in ("done", HOSTILE)]
    found = page(tmp_path, *cases, run=run)
    assert len(attributes_of(found, "script")) == 1
    assert not any("onload" in attributes for _, attributes in found.tags)
    assert found.text.count(" ".join(HOSTILE.split())) >= 12
    assert "49" not in found.text


def test_nothing_unknown_is_spelt_out(tmp_path: Path) -> None:
    found = page(
        tmp_path,
        CaseReport("empty", "done", measures=Measures(), curves_ml={Label.LV_CAVITY: (0.0, 0.0)}),
        CaseReport("single", "done", measures=Measures({"lv_edv_ml": 100.0}), curves_ml={Label.LV_CAVITY: (100.0,)}),
        CaseReport("failed", "failed"),
        run={"model": None, "seed": None, "list": [None, 1]},
    )
    raw = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"\b(None|nan|NaN|Undefined)\b", raw)
    assert "polyline" not in {tag for tag, _ in found.tags}


def test_columns_that_no_case_has_are_left_out(tmp_path: Path) -> None:
    assert "RV" not in page(tmp_path, CaseReport("a", "done", measures=MEASURES)).text
    with_rv = Measures({"rv_edv_ml": 140.0})
    assert (
        "RV"
        in page(tmp_path, CaseReport("a", "done", measures=MEASURES), CaseReport("b", "done", measures=with_rv)).text
    )


def test_every_row_is_as_wide_as_the_head(tmp_path: Path) -> None:
    found = page(tmp_path, CaseReport("a", "done", measures=MEASURES), CaseReport("b", "failed"))
    rows = found.tags[[tag for tag, _ in found.tags].index("thead") :]
    widths = [0]
    for tag, attributes in rows[: [tag for tag, _ in rows].index("p")]:
        if tag == "tr":
            widths.append(0)
        widths[-1] += int(attributes.get("colspan") or 1) * (tag in ("th", "td"))
    assert len(widths) == 5
    assert len(set(widths[1:])) == 1


def test_no_case_at_all(tmp_path: Path) -> None:
    assert "No case" in page(tmp_path, run={}).text


def test_links_lead_to_their_cases(tmp_path: Path) -> None:
    found = page(tmp_path, *(CaseReport(name, "done", measures=MEASURES) for name in "abc"))
    targets = [f"#{attributes['id']}" for _, attributes in found.tags if "id" in attributes]
    assert targets == ["#top", "#case-1", "#case-2", "#case-3"]
    assert [link["href"] for link in attributes_of(found, "a")] == targets[1:] + ["#top"] * 3


def test_many_pictures_are_shown_from_beside_the_page(
    tmp_path: Path, overlay: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(html, "_EMBED_LIMIT_BYTES", overlay.stat().st_size)
    calm = CaseReport("a", "done", measures=MEASURES, pictures=[overlay])
    found = page(tmp_path, calm, CaseReport("b", "done", flags=[Flag("open ring", "")], pictures=[overlay]))
    pictures = attributes_of(found, "img")
    assert [(picture["src"], picture["loading"]) for picture in pictures] == [("a/overlay.png", "lazy")] * 2
    assert "img-src data: 'self' file:;" in (tmp_path / "out" / "report.html").read_text()


def test_of_a_cohort_the_most_urgent_have_sections(
    tmp_path: Path, overlay: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(html, "_SECTIONS", 2)
    monkeypatch.setattr(html, "_ROWS", 4)
    cases = [CaseReport(name, "done", measures=MEASURES, pictures=[overlay]) for name in "abcd"]
    found = page(tmp_path, *cases, CaseReport("e", "failed", "why"))
    assert [link["href"] for link in attributes_of(found, "a")] == ["#case-2", *["a/overlay.png"] * 2, "#top"]
    assert "5 cases, 1 failed" in found.text
    assert "1 more cases, with fewer flags or none, are only in measures.csv" in found.text


def test_pictures_that_are_gone_are_no_failure(tmp_path: Path, overlay: Path) -> None:
    overlay.write_bytes(b"no picture")
    pictures = [tmp_path / "gone.png", overlay]
    assert not attributes_of(page(tmp_path, CaseReport("a", "done", measures=MEASURES, pictures=pictures)), "img")


def test_a_loop_is_shown_beside_the_curve(tmp_path: Path, overlay: Path) -> None:
    loop = overlay.with_name("cine.gif")
    Image.new("L", (30, 10)).save(loop)
    found = page(tmp_path, CaseReport("a", "done", measures=MEASURES, curves_ml=CURVES, pictures=[overlay, loop]))
    assert [(picture["src"] or "")[:15] for picture in attributes_of(found, "img")] == [
        "data:image/gif;",
        "data:image/png;",
    ]


def test_the_same_input_gives_the_same_bytes(tmp_path: Path, overlay: Path) -> None:
    case = CaseReport("a", "done", measures=MEASURES, curves_ml=CURVES, pictures=[overlay])
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


def test_every_printed_page_says_that_it_is_for_research(tmp_path: Path) -> None:
    page(tmp_path, CaseReport("a", "done", measures=MEASURES))
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert '@media print { @page { @bottom-left { content: "For research use only.' in text
