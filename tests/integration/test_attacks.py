"""What strangers' addresses and pages can reach: nothing inside a network, and no more than a bounded much.

The web is played by 127.0.0.1, which ALLOWED_SOURCES names, and the inside by 127.0.0.2 and another port.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from app.engines.listing import YtDlpLister
from app.engines.media import DownloadLimits, YtDlp
from app.source_errors import AddressRefused, ResourceLimit
from app.values import Wish
from tests.media_files import DASH, make_video
from tests.webserver import WebServer

ROOT = Path(__file__).parents[2]
SOURCE = YtDlp(DownloadLimits(max_duration_s=600, max_bytes=10_000_000, timeout_s=60), ("127.0.0.1",))
SEGMENT = "#EXTM3U\n#EXT-X-TARGETDURATION:12\n{key}#EXTINF:12,\n{segment}\n#EXT-X-ENDLIST\n"
MASTER = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9\n{url}\n"
LINKED = (
    '<html><script type="application/ld+json">{{"@context": "https://schema.org", "@type": "VideoObject",'
    ' "name": "Bees", "encodingFormat": "video/mp4", "contentUrl": "{url}"}}</script></html>'
)
TRACK = "<video><source src=/talk.mp4 type=video/mp4><track kind=subtitles srclang=en src={url}.vtt></video>"


@dataclass(frozen=True)
class Attack:
    """An address to send in; {inside} is the server that must not be reached.

    page: what our own server answers for it, where it is one of ours.
    """

    name: str
    url: str
    page: str = ""


ATTACKS = (
    Attack("private address", "http://127.0.0.2:{port}/{n}.mp4"),
    Attack("decimal address", "http://2130706434:{port}/{n}.mp4"),
    Attack("hexadecimal address", "http://0x7f000002:{port}/{n}.mp4"),
    Attack("v4-mapped address", "http://[::ffff:127.0.0.2]:{port}/{n}.mp4"),
    Attack("another port of the same host", "{web}/{n}.html", "<video src={neighbour}/{n}.mp4></video>"),
    Attack("redirect of the address", "{web}/away/{inside}/{n}.mp4"),
    Attack("redirect of the file", "{web}/{n}.html", "<video src=/away/{inside}/{n}.mp4></video>"),
    Attack("video of a page", "{web}/{n}.html", "<video src=http://{inside}/{n}.mp4></video>"),
    Attack("subtitles of a page", "{web}/{n}.html", TRACK.format(url="http://{inside}/{n}")),
    Attack("JSON-LD of a page", "{web}/{n}.html", LINKED.format(url="http://{inside}/{n}.mp4")),
    Attack("HLS variant", "{web}/{n}.m3u8", MASTER.format(url="http://{inside}/{n}.m3u8")),
    Attack("HLS segment", "{web}/{n}.m3u8", SEGMENT.format(key="", segment="http://{inside}/{n}.ts")),
    Attack(
        "HLS key",
        "{web}/{n}.m3u8",
        SEGMENT.format(key='#EXT-X-KEY:METHOD=AES-128,URI="http://{inside}/{n}.key"\n', segment="/talk.mp4"),
    ),
    Attack("DASH base address", "{web}/{n}.mpd", DASH.format(url="http://{inside}/{n}.mp4")),
    Attack(
        "name that changes its answer", "http://rebind.test:{port}/{n}.html", "<video src=/{n}.mp4></video>"
    ),
)


@dataclass
class World:
    """The web, the inside, and a service on another port of the web's own address."""

    web: WebServer
    inside: WebServer
    neighbour: WebServer

    def lay(self, number: int, text: str) -> str:
        """An attack's text with the addresses put in."""
        for name, value in {
            "{n}": f"attack{number}",
            "{port}": str(self.web.server_port),
            "{web}": self.web.url,
            "{inside}": self.inside.url.removeprefix("http://"),
            "{neighbour}": self.neighbour.url,
        }.items():
            text = text.replace(name, value)
        return text

    def reached(self, number: int) -> int:
        """How many requests of the attack came to where none may."""
        return sum(f"attack{number}." in path for path in self.inside.requests + self.neighbour.requests)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    outside, within = tmp_path_factory.mktemp("web"), tmp_path_factory.mktemp("inside")
    make_video(outside / "talk.mp4")
    with (
        WebServer(outside) as web,
        WebServer(within, web.server_port, host="127.0.0.2") as inside,
        WebServer(within) as neighbour,
    ):
        yield World(web, inside, neighbour)


