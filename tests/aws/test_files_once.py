"""Files in S3: a key is taken by the first who writes it, and a transient error differs from a bug."""

import pytest

from cardstock import environment
from cardstock.aws.files import Files
from cardstock.errors import ConflictError, NotFoundError, UnavailableError
from cardstock.files import Document
from tests.house import faults
from tests.house.cloud import Cloud

FIRST = Document("a.csv", "text/csv", b"first")
OTHER = Document("a.csv", "text/csv", b"other")


@pytest.fixture
def files(cloud: Cloud) -> Files:
    return Files(environment.text("REPORTS_BUCKET"))


def test_the_same_bytes_may_be_written_again_and_others_are_refused(files: Files) -> None:
    files.put_once("k", FIRST)
    files.put_once("k", FIRST)

    with pytest.raises(ConflictError, match="FILE_DIFFERS"):
        files.put_once("k", OTHER)
    assert files.read("k") == b"first"


def test_what_is_not_there_is_not_found(files: Files) -> None:
    with pytest.raises(NotFoundError):
        files.read("k")
    with pytest.raises(NotFoundError):
        files.link("k")


def test_no_answer_is_worth_a_repeat_also_when_the_file_there_is_compared(files: Files) -> None:
    files.put_once("k", FIRST)

    for lost_from in (0, 1):
        with faults.at(lost_from, "lose_answer", times=faults.ALWAYS), pytest.raises(UnavailableError):
            files.put_once("k", FIRST)
