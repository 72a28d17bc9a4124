"""A channel from a played YouTube, through the program's own doors and processes."""

import time
from collections.abc import Callable
from pathlib import Path

from app.batch_schemas import BatchDetailAnswer
from app.client import Client
from tests.rows import broken_promises, rows
from tests.up import Up
from tests.youtube import YouTube, captioned

CHANNEL = "https://www.youtube.com/@zoo"
VIDEOS, SPACING_S = 50, 0.5
SETTINGS = {
    "ALLOWED_SOURCES": "youtube.com",
    "DOWNLOAD_SPACING_S": str(SPACING_S),
    "WORKERS_IO": "1x4",
    "DOWNLOADS_PER_SOURCE": "3",
    "POLL_S": "0.2",
}


def wait(
    client: Client, batch_id: str, until: Callable[[BatchDetailAnswer], bool], timeout_s: float = 120
) -> BatchDetailAnswer:
    give_up = time.monotonic() + timeout_s
    while not until(found := client.batch(batch_id, limit=200)):
        assert time.monotonic() < give_up, found.counts
        time.sleep(0.2)
    return found


def ended(found: BatchDetailAnswer) -> bool:
    return found.status in ("completed", "failed")


def test_a_channel_of_fifty_videos_is_ingested_at_its_pace(tmp_path: Path, youtube: YouTube) -> None:
    youtube.videos = [captioned(n, (f"Animal number {n} sleeps.", "It is night.")) for n in range(VIDEOS)]
    youtube.save()
    with Up(tmp_path / "up", **SETTINGS) as up:
        accepted = up.client.submit_batch(url=CHANNEL)

        found = wait(up.client, accepted.batch_id, ended)

        assert found.counts.model_dump(exclude_defaults=True) == {"total": VIDEOS, "completed": VIDEOS}
        assert (found.title, found.progress) == ("The Zoo - Videos", 100.0)
        hit = up.client.search("animal number 37", mode="keyword").hits[0]
        assert hit.video.title == "Talk 37"
        with rows(up.database_url) as query:
            give_up = time.monotonic() + 20
            while broken := broken_promises(query):  # folders are cleaned up behind the jobs' ends
                assert time.monotonic() < give_up, broken
                time.sleep(0.2)
            sources = query("SELECT transcript_source, COUNT(*) FROM video GROUP BY transcript_source")
            assert sources == [("captions:owner:en", VIDEOS)]
    starts = [asked.at for asked in youtube.asked("/watch")]
    took_s = starts[-1] - starts[0]
    print(f"{len(starts)} videos asked for in {took_s:.1f} s, one each {took_s / (len(starts) - 1):.2f} s")
    assert len(starts) == VIDEOS
    assert took_s > 0.9 * SPACING_S * (VIDEOS - 1)
    assert not youtube.asked("/videoplayback")
