"""Raised errors: options of the command line are named as keyword arguments, and the system's refusals are ours."""

import pytest

from cardioseg.api.raised_errors import as_keywords, in_words_of_python
from cardioseg.errors import ResourceError, UsageError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("or --device cpu", 'or device="cpu"'),
        ("--discard-edits predicts the case again", "discard_edits=True predicts the case again"),
        (
            "(is there enough memory? try it with fewer --workers)",
            "(is there enough memory? try it with fewer workers)",
        ),
        ("--labels acdc or --labels mnms says it", 'labels="acdc" or labels="mnms" says it'),
        ("give another folder with -o", "give another folder as out"),
        ("scans/a--b.nii.gz: damaged", "scans/a--b.nii.gz: damaged"),
        ("in the file of --phases: change --es", "in the file of phases: change es"),
    ],
)
def test_options_become_keyword_arguments(text: str, expected: str) -> None:
    assert as_keywords(text) == expected


def test_errors_keep_their_kind_and_their_reasons() -> None:
    with pytest.raises(UsageError) as raised, in_words_of_python():
        raise UsageError("wrong", "try --overwrite", ["a", "b"])
    assert (raised.value.message, raised.value.hint) == ("wrong", "try overwrite=True")
    assert raised.value.reasons == ("a", "b")


@pytest.mark.parametrize("error", [MemoryError(), PermissionError(13, "Permission denied", "out")])
def test_what_the_system_refuses_is_ours(error: Exception) -> None:
    with pytest.raises(ResourceError, match=r"out of memory|out: permission denied"), in_words_of_python():
        raise error


@pytest.mark.parametrize("kind", [KeyboardInterrupt, ZeroDivisionError])
def test_other_errors_pass(kind: type[BaseException]) -> None:
    with pytest.raises(kind), in_words_of_python():
        raise kind
