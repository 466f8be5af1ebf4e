"""Same patient: which subjects of a dataset are studies of one patient, so that no fold divides them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from cardioseg.skipped import Skipped
from cardioseg.wording import listed

_SHOWN = 3  # names in a remark
_OWN_ID = "give each patient an ID of their own in the DICOM files, and run `cardioseg ingest` again"
_MAY_SHARE = f"If two of them are of one patient, training and validation may share this patient: {_OWN_ID}"


def same_patients(keys: Mapping[str, str | None]) -> Mapping[str, str]:
    """The name of the patient of each subject that shares its patient with another: the first of their subject ids.

    If all subjects have the same key, it does not tell patients apart: an anonymised set may have one PatientID.

    Args:
        keys: the patient key of each subject, as `Source.patient` says.
    """
    groups = _by_key(keys)
    if _is_uninformative(groups, keys):
        return {}
    return {subject_id: group[0] for group in groups.values() if len(group) > 1 for subject_id in group}


def remarks(keys: Mapping[str, str | None]) -> Iterator[Skipped]:
    """What the user must know of the patients: who is one patient, and where this is not known.

    Args:
        keys: as for `same_patients`.
    """
    groups = _by_key(keys)
    if _is_uninformative(groups, keys):
        same = next(iter(groups.values()))
        why = f"all have the same PatientID, which does not tell patients apart: each counts as a patient. {_MAY_SHARE}"
        yield Skipped(listed(same, _SHOWN), why)
    else:
        for group in groups.values():
            if len(group) > 1:
                kept = "they count as one patient, who is never divided between training and validation"
                yield Skipped(
                    listed(group, _SHOWN), f"the same PatientID: {kept}. If they are different patients, {_OWN_ID}"
                )
    unknown = sorted(subject_id for subject_id, key in keys.items() if key == "")
    if unknown and len(keys) > 1:
        yield Skipped(listed(unknown, _SHOWN), f"no PatientID: each counts as a patient. {_MAY_SHARE}")


def _by_key(keys: Mapping[str, str | None]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for subject_id in sorted(keys):
        if key := keys[subject_id]:
            groups[key].append(subject_id)
    return groups


def _is_uninformative(groups: Mapping[str, Sequence[str]], keys: Mapping[str, str | None]) -> bool:
    """Whether all subjects with a PatientID, two at least, have the same one."""
    return len(groups) == 1 and sum(bool(key) for key in keys.values()) > 1
