"""What a user says of the patients: the table, the tags, and what becomes of both in the results."""

import csv
import json
from pathlib import Path

import pytest
from pydicom import dcmread
from small_phantoms import SIX_SLICES as SMALL
from thresholds import write_threshold_model

from cardioseg.cases.patients import Patient, Patients, read_patients
from cardioseg.cli.app import run
from cardioseg.errors import UsageError
from cardioseg.image.nifti import read_cine, write_cine
from cardioseg.measure.acquisition import Acquisition
from cardioseg.phantom import Phantom, cine, write_dicom

WOMAN = "case_id,sex,age,height_cm,weight_kg\na,F,61,168,64\n"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_threshold_model(tmp_path_factory.mktemp("model")))


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    for name, seed in (("a", 1), ("b", 2)):
        write_cine(tmp_path / "scans" / f"{name}.nii.gz", cine(Phantom(**{**vars(SMALL), "seed": seed})))
    return tmp_path / "scans"


def predict(scans: Path, model: str, *more: str) -> Path:
    out = scans.with_name("out")
    assert run(["predict", str(scans), "-o", str(out), "-m", model, "-q", *more]) == 0
    return out


def table(folder: Path, text: str) -> str:
    (folder / "patients.csv").write_text(text)
    return str(folder / "patients.csv")


def rows(out: Path, name: str = "measures.csv") -> dict[str, dict[str, str]]:
    with (out / name).open(newline="") as file:
        return {row["case_id"]: row for row in csv.DictReader(file)}


def test_a_table_gives_body_surface_area_and_z_scores(scans: Path, model: str, tmp_path: Path) -> None:
    out = predict(scans, model, "--patients", table(tmp_path, WOMAN), "--reference-values")
    of_a, of_b = rows(out)["a"], rows(out)["b"]
    assert float(of_a["bsa_m2"]) == pytest.approx((168 * 64 / 3600) ** 0.5, abs=0.005)
    assert float(of_a["lv_edv_z"]) == pytest.approx((float(of_a["lv_edv_ml"]) - 124) / 21, abs=0.01)
    assert {of_b[key] for key in ("bsa_m2", "lv_edv_z", "lv_ef_z")} == {""}
    assert rows(out, "status.csv")["b"]["reason"].endswith("no reference values: sex and age unknown")
    page = (out / "report.html").read_text()
    assert "88 to 161" in page
    assert "95 % of healthy women" in page
    assert "Petersen" in json.loads((out / "a" / "measures.json").read_text())["reference_values"]
    assert json.loads((out / "b" / "measures.json").read_text())["reference_values"] == ""


def test_a_table_alone_gives_the_body_and_keeps_sex_and_age_out(scans: Path, model: str, tmp_path: Path) -> None:
    out = predict(scans, model, "--patients", table(tmp_path, WOMAN))
    assert rows(out)["a"]["bsa_m2"]
    assert rows(out)["a"]["lv_edv_z"] == ""
    acquisition = json.loads((out / "a" / "measures.json").read_text())["acquisition"]
    assert (acquisition["sex"], acquisition["age_years"]) == (None, None)
    assert set(json.loads((out / "a" / "case.json").read_text())["patient"]) == {"height_m", "weight_kg"}
    assert "healthy women" not in (out / "report.html").read_text()


def test_what_is_said_of_a_case_later_counts(scans: Path, model: str, tmp_path: Path) -> None:
    out = predict(scans, model)
    assert rows(out)["a"]["bsa_m2"] == ""
    predict(scans, model, "--patients", table(tmp_path, WOMAN))
    assert rows(out)["a"]["bsa_m2"]
    first = (out / "a" / "measures.json").stat().st_mtime_ns
    predict(scans, model, "--patients", table(tmp_path, WOMAN))
    predict(scans, model)  # what is done stays
    assert (out / "a" / "measures.json").stat().st_mtime_ns == first


def test_what_was_said_of_a_patient_can_be_withdrawn(scans: Path, model: str, tmp_path: Path) -> None:
    before = rows(predict(scans, model))["a"]
    out = predict(scans, model, "--patients", table(tmp_path, WOMAN), "--reference-values")
    wrong = rows(out)["a"]
    assert wrong["bsa_m2"]
    assert wrong["lv_edv_z"]
    assert "given by --patients: sex, age, height, weight" in rows(out, "status.csv")["a"]["reason"]
    predict(scans, model)
    assert rows(out)["a"] == wrong  # what a run says nothing about stays, and the status says where it is from
    assert "given by --patients: sex, age, height, weight" in rows(out, "status.csv")["a"]["reason"]
    predict(scans, model, "--patients", table(tmp_path, "case_id,sex,age,height_cm,weight_kg\na,F,61,,\n"))
    assert rows(out)["a"]["bsa_m2"] == ""
    assert rows(out)["a"]["lv_edv_z"] == wrong["lv_edv_z"]
    predict(scans, model, "--patients", table(tmp_path, "case_id,sex,age\na,,\n"))
    assert rows(out)["a"] == before
    kept = (out / "a" / "case.json").read_text() + (out / "a" / "measures.json").read_text()
    assert '"sex": "F"' not in kept
    assert "given by" not in rows(out, "status.csv")["a"]["reason"]


