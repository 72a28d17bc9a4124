"""A channel of a played YouTube, through the program's own doors and processes."""

import os
import time
from pathlib import Path

from tests.batches import SETTINGS, SPACING_S, ended, wait, ytrag
from tests.rows import broken_promises, rows
from tests.up import Up
from tests.youtube import YouTube, captioned

CHANNEL = "https://www.youtube.com/@zoo"
VIDEOS = int(os.environ.get("YTRAG_TEST_CHANNEL_VIDEOS", "10"))
"""Enough for two pages of the channel; the pace is seen from any number."""


def new_jobs_of_a_sync(up: Up, youtube: YouTube) -> list[str]:
    """Names of the jobs that a schedule makes when the channel has two more videos."""
    youtube.videos[:0] = [captioned(VIDEOS + n, ("A new animal.", "It is awake.")) for n in (0, 1)]
    youtube.save()
    put = ytrag(up, "schedules", "put", "zoo", "--cron", "0 6 * * *", "--sync", CHANNEL, "--limit", "60")
    ytrag(up, "schedules", "run", put.split()[-1])
    batch_id = up.client.batches(limit=1).data[0].batch_id
    return sorted(job.name for job in wait(up.client, batch_id, ended).jobs)


def test_a_channel_is_ingested_at_its_pace(tmp_path: Path, youtube: YouTube) -> None:
    youtube.videos = [captioned(n, (f"Animal number {n} sleeps.", "It is night.")) for n in range(VIDEOS)]
    youtube.save()
    with Up(tmp_path / "up", **SETTINGS) as up:
        batch_id = ytrag(up, "submit", CHANNEL).split()[-1]

        found = wait(up.client, batch_id, ended)

        assert found.counts.model_dump(exclude_defaults=True) == {"total": VIDEOS, "completed": VIDEOS}
        assert (found.title, found.progress) == ("The Zoo - Videos", 100.0)
        assert f"{VIDEOS} completed" in ytrag(up, "batches", "status", batch_id)
        hit = up.client.search(f"animal number {VIDEOS - 2}", mode="keyword").hits[0]
        assert hit.video.title == f"Talk {VIDEOS - 2}"
        with rows(up.database_url) as query:
            give_up = time.monotonic() + 120
            while broken := broken_promises(query):  # folders are cleaned up behind the jobs' ends
                assert time.monotonic() < give_up, broken
                time.sleep(0.2)
            sources = query("SELECT transcript_source, COUNT(*) FROM video GROUP BY transcript_source")
            assert sources == [("captions:owner:en", VIDEOS)]
        starts = [asked.at for asked in youtube.asked("/watch")]
        assert new_jobs_of_a_sync(up, youtube) == [f"Process video: Talk {VIDEOS + n}" for n in (0, 1)]
    took_s = starts[-1] - starts[0]
    print(f"{len(starts)} videos asked for in {took_s:.1f} s, one each {took_s / (len(starts) - 1):.2f} s")
    assert len(starts) == VIDEOS
    assert took_s > 0.9 * SPACING_S * (VIDEOS - 1)
    assert not youtube.asked("/videoplayback")
