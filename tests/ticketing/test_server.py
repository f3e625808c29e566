import pytest

from ticketing.server import BODY_SECONDS, body_seconds


@pytest.mark.parametrize(("length", "more"), [(0, 0), (64 * 1024, 1), (100 * 2**20, 1600)])
def test_a_large_file_has_the_time_that_a_thin_line_takes(length: int, more: int) -> None:
    assert body_seconds([("HOST", "localhost"), ("CONTENT-LENGTH", str(length))]) == BODY_SECONDS + more


def test_a_body_without_a_length_has_no_more_time() -> None:
    assert body_seconds([("TRANSFER-ENCODING", "chunked")]) == BODY_SECONDS