def test_measure_keeps_what_was_said_and_takes_what_is_new(scans: Path, model: str, tmp_path: Path) -> None:
    out = predict(scans, model, "--patients", table(tmp_path, WOMAN), "--reference-values")
    measured, again = tmp_path / "measured", tmp_path / "again"
    assert run(["measure", str(out), "-o", str(measured), "-q"]) == 0
    assert rows(measured)["a"] == rows(out)["a"]
    corrected = table(tmp_path, "case_id,sex,age,height_cm,weight_kg\na,M,50,190,100\n")
    assert run(["measure", str(out), "-o", str(tmp_path / "m"), "-q", "--patients", corrected]) == 0
    of_a = rows(tmp_path / "m")["a"]  # body, sex and age are those of one person
    assert float(of_a["lv_edv_z"]) == pytest.approx((float(of_a["lv_edv_ml"]) - 166) / 32, abs=0.01)
    assert float(of_a["bsa_m2"]) == pytest.approx((190 * 100 / 3600) ** 0.5, abs=0.005)
    man = table(tmp_path, "case_id;sex;age\nb;male;50\n")
    command = ["measure", str(out), "-o", str(again), "-q", "--patients", man, "--reference-values"]
    assert run(command) == 0
    of_b = rows(again)["b"]
    assert float(of_b["lv_edv_z"]) == pytest.approx((float(of_b["lv_edv_ml"]) - 166) / 32, abs=0.01)


def test_a_case_that_the_run_does_not_have(
    scans: Path, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["predict", str(scans), "-o", str(tmp_path / "out"), "-m", model]
    assert run([*command, "--patients", table(tmp_path, "case_id,age\nz,50\n")]) == 0
    assert "--patients: this run has no case z: these lines have no effect" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a,F\n", "has no column case_id"),
        ("case_id,phase\na,1\n", "none of the columns sex, age, height_cm, weight_kg"),
        ("case_id,gender\na,F\n", "line 2: there is no column gender"),
        ("case_id,height,age\na,168,61\n", "line 2: there is no column height"),
        ("case_id,age,age\na,61,62\n", "has the column age twice"),
        ("case_id,age\na,61,5\n", "line 2: it has more cells than the header"),
        ("case_id,age\n,61\n", "line 2: it names no case"),
        ("case_id,age\n", "has no lines beside its header"),
        ("", "has no column case_id"),
        ("case_id,sex\na,F\na,M\n", "line 3: a appears twice"),
        ("case_id,sex\na,x\n", "line 2: sex is 'x'"),
        ("case_id,age\na,old\n", "line 2: age is 'old'"),
        ("case_id,height_cm\na,1.68\n", "line 2: height_cm is 1.68"),
        ("case_id,weight_kg\na,64000\n", "line 2: weight_kg is 64000"),
        ("case_id,age\na,nan\n", "line 2: age is nan"),
        (
            "case_id,height_cm,weight_kg,age\na,170,5,70\n",
            "line 2: height_cm 170 and weight_kg 5 do not belong together",
        ),
    ],
)
def test_a_table_that_cannot_be_meant(text: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=complaint):
        read_patients(Path(table(tmp_path, text)))


def test_a_file_that_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        read_patients(tmp_path / "gone.csv")
    with pytest.raises(UsageError, match="is a directory"):
        read_patients(tmp_path)
    (tmp_path / "book.csv").write_bytes(b"PK\3\4\0\0case_id,age\na,61\n")
    with pytest.raises(UsageError, match="has no column case_id"):
        read_patients(tmp_path / "book.csv")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_tables_in_the_encodings_that_ingest_reads(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "excel.csv").write_bytes(
        "case_id,age\nM\N{LATIN SMALL LETTER U WITH DIAERESIS}ller,61\n".encode(encoding)
    )
    [name] = read_patients(tmp_path / "excel.csv")
    assert name == "M\N{LATIN SMALL LETTER U WITH DIAERESIS}ller"


@pytest.mark.parametrize(
    "text",
    [
        "case_id\tage\na\t61\n",
        "sep=;\ncase_id;age\na;61\n",
        'case_id;age;"notes, other"\na;61;\n',
        "\n;\ncase_id;age\r\na;61\r\n\r\n",
        "Case ID|Age\na|61\n",
        '"sep=|"\ncase-id|age|a;b;c\na|61|\n',
        "case_id;a,b,c;age\na;;61\n",
    ],
)
def test_tables_as_spreadsheets_save_them(text: str, tmp_path: Path) -> None:
    assert read_patients(Path(table(tmp_path, text))) == {"a": Patient(age_years=61.0)}


