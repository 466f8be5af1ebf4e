"""Tables that people write: every form is read, with the lines of its rows, and what is ambiguous is refused."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardioseg.errors import UnusableError
from cardioseg.text_table import Row, columns_of, is_blank, read_table

CELLS = {"case_id": "Müller", "age": "61"}


def table(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "table.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_form_gives_the_same_rows(tmp_path: Path, encoding: str, separator: str, end: str) -> None:
    lines = [separator.join(cells) for cells in (("Case ID", " AGE "), ("Müller", " 61"), ("", ""), ("b", ""))]
    path = table(tmp_path, end.join([*lines, ""]), encoding)
    assert read_table(path).rows == (Row(2, CELLS), Row(4, {"case_id": "b", "age": ""}))
    assert columns_of(path) == read_table(path).columns == ("case_id", "age")


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;", "sep=;,,,"])
def test_the_separator_that_excel_reads(tmp_path: Path, line: str) -> None:
    path = table(tmp_path, f"{line}\ncase_id;a,b,c\nx;1\n")
    assert read_table(path).rows == (Row(3, {"case_id": "x", "a,b,c": "1"}),)
    assert columns_of(path) == ("case_id", "a,b,c")


def test_a_tab_as_the_separator_that_excel_reads(tmp_path: Path) -> None:
    assert read_table(table(tmp_path, "sep=\t\na,b\tc\n1\t2\n")).rows == (Row(3, {"a,b": "1", "c": "2"}),)


def test_the_separator_that_makes_the_wanted_column_comes_first(tmp_path: Path) -> None:
    path = table(tmp_path, "case_id;a,b,c\nx;1\n")
    assert read_table(path, "case_id").columns == ("case_id", "a,b,c")
    assert read_table(path).columns == ("case_id;a", "b", "c")


def test_cells_of_several_lines_keep_the_line_of_their_row(tmp_path: Path) -> None:
    path = table(tmp_path, 'a,b\n"one\r\ntwo",2\nthree,4\n')
    assert read_table(path).rows == (Row(2, {"a": "one\ntwo", "b": "2"}), Row(4, {"a": "three", "b": "4"}))


def test_an_umlaut_far_behind_the_header_in_a_code_page(tmp_path: Path) -> None:
    path = table(tmp_path, "case_id\n" + 30_000 * "abc\n" + "Müller\n", "cp1252")
    assert read_table(path).rows[-1] == Row(30_002, {"case_id": "Müller"})


def test_columns_without_a_name_are_left_out(tmp_path: Path) -> None:
    assert read_table(table(tmp_path, ",a,\n1,2,3\n")).rows == (Row(2, {"a": "2"}),)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a,A\n1,2\n", r"has the column a twice \(remove one"),
        ("a b,A-B\n1,2\n", "has the column a_b twice"),
        ("a,b\n1,2,\n1,2,3\n", r"line 3: it has more cells than the header \(put values with a comma in quotes"),
        ("a,b\n" + 200_000 * "x" + ",1\n", "cannot be read as a CSV"),
    ],
)
def test_what_is_ambiguous_or_broken_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(UnusableError, match=complaint):
        read_table(table(tmp_path, text))


def test_what_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(UnusableError, match="cannot be read as a CSV: no such file"):
        read_table(tmp_path / "gone.csv")
    assert columns_of(tmp_path / "gone.csv") == columns_of(tmp_path) == ()
    assert read_table(table(tmp_path, "")).columns == read_table(table(tmp_path, "\n;;\n")).columns == ()
    assert is_blank(table(tmp_path, " \n"))
    assert not is_blank(table(tmp_path, "x"))
    assert not is_blank(tmp_path)
    assert columns_of(table(tmp_path, "PK\3\4\0\0a,b\n")) == ()


@settings(max_examples=60, deadline=None, database=None)
@given(
    st.lists(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=5), min_size=2, max_size=2)
    ),
    st.sampled_from(",;\t|"),
)
def test_what_the_csv_module_writes_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], separator: str
) -> None:
    stream = io.StringIO()
    csv.writer(stream, delimiter=separator, lineterminator="\n").writerows([["one", "two"], *rows])
    read = read_table(table(tmp_path_factory.getbasetemp(), stream.getvalue()), "one").rows
    expected = [[value.strip() for value in row] for row in rows]
    assert [list(row.cells.values()) for row in read] == [row for row in expected if any(row)]
