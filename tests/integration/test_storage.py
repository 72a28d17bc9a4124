"""What the file storage promises, in folders and on an S3 server."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.engines.storage import Storage
from app.errors import InvalidSetting
from tests.s3 import s3

Open = Callable[[], Storage]


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, str]]:
    with s3() as variables, pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield variables


@pytest.fixture(params=["file", "s3"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Opens the storage as one machine after the other does, each with a folder for its work."""
    url = f"file://{tmp_path}/files"
    if request.param == "s3":
        url = f"{request.getfixturevalue('server')['YTRAG_STORAGE_URL']}/{tmp_path.name}"
    machines = iter(range(10))
    return lambda: Storage(url, tmp_path / f"work{next(machines)}")


def content(storage: Storage, key: str) -> bytes:
    with storage.local(key) as path:
        return path.read_bytes()


def test_what_one_machine_stores_another_reads_lists_and_deletes(opened: Open, tmp_path: Path) -> None:
    one, other = opened(), opened()
    (tmp_path / "sound.wav").write_bytes(b"sound")
    assert other.list("jobs/a") == []

    one.put(tmp_path / "sound.wav", "jobs/a/sound.wav")
    one.put_stream(io.BytesIO(b"x" * 3_000_000), "jobs/b/upload.mp4")

    assert content(other, "jobs/a/sound.wav") == b"sound"
    assert len(content(other, "jobs/b/upload.mp4")) == 3_000_000
    assert sorted(other.list("jobs")) == ["a", "b"]
    assert other.list("jobs/a") == ["sound.wav"]
    one.delete("jobs/a")
    assert other.list("jobs/a") == []
    other.delete("jobs/a")  # once more is as good
    assert content(one, "jobs/b/upload.mp4")[:1] == b"x"


def test_a_file_that_is_stored_again_is_the_new_one_everywhere(opened: Open) -> None:
    one, other = opened(), opened()
    one.put_stream(io.BytesIO(b"old"), "jobs/a/file")
    assert content(other, "jobs/a/file") == b"old"

    one.put_stream(io.BytesIO(b"newer"), "jobs/a/file")

    assert content(other, "jobs/a/file") == b"newer"


def test_a_file_that_was_cut_off_is_not_there(opened: Open) -> None:
    class Cut(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise ConnectionResetError
            return super().read(4)

    one = opened()

    with pytest.raises(ConnectionResetError):
        one.put_stream(Cut(b"sound"), "jobs/a/file")

    assert one.list("jobs/a") == []
    with pytest.raises(FileNotFoundError):
        content(one, "jobs/a/file")


def test_nothing_stays_in_the_work_folder(opened: Open, tmp_path: Path) -> None:
    one = opened()
    one.put_stream(io.BytesIO(b"sound"), "jobs/a/file")
    content(one, "jobs/a/file")

    assert not [*(tmp_path / "work0").rglob("*")]


@pytest.mark.parametrize("url", ["gs://bucket/files", "nothing://x"])
def test_a_store_that_nothing_here_opens_is_named(url: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match=r"YTRAG_STORAGE_URL is '\w+://.*pip install"):
        Storage(url, tmp_path)
