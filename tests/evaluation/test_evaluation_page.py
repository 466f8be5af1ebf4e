"""The pages of an evaluation and of a comparison, as text."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hearts import evaluated, heart, pairs, without_scan

from cardioseg import __version__
from cardioseg.evaluation import systems
from cardioseg.evaluation.comparison import collect
from cardioseg.evaluation.evaluation_page import write_comparison, write_evaluation
from cardioseg.evaluation.judgement import judge
from cardioseg.evaluation.origin import Origin
from cardioseg.evaluation.result import Evaluation
from cardioseg.evaluation.systems import SystemTest, compare
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.measure.significance import PairedTest
from cardioseg.report.page_frame import RESEARCH_USE
from cardioseg.skipped import Skipped

HOSTILE = """<script>alert(1)</script>"onload='x' & {{ 7 * 7 }} </style>"""


class Page(HTMLParser):
    """Tags with their attributes, and the text outside scripts and styles."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._silent = False
        self.feed(self.source)
        self.text = re.sub(r"\s+", " ", self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._silent = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002
        self._silent = False

    def handle_data(self, data: str) -> None:
        self.text += "" if self._silent else f" {data} "

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        return [own for name, own in self.tags if name == tag and wanted.items() <= own.items()]


def page_of(evaluation: Evaluation, folder: Path, name: str = "unet") -> Page:
    write_evaluation(evaluation, name, folder)
    return Page(folder / "evaluation.html")


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return evaluated()


@pytest.fixture(scope="module")
def page(evaluation: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> Page:
    return page_of(evaluation, tmp_path_factory.mktemp("out"))


def test_what_was_compared_and_by_which_rules(page: Page, evaluation: Evaluation) -> None:
    assert "Evaluation of unet" in page.text
    assert "against hearts · 6 volumes of 3 subjects, 30 slices · RV cavity, LV myocardium, LV cavity" in page.text
    assert "Cross validation: seed 0, 3 folds, nothing shared" in page.text
    assert page.text.count(RESEARCH_USE) == 1
    assert re.sub(r"\s+", " ", evaluation.protocol) in page.text
    assert f"cardioseg {__version__}" in page.text
    assert "model sha256" not in page.text


def test_headline(page: Page, evaluation: Evaluation) -> None:
    for one in evaluation.summary:
        if one.group == "all":
            for spreads, name, digits in (
                (one.per_volume, "dice", 3),
                (one.per_slice, "dice", 3),
                (one.per_subject, "dice", 3),
                (one.per_volume, "hd95_mm", 1),
                (one.per_volume, "assd_mm", 2),
            ):
                spread = spreads[name]
                assert f"{spread.mean:.{digits}f} ± {spread.std:.{digits}f} ({spread.n})" in page.text


def test_groups(page: Page, evaluation: Evaluation) -> None:
    part = page.text.partition("Where the errors are")[2].partition("Spread over volumes")[0]
    for one in evaluation.summary:
        if one.group != "all" and one.per_slice["dice"].std is not None:
            assert f"{one.per_slice['dice'].mean:.3f} ± {one.per_slice['dice'].std:.3f}" in part
    assert "ED ES base mid apex" in re.sub(r"\s+", " ", part)


def test_what_is_wrong_stands_first(evaluation: Evaluation, tmp_path: Path) -> None:
    mistakes = (Skipped("large_ed ed", "its columns look flipped"),)
    problems = tuple(Skipped(f"case{number}", "no prediction, `predict` it") for number in range(30))
    page = page_of(replace(evaluation, mistakes=mistakes, problems=problems), tmp_path)
    assert "Looks wrong: 1 large_ed ed its columns look flipped" in page.text
    assert page.text.index("Looks wrong") < page.text.index("Not compared: 30") < page.text.index("Mean ± SD")
    assert "18 more" in page.text
    assert page.source.count("<code>predict</code>") == 30
    assert "Looks wrong" not in page_of(replace(evaluation, problems=()), tmp_path).text


def test_agreement(page: Page, evaluation: Evaluation) -> None:
    assert len([own for own in page.all("svg") if "Bland-Altman" in (own.get("aria-label") or "")]) == 9
    found = evaluation.agreements["lv_edv_ml"]
    assert found.bias is not None
    row = re.search(r"LV EDV \(mL\) 3 \S+ \S+ (\S+) \[", page.text)
    assert row is not None
    assert float(row[1].replace("−", "-")) == pytest.approx(found.bias.mean, abs=0.051)


def test_the_worst_come_first_with_their_slices(page: Page) -> None:
    part = page.source.partition("Worst first")[2].partition("All volumes")[0]
    assert re.findall(r"<h3>(\w+)_e[ds] ", part) == ["middle"] * 2 + ["small"] * 2 + ["large"] * 2
    assert len(page.all("image")) == 30
    assert all((own["href"] or "").startswith("data:image/png;base64,") for own in page.all("image"))


def test_the_table_has_every_volume_the_lowest_dice_first(page: Page, evaluation: Evaluation) -> None:
    table = page.source.partition('class="overview sortable volumes"')[2].partition("</table>")[0]
    rows = [re.findall(r'data-value="([^"]*)"', row) for row in table.split("<tr")[2:]]
    expected = sorted(evaluation.scores, key=lambda one: one.overlap.dice or 0)
    assert [(row[0], row[2], float(row[3])) for row in rows] == [
        (one.case_id, one.label.title, one.overlap.dice) for one in expected
    ]
    assert [float(row[8]) for row in rows] == [one.difference_ml for one in expected]
    links = re.findall(r'href="#(worst-\d+)"', table)
    assert set(links) == {own["id"] for own in page.all("figure") if own.get("id")}


def test_it_loads_nothing_and_runs_no_script_but_its_own(page: Page) -> None:
    [policy] = [own["content"] or "" for own in page.all("meta") if own.get("http-equiv")]
    assert policy.startswith("default-src 'none'; img-src data:")
    assert re.search("script-src 'sha256-[^']+'$", policy)
    assert not re.search(r"https?://|url\(|@import", page.source.replace("data:", ""))


def test_names_are_text_and_nothing_more(tmp_path: Path) -> None:
    ours = [replace(pair, subject_id=HOSTILE, case_id=HOSTILE) for pair in pairs({"small": 1})]
    found = collect([judge([Skipped(HOSTILE, HOSTILE), *ours], STRUCTURES)], Origin(HOSTILE, HOSTILE))
    page = page_of(found, tmp_path, HOSTILE)
    assert page.source.count("<script>") == len(page.all("script")) == 1
    assert page.source.count("</style>") == 1
    assert page.text.count(re.sub(r"\s+", " ", HOSTILE)) > 5
    write_comparison({HOSTILE: found}, (), tmp_path, {HOSTILE: "a/evaluation.html"})
    assert len(Page(tmp_path / "comparison.html").all("script")) == 1


def test_masks_without_scan_and_spacing(tmp_path: Path) -> None:
    volume, _ = heart(26.0)
    bare = replace(
        volume, name="", spacing_mm=None, grid=None, annotated=volume.annotated & (np.arange(4) == Label.LV_CAVITY)
    )
    [pair, _] = pairs({"middle": 1})
    page = page_of(
        collect([judge([without_scan(replace(pair, reference=bare))], [Label.LV_CAVITY])], Origin("", "")), tmp_path
    )
    assert page.all("image") == []
    assert "Agreement of measures" not in page.text
    assert "HD95 (mm)" not in page.text
    assert "1 volume of 1 subject, 5 slices · LV cavity" in page.text
    assert "against" not in page.text.partition("Mean ± SD")[0]
    assert len(page.all("path", **{"class": "reference"})) > 0


def test_a_comparison_links_its_systems(tmp_path: Path) -> None:
    found = {"unet": evaluated(), "other": evaluated(small=3, middle=3, large=3)}
    links = {"unet": "unet/evaluation.html", "other": "other-2/evaluation.html"}
    write_comparison(found, compare(found), tmp_path, links)
    page = Page(tmp_path / "comparison.html")
    assert [own["href"] for own in page.all("a") if own.get("href")] == list(links.values())
    assert re.sub(r"\s+", " ", systems.PROTOCOL) in page.text
    assert page.text.count(RESEARCH_USE) == 1
    assert len(page.all("tr")) == 2 + 2 + 1 + 6
    [one] = [one for one in found["unet"].summary if (one.label, one.group) == (Label.LV_CAVITY, "all")]
    assert f"{one.per_subject['dice'].mean:.3f} ± {one.per_subject['dice'].std:.3f} (3)" in page.text
    assert "Too few subjects: in 6 of 6 tests no corrected p below 0.05 is possible" in page.text


@pytest.mark.parametrize(
    ("metric", "difference", "effect", "p", "better"),
    [
        *(("dice", 0.1, 0.5, 0.01, "a"), ("dice", -0.1, -0.5, 0.01, "b"), ("dice", 0.1, 0.5, 0.05, "")),
        *(("hd95_mm", 0.1, 0.5, 0.01, "b"), ("hd95_mm", 0.0, -0.5, 0.01, "a")),
        *(
            ("dice", 0.1, -0.5, 0.01, ""),
            ("hd95_mm", -0.1, 0.5, 0.01, ""),
        ),  # most subjects favour another than the mean
    ],
)
def test_the_better_system_is_bold_where_it_is_no_chance(
    tmp_path: Path, metric: str, difference: float, effect: float, p: float, better: str
) -> None:
    test = SystemTest(
        Label.LV_CAVITY, metric, "a", "b", 0.9, 0.8, PairedTest(difference, effect, p / 2, p, 20), 20, 40, 300, 5, 0
    )
    write_comparison({"a": evaluated(), "b": evaluated()}, [test], tmp_path, {"a": "a", "b": "b"})
    assert re.findall(r"<b>(\w)</b>", (tmp_path / "comparison.html").read_text()) == ([better] if better else [])


def test_systems_without_a_label_in_common(tmp_path: Path) -> None:
    left, right = (
        collect([judge(pairs({"small": 1}), [label])], Origin("", "")) for label in (Label.LV_CAVITY, Label.RV_CAVITY)
    )
    write_comparison({"a": left, "b": right}, (), tmp_path, {"a": "a", "b": "b"})
    page = Page(tmp_path / "comparison.html")
    assert "Not tested: a and b: they have no label in common." in page.text
    assert "RV cavity LV cavity" in page.text
