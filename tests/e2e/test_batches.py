"""A feed's videos, ingested at once, in both forms of the program."""

import shutil
import time
from pathlib import Path

from tests.conftest import FIXTURES
from tests.up import Up
from tests.webserver import WebServer

NAMES = ("ljspeech_001_a.ogg", "sonnet001.ogg")
ITEM = "<item><title>{name}</title><link>{url}/{name}</link></item>"


def test_each_video_of_a_feed_becomes_a_job_and_is_counted(up: Up, tmp_path: Path) -> None:
    for name in NAMES:
        shutil.copy(FIXTURES / "speech" / name, tmp_path)
    with WebServer(tmp_path) as site:
        items = "".join(ITEM.format(name=name, url=site.url) for name in NAMES)
        feed = f'<?xml version="1.0"?><rss version="2.0"><channel><title>Talks</title>{items}</channel></rss>'
        (tmp_path / "feed.xml").write_text(feed)
        batch_id = up.client.submit_batch(url=f"{site.url}/feed.xml", priority="high").batch_id

        give_up = time.monotonic() + 240
        while (found := up.client.batch(batch_id)).status not in ("completed", "failed"):
            assert time.monotonic() < give_up, found
            time.sleep(0.2)

    assert (found.title, found.progress, found.error) == ("Talks", 100.0, None)
    assert found.counts.model_dump(exclude_defaults=True) == {"total": 2, "completed": 2}
    assert sorted(job.url.rpartition("/")[2] for job in found.jobs) == sorted(NAMES)
    assert {job.priority for job in found.jobs} == {"high"}
    assert [job.job_id for job in up.client.jobs(batch_id=batch_id).data] == [
        job.job_id for job in found.jobs
    ]
