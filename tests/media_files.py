"""Tiny media files, made by the ffmpeg that the product uses."""

import subprocess
from pathlib import Path

import imageio_ffmpeg

PICTURES = ("-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=12")
SOUND = ("-f", "lavfi", "-i", "sine=duration=12")
SILENCE = ("-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono")
NOISE = ("-f", "lavfi", "-i", "anoisesrc=r=16000:a=0.3:seed=1")
MUSIC = (
    *("-f", "lavfi", "-i"),
    "aevalsrc='0.3*sin(2*PI*220*t)*exp(-3*mod(t,0.5))+0.2*sin(2*PI*330*t)*exp(-2*mod(t,1))':s=16000",
)

HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:12\n#EXTINF:12,\n{url}\n#EXT-X-ENDLIST\n"
CONCAT = "ffconcat version 1.0\nfile '{url}'\n"
DASH = (
    '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"'
    ' mediaPresentationDuration="PT12S"><Period><AdaptationSet mimeType="audio/mp4"><Representation id="1"'
    ' bandwidth="9"><BaseURL>{url}</BaseURL></Representation></AdaptationSet></Period></MPD>'
)
"""Texts that stand for the media at their URL."""


def make(path: Path, *arguments: str) -> Path:
    """Run ffmpeg with these arguments and this output."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-y"]
    subprocess.run([*command, *arguments, f"file:{path}"], check=True, timeout=180, stdin=subprocess.DEVNULL)
    return path


def make_video(path: Path) -> Path:
    """Twelve seconds of a test picture and a tone; an MP4 has its index in front."""
    faststart = ("-movflags", "+faststart") if path.suffix == ".mp4" else ()
    return make(path, *PICTURES, *SOUND, "-pix_fmt", "yuv420p", *faststart)
