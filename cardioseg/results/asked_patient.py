"""Asked patient: what a person said of the patient of a case, or asked to read of them, as `case.json` records it."""

from collections.abc import Collection

from pydantic import BaseModel, ConfigDict, model_serializer


class AskedPatient(BaseModel):
    """All of it is optional, and only what was said or asked is written.

    Attributes:
        sex: `F` or `M`.
        age_years: at the scan.
        height_m: body height.
        weight_kg: body weight.
        use_tags: whether sex and age may be read from DICOM.
        with_reference_values: whether measures are compared with those of healthy people.
    """

    model_config = ConfigDict(frozen=True)

    sex: str | None = None
    age_years: float | None = None
    height_m: float | None = None
    weight_kg: float | None = None
    use_tags: bool = False
    with_reference_values: bool = False

    @model_serializer
    def said(self) -> dict[str, str | float | bool]:
        """The fields that were said or asked."""
        return {name: value for name, value in self if value is not None and value is not False}

    def without(self, names: Collection[str]) -> "AskedPatient":
        """The same without some fields."""
        return AskedPatient(**{name: value for name, value in self if name not in names})

    def updated(self, later: "AskedPatient") -> "AskedPatient":
        """The same with what was said or asked later."""
        return self.model_copy(update=later.said())