def order(world: World, directory: Path, number: int) -> dict[str, object]:
    """What a worker orders of its child where the attack is sent in."""
    attack = ATTACKS[number]
    url = world.lay(number, attack.url)
    if attack.page:
        (world.web.folder / url.rpartition("/")[2]).write_text(world.lay(number, attack.page))
    about = {"url": url, "directory": str(directory / str(number)), "wish": asdict(Wish("auto"))}
    return asdict(SOURCE) | about


def attempt_all(world: World, directory: Path) -> list[tuple[str, int]]:
    """Of each attack how it ended and how many requests came through."""
    for server in (world.inside, world.neighbour):
        server.requests.clear()
    orders = [order(world, directory, number) for number in range(len(ATTACKS))]
    command, told = [sys.executable, "-m", "tests.forked"], json.dumps({"orders": orders})
    done = subprocess.run(command, cwd=ROOT, input=told, capture_output=True, text=True, timeout=120)
    ends = [json.loads(line).get("code", "downloaded") for line in done.stdout.splitlines()]
    assert len(ends) == len(ATTACKS), done.stderr
    return [(end, world.reached(number)) for number, end in enumerate(ends)]


def test_no_attack_reaches_the_inside_and_without_the_guard_all_do(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'tests/unguarded'}:{ROOT}")
    results = {}
    for unguarded, honest_answers in (("0", "2"), ("1", "1")):  # the guard itself asks for the name once
        monkeypatch.setenv("UNGUARDED", unguarded)
        monkeypatch.setenv("HONEST_ANSWERS", honest_answers)
        results[unguarded] = attempt_all(world, tmp_path / unguarded)

    print(f"\n{'attack':32}{'guarded':>18}{'reached':>9}{'unguarded':>20}{'reached':>9}")
    for attack, guarded, bare in zip(ATTACKS, results["0"], results["1"], strict=True):
        print(f"{attack.name:32}{guarded[0]:>18}{guarded[1]:>9}{bare[0]:>20}{bare[1]:>9}")
    reached = [sum(1 for _end, count in results[way] if count) for way in ("0", "1")]
    print(f"{'inside reached by':32}{reached[0]:>24} of 15{reached[1]:>26} of 15")
    assert reached == [0, 15]
    ends = {attack.name: end for attack, (end, _count) in zip(ATTACKS, results["0"], strict=True)}
    assert ends.pop("subtitles of a page") == "downloaded"  # captions that cannot be had are none
    assert set(ends.values()) == {"address_refused"}


def test_a_list_leads_inside_no_more_than_a_video(world: World, tmp_path: Path) -> None:
    lister, before = YtDlpLister(SOURCE), len(world.inside.requests)

    with pytest.raises(AddressRefused):
        lister.list_videos(
            f"{world.web.url}/away/{world.inside.url.removeprefix('http://')}/list.xml",
            tmp_path,
            most=9,
            since=None,
            on_progress=lambda _done: None,
        )

    assert len(world.inside.requests) == before


def test_a_proxy_is_not_asked_for_an_address_inside(world: World, tmp_path: Path) -> None:
    proxied = YtDlp(SOURCE.limits, proxy=world.web.url)
    before = len(world.web.requests)

    for url in (world.inside.url, "http://localhost", "http://0x7f000002"):
        with pytest.raises(AddressRefused):
            proxied.download(f"{url}/talk.mp4", tmp_path, on_progress=lambda _done: None)

    assert len(world.web.requests) == before


@pytest.mark.parametrize("way", ["endless", "bomb"])
def test_an_answer_without_bounds_ends_early_and_fills_no_memory(
    world: World, tmp_path: Path, way: str
) -> None:
    program = (
        "import resource, sys; from pathlib import Path; from tests.integration.test_attacks import *\n"
        "from app.errors import StageError\n"
        "try: SOURCE.download(sys.argv[1], Path(sys.argv[2]), on_progress=lambda _done: None)\n"
        "except StageError as error:\n"
        "    print(error.code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    command = [sys.executable, "-c", program, f"{world.web.url}/{way}/", str(tmp_path / "job")]

    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=True)

    code, peak_kb = ended.stdout.split()
    assert code == ResourceLimit.code
    assert int(peak_kb) < 700_000


def test_only_the_javascript_runtime_is_started_and_it_starts_behind_the_guard() -> None:
    program = (
        "import deno, subprocess, sys; from app.engines import guard\n"
        "from app.engines.media_child import limit_resources\n"
        "limit_resources(1000); path = deno.find_deno_bin()\n"
        "guard.install('http://x.test/', allowed_hosts=[], programs=[path])\n"
        "subprocess.run([path, 'eval', 'console.log(40 + 2)'], check=True)\n"
        "subprocess.run([sys.executable, '-c', 'print(43)'])"
    )

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=180)

    assert ended.stdout == "42\n"
    assert "PermissionError" in ended.stderr
