"""`make demo` shows one video from submission to answer, and believes nothing that the script contradicts."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).parents[2]
TALK = ROOT / "tests/fixtures/talk"


def demo(data: Path, *options: str | Path, **settings: str) -> subprocess.Popen[str]:
    """A demo in a folder of its own, as where no model hub answers and nothing else is set."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("YTRAG_")}
    return subprocess.Popen(
        [sys.executable, "-m", "deploy.tools.demo", "--data", data, *options],
        cwd=ROOT,
        env=kept | {"HF_HUB_OFFLINE": "1", "COLUMNS": "200"} | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def outcome(running: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code and all that was printed."""
    printed, _ = running.communicate(timeout=240)
    return running.returncode, printed


def test_the_demo_goes_from_a_video_to_the_right_answers_also_after_one_that_was_interrupted(
    tmp_path: Path,
) -> None:
    interrupted = demo(tmp_path / "demo")
    assert interrupted.stdout
    while "submitted" not in interrupted.stdout.readline():
        assert interrupted.poll() is None
    interrupted.send_signal(signal.SIGINT)
    stopped = outcome(interrupted)

    code, printed = outcome(demo(tmp_path / "demo"))

    assert (stopped[0], stopped[1].split()[-1]) == (130, "Stopped")
    with closing(sqlite3.connect(tmp_path / "demo/ytrag.db")) as rows:
        assert rows.execute("SELECT state FROM job").fetchall() == [("completed",)]
    assert code == 0, printed
    assert "the packaged weights, because the model hub did not answer" in printed
    assert "a subtitle track is ignored" in printed
    for stage in ("download", "extract_audio", "transcribe", "segment", "embed", "index"):
        assert re.search(rf"^  {stage} +\d+\.\d\d s", printed, re.MULTILINE)
    assert re.search(r"159\.8 s of sound in [\d.]+ s: [\d.]+ times as fast as speaking", printed)
    assert re.search(r"real-time factor \d\.\d\d", printed)
    assert re.search(r"word errors +\d\.\d% of the script's 511 words", printed)
    assert "When you look at a clock" in printed
    assert re.findall(r"“(.*)”", printed) == [
        "Galileo lamp",
        "Who built a watch that kept good time on the ocean?",
        "Why might locomotives have collided?",
    ]
    assert [round(float(second)) for second in re.findall(r"link .*/#t=([\d.]+)", printed)] == [52, 84, 94]


def test_the_demo_fails_and_names_whatever_the_script_contradicts(tmp_path: Path) -> None:
    talk = shutil.copytree(TALK, tmp_path / "talk")
    script = json.loads((talk / "talk.json").read_text())
    keyword, _question, semantic = script["searches"]
    script["sentences"][keyword["sentence"]]["start_s"] -= 2.5
    script["sentences"][semantic["sentence"]]["text"] += " The locomotives collided." + " Never said." * 30
    (talk / "talk.json").write_text(json.dumps(script))

    code, printed = outcome(demo(tmp_path / "demo", "--talk", talk, YTRAG_WHISPER_MODEL="packaged-tiny.en"))

    failures = printed.partition("The demo failed")[2]
    assert code == 1, printed
    assert re.search(r"The hit for 'Galileo lamp' is 2\.\d s off; 2 s may be\.", failures)
    assert "Every search shares a content word with its sentence" in failures
    assert re.search(r"Too many word errors: 1\d\.\d% of the script's 574 words", failures)
    assert len(failures.strip().splitlines()) == 4
    assert (tmp_path / "demo/up.log").is_file()


def test_a_folder_that_is_not_the_demos_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")

    code, printed = outcome(demo(tmp_path))

    assert code == 1
    assert "holds what is not the demo's" in printed
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