def test_sex_may_be_another_or_unknown(tmp_path: Path) -> None:
    read = read_patients(Path(table(tmp_path, "case_id,sex,age\na,O,61\nb,Female,61\nc,m,61\n")))
    assert [one.sex for one in read.values()] == [None, "F", "M"]


def test_an_edited_case_says_where_new_facts_of_its_patient_belong(scans: Path, model: str, tmp_path: Path) -> None:
    out = predict(scans, model)
    mask = read_cine(out / "a" / "mask.nii.gz")
    mask.voxels[0, 0, 0, 0] = 3
    write_cine(out / "a" / "mask.nii.gz", mask)
    predict(scans, model, "--patients", table(tmp_path, WOMAN))
    assert "if you give it to `cardioseg measure`" in rows(out, "status.csv")["a"]["reason"]
    assert rows(out)["a"]["bsa_m2"] == ""


def test_a_run_without_the_options_keeps_what_was_asked_before(scans: Path, model: str, tmp_path: Path) -> None:
    out = predict(scans, model, "--patients", table(tmp_path, WOMAN), "--reference-values")
    before = rows(out)["a"]
    predict(scans, model, "--overwrite")
    assert rows(out)["a"] == before
    predict(scans, model, "--patients", table(tmp_path, "case_id,age\nb,50\n"), "--reference-values")
    assert rows(out)["a"] == before
    predict(scans, model, "--patients", table(tmp_path, "case_id,weight_kg\na,80\n"))
    after = rows(out)["a"]
    assert after["lv_edv_z"] == before["lv_edv_z"]
    assert float(after["bsa_m2"]) == pytest.approx((168 * 80 / 3600) ** 0.5, abs=0.005)


def test_cells_may_be_empty_and_numbers_have_a_comma(tmp_path: Path) -> None:
    text = "weight_kg;Case_ID;age\n64,5;a;\n;b;61\n"
    assert read_patients(Path(table(tmp_path, text))) == {
        "a": Patient(weight_kg=64.5, withdrawn=frozenset({"age_years"})),
        "b": Patient(age_years=61.0, withdrawn=frozenset({"weight_kg"})),
    }


def test_reference_values_need_somebody_who_says_sex_and_age() -> None:
    with pytest.raises(UsageError, match="need the sex and the age"):
        Patients(with_reference_values=True).require_use()
    with pytest.raises(UsageError, match="only with --reference-values"):
        Patients(use_tags=True).require_use()


@pytest.mark.parametrize(
    ("known", "remark"),
    [
        (Acquisition(sex="F", age_years=61), "no reference value of LV mass: height and weight unknown"),
        (Acquisition(sex="F", age_years=61, height_m=1.7), "no reference value of LV mass: weight unknown"),
        (Acquisition(sex="F"), "no reference values: age unknown"),
        (Acquisition(age_years=61), "no reference values: sex unknown"),
        (Acquisition(sex="F", age_years=30), "no reference values: the age is outside 45 to 74 years"),
    ],
)
def test_why_there_are_no_reference_values(known: Acquisition, remark: str) -> None:
    assert Patients(use_tags=True, with_reference_values=True).remark(known).startswith(remark)
    assert Patients().remark(known).startswith(remark)  # sex and age are known only of who is to be compared
    assert Patients().remark(Acquisition()) == ""
    assert Patients().remark(Acquisition(1.7, 64, sex="F", age_years=61)) == ""


def test_tags_are_read_only_where_that_is_asked_for(model: str, tmp_path: Path) -> None:
    for path in write_dicom(SMALL, tmp_path / "scans").iterdir():
        dataset = dcmread(path)
        dataset.PatientSex, dataset.PatientAge = "F", "061Y"
        dataset.save_as(path)
    out = predict(tmp_path / "scans", model, "--patients", table(tmp_path, "case_id,age\nnobody,50\n"))
    (case,) = (path.parent for path in out.glob("*/case.json"))
    assert json.loads((case / "measures.json").read_text())["acquisition"]["sex"] is None
    predict(tmp_path / "scans", model, "--reference-values", "--use-patient-tags")
    acquisition = json.loads((case / "measures.json").read_text())["acquisition"]
    assert (acquisition["sex"], acquisition["age_years"]) == ("F", 61)
    assert rows(out)[case.name]["lv_edv_z"]
    own = table(tmp_path, f"case_id,sex\n{case.name},M\n")
    predict(tmp_path / "scans", model, "--reference-values", "--use-patient-tags", "--patients", own)
    acquisition = json.loads((case / "measures.json").read_text())["acquisition"]
    assert (acquisition["sex"], acquisition["age_years"]) == ("M", 61)
