"""Files that stages hand to one another, in any store that fsspec knows."""

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import fsspec

from app import config
from app.errors import InvalidSetting, OutOfSpace

JOBS_OWN = "."
"""Behind a job's id in a workspace's name: the job's next attempt goes on with what is in it."""


class Storage:
    """Keys are paths below the URL; a file is there whole or not at all."""

    def __init__(self, url: str, workspaces: Path) -> None:
        try:
            self._files, self._root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise InvalidSetting(
                f"YTRAG_STORAGE_URL is {url!r}, which nothing here can open: {error};"
                " s3:// comes with pip install 'youtube-rag[machines]', gs:// with gcsfs."
            ) from None
        self._workspaces = workspaces

    def put(self, source: Path, key: str) -> None:
        """Store the file under the key; the source may be moved."""
        with _full_disk_named():
            if self._is_local():
                target = Path(self._path(key))
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(source, target)
            else:
                self._files.put_file(str(source), self._path(key))

    def put_stream(self, stream: IO[bytes], key: str) -> None:
        """Store what the stream still holds under the key."""
        with self.workspace() as directory, _full_disk_named():
            part = directory / "stream"
            with part.open("wb") as target:
                shutil.copyfileobj(stream, target, 1024 * 1024)
            self.put(part, key)

    @contextmanager
    def local(self, key: str) -> Iterator[Path]:
        """A local path with the file's content, to be read only, for as long as the block runs."""
        if self._is_local():
            yield Path(self._path(key))
            return
        with self.workspace() as directory:
            copy = directory / Path(key).name
            self._files.get_file(self._path(key), str(copy))
            yield copy

    def list(self, prefix: str) -> list[str]:
        """Names of what lies directly below the prefix."""
        self._files.invalidate_cache()  # of listings: other machines store here too
        try:
            found = self._files.ls(self._path(prefix), detail=False)
        except FileNotFoundError:
            return []
        return [name.rstrip("/").rpartition("/")[2] for name in found]

    def delete(self, prefix: str) -> None:
        """Delete what lies below the prefix; nothing there is as good."""
        self._files.invalidate_cache()
        with suppress(FileNotFoundError):
            self._files.rm(self._path(prefix), recursive=True)

    def prune(self, prefix: str) -> None:
        """Remove the folder if nothing lies in it; other stores have no folders."""
        if self._is_local():
            with suppress(OSError):
                Path(self._path(prefix)).rmdir()

    @contextmanager
    def workspace(self, job_id: str = "") -> Iterator[Path]:
        """A local folder that goes with the block: empty, or with copies of what the job's last one left."""
        self._workspaces.mkdir(parents=True, exist_ok=True)
        left = self._left_by(job_id)
        prefix = f"{os.getpid()}-{job_id}{JOBS_OWN if job_id else ''}"
        with tempfile.TemporaryDirectory(dir=self._workspaces, prefix=prefix) as directory:
            for path in [one for last in left[-1:] for one in last.iterdir()]:
                shutil.copyfile(path, Path(directory, path.name))  # whoever left it may still write to it
            self.forget_workspaces(job_id)
            yield Path(directory)

    def _left_by(self, job_id: str) -> Sequence[Path]:
        """Folders that attempts at the job have left, the newest last."""
        found = self._workspaces.glob(f"*-{job_id}{JOBS_OWN}*") if job_id else ()
        return sorted(found, key=lambda path: path.stat().st_mtime)

    def forget_workspaces(self, job_id: str) -> None:
        """Delete what attempts at the job left whose processes are no more."""
        for directory in self._left_by(job_id):
            if not _is_alive(directory):
                shutil.rmtree(directory, ignore_errors=True)

    def clear_workspaces(self) -> None:
        """Delete what processes of this machine left behind that are no more, but for jobs' own folders."""
        for directory in self._workspaces.glob("*-*"):
            is_own = directory.name.startswith(f"{os.getpid()}-")
            if JOBS_OWN not in directory.name and (is_own or not _is_alive(directory)):
                shutil.rmtree(directory, ignore_errors=True)

    def clear_old_workspaces(self, older_than_s: float) -> int:
        """Delete what any machine's processes left behind so long ago, and return how many folders."""
        now = time.time()
        old = [path for path in self._workspaces.glob("*") if now - path.stat().st_mtime > older_than_s]
        for directory in old:
            shutil.rmtree(directory, ignore_errors=True)
        return len(old)

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"

    def _is_local(self) -> bool:
        return isinstance(self._files, fsspec.implementations.local.LocalFileSystem)


@contextmanager
def _full_disk_named() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutOfSpace("There is no space left where files are stored.") from error
        raise


def _is_alive(workspace: Path) -> bool:
    return Path(f"/proc/{workspace.name.partition('-')[0]}").exists()


def storage() -> Storage:
    """The storage that the settings name."""
    settings = config.current()
    return Storage(settings.storage(), settings.data_dir / "tmp")
