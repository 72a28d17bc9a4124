"""Has the yt-dlp of a process in whose PYTHONPATH this folder stands ask tests/youtube.py, and no network."""

import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType


class _AfterYtDlp(MetaPathFinder):
    def find_spec(self, name: str, _path: object, _target: ModuleType | None = None) -> ModuleSpec | None:
        if name != "yt_dlp.YoutubeDL":
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        assert spec
        assert spec.loader
        load = spec.loader.exec_module

        def load_and_play(module: ModuleType) -> None:
            load(module)
            from tests.youtube import play  # needs what has just been loaded

            play()

        spec.loader.exec_module = load_and_play  # type: ignore[method-assign]  # this one loader's
        return spec


sys.meta_path.insert(0, _AfterYtDlp())
