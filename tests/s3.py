"""An S3 server for tests: moto's, which keeps in memory what it is given; it is not Amazon's."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.observed import eventually
from tests.up import free_port

BUCKET = "videos"


@contextmanager
def s3(host: str = "127.0.0.1", *, prefix: tuple[str, ...] = ()) -> Iterator[dict[str, str]]:
    """While it runs: the variables with which s3fs finds it; prefix: what starts it elsewhere."""
    port = free_port()
    address = f"http://{host}:{port}"
    command = [*prefix, sys.executable, "-m", "moto.server", "-H", host, "-p", str(port)]
    access = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "s3cret",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }
    with subprocess.Popen(
        command, env={**os.environ, **access}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            eventually(lambda: _made(address))
            yield access | {"AWS_ENDPOINT_URL": address, "YTRAG_STORAGE_URL": f"s3://{BUCKET}/files"}
        finally:
            server.terminate()


def _made(address: str) -> bool:
    try:
        return httpx.put(f"{address}/{BUCKET}").status_code in (200, 409)
    except httpx.TransportError:
        return False
