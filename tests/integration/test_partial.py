"""A download that goes on with what a dead one left: only where it is of the same file."""

import random
from pathlib import Path

import pytest

from app.engines.media import DownloadLimits, YtDlp
from app.engines.partial import SEAM_BYTES
from app.engines.storage import Storage
from tests.webserver import WebServer

SOURCE = YtDlp(DownloadLimits(max_duration_s=600, max_bytes=10_000_000, timeout_s=60), ("127.0.0.1",))
WHOLE = random.Random(1).randbytes(8 * SEAM_BYTES)


@pytest.mark.parametrize(
    ("part", "asked"),
    [
        (WHOLE[: 3 * SEAM_BYTES], [f"bytes={2 * SEAM_BYTES}-"]),
        (WHOLE[::-1][: 3 * SEAM_BYTES], [f"bytes={2 * SEAM_BYTES}-"]),
        (WHOLE[:SEAM_BYTES], []),
    ],
    ids=["of the same file", "of another file", "hardly begun"],
)
def test_a_part_is_gone_on_with_and_only_the_same_file_comes_of_it(
    tmp_path: Path, part: bytes, asked: list[str]
) -> None:
    site, job = tmp_path / "site", tmp_path / "job"
    site.mkdir()
    job.mkdir()
    (site / "talk.mp4").write_bytes(WHOLE)
    (job / "media.mp4.part").write_bytes(part)

    with WebServer(site) as web:
        media = SOURCE.download(f"{web.url}/talk.mp4", job, on_progress=lambda _fraction: None)

    assert media.path
    assert media.path.read_bytes() == WHOLE
    assert [one for one in web.ranges if one] == asked
    assert list(job.iterdir()) == [media.path]


def test_a_part_of_a_stream_in_pieces_is_not_gone_on_with(tmp_path: Path) -> None:
    site, job = tmp_path / "site", tmp_path / "job"
    site.mkdir()
    job.mkdir()
    (site / "talk.mp4").write_bytes(WHOLE)
    (job / "media.mp4.part").write_bytes(WHOLE[: 3 * SEAM_BYTES])
    (job / "media.mp4.ytdl").write_text("{}")

    with WebServer(site) as web:
        SOURCE.download(f"{web.url}/talk.mp4", job, on_progress=lambda _fraction: None)

    assert not any(web.ranges)


def test_a_workspace_begins_with_what_the_jobs_last_one_left_and_no_other(tmp_path: Path) -> None:
    storage, tmp = Storage(f"file://{tmp_path}/files", tmp_path / "tmp"), tmp_path / "tmp"
    for owner, job in (("0", "01A"), ("0", "01B"), ("1", "01C")):
        (tmp / f"{owner}-{job}.x").mkdir(parents=True)
        (tmp / f"{owner}-{job}.x" / "media.mp4.part").write_text(f"of {job}")

    storage.clear_workspaces()
    with (
        storage.workspace("01A") as dead,
        storage.workspace("01C") as frozen,
        storage.workspace("01D") as new,
    ):
        found = [path.read_text() for folder in (dead, frozen, new) for path in folder.iterdir()]
        storage.forget_workspaces("01B")

    assert found == ["of 01A", "of 01C"]
    assert [path.name for path in tmp.iterdir()] == ["1-01C.x"]  # process 1 lives: it may still write there
