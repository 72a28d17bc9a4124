"""A model is not loaded where it would bring the machine into want of memory."""

import dataclasses
from pathlib import Path

import pytest

from app import config
from app.engines import memory
from app.errors import ModelTooLarge


@pytest.fixture
def model(tmp_path: Path) -> str:
    """A folder with weights of 1 MB."""
    (tmp_path / "model.bin").write_bytes(bytes(10**6))
    return str(tmp_path)


def allow(monkeypatch: pytest.MonkeyPatch, size_bytes: int) -> None:
    settings = dataclasses.replace(config.current(), whisper_memory_bytes=size_bytes)
    monkeypatch.setattr(config, "_current", settings)


def test_a_model_that_needs_more_than_it_may_take_is_refused_with_both_sizes(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(monkeypatch, 500 * 10**6)

    with pytest.raises(ModelTooLarge, match="whisper-base needs 501 MB of memory; 500 MB may be taken"):
        memory.refuse_more_than_there_is(model, "whisper-base")


def test_a_model_that_fits_is_not_refused(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, 502 * 10**6)

    memory.refuse_more_than_there_is(model, "whisper-base")


def test_without_a_limit_it_is_what_the_machine_has_free(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, 0)
    monkeypatch.setattr(memory, "_in_machine", lambda: 400 * 10**6)

    with pytest.raises(ModelTooLarge):
        memory.refuse_more_than_there_is(model, "whisper-base")


def test_a_model_that_is_not_here_yet_is_not_judged(tmp_path: Path) -> None:
    memory.refuse_more_than_there_is(str(tmp_path), "large-v3")


def test_this_machine_tells_what_is_free() -> None:
    assert (memory.available_bytes() or 0) > 10**6
