"""A house that was saved, lost and put back answers as before."""

import os
import shutil
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from app import config
from app.config import Config
from app.models.base import database
from app.services.search import search
from deploy.tools.backup import BackupRefused, restore, save
from tests.integration.library import ingest

UPLOAD = "jobs/01JABC/upload.mp4"
TALK = ("Cats sleep most of the day.", "A kitten purrs when it feels safe.")


@pytest.fixture
def saved(house: Config, tmp_path: Path) -> Path:
    """A backup of a house with one video and one file."""
    house = config.use(replace(house, embedding_model="packaged"))
    ingest("cats", "All about pets", TALK, owner="local")
    stored(house).parent.mkdir(parents=True)
    stored(house).write_text("sound")
    save(house, tmp_path / "saved")
    return tmp_path / "saved"


def stored(settings: Config) -> Path:
    return Path(settings.storage().removeprefix("file://"), UPLOAD)


def a_new_house(request: pytest.FixtureRequest, house: Config, folder: Path) -> Config:
    database.close()
    url = request.getfixturevalue("another_database") if house.database_url else ""
    return config.use(replace(house, embedding_model="packaged", data_dir=folder, database_url=url))


def test_a_house_is_saved_lost_and_put_back_and_the_search_still_answers(
    request: pytest.FixtureRequest, house: Config, saved: Path, tmp_path: Path
) -> None:
    shutil.rmtree(house.data_dir)
    new = a_new_house(request, house, tmp_path / "new")

    assert restore(new, saved) == 1
    assert search("local", "when does a kitten purr").hits[0].text == TALK[1]
    assert stored(new).read_text() == "sound"
    assert stat.S_IMODE(saved.stat().st_mode) == 0o700  # it holds what users said


def test_nothing_is_overwritten(house: Config, saved: Path) -> None:
    with pytest.raises(BackupRefused, match="is not empty; name a new one"):
        restore(house, saved)
    with pytest.raises(BackupRefused, match="is there already; name a new folder"):
        save(house, saved)


def test_a_folder_that_is_no_backup_is_refused_by_the_command(house: Config, tmp_path: Path) -> None:
    where = {"YTRAG_DATA_DIR": str(house.data_dir), "YTRAG_DATABASE_URL": house.database_url}
    ended = subprocess.run(
        [sys.executable, "-m", "deploy.tools.backup", "restore", str(tmp_path)],
        env=os.environ | {name: value for name, value in where.items() if value},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert "is not there: it is no backup of such a database" in ended.stderr
