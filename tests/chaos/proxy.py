"""A TCP proxy, on loopback unless told otherwise: resets, refuses or withholds what passes through it."""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

RESET = struct.pack("ii", 1, 0)
"""Closing with this linger sends a reset, as a server that was killed does."""


class Proxy:
    """Passes connections at its port on to the target for as long as the block runs."""

    def __init__(self, host: str, port: int, *, at: str = "127.0.0.1") -> None:
        self.target, self.at = (host, port), at
        self.refusing = False
        self._flows = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()

    @classmethod
    def before(cls, url: str, port: int, *, at: str = "127.0.0.1") -> Self:
        """One before the server of the URL, whose port is this unless the URL says otherwise."""
        parts = urlsplit(url)
        return cls(parts.hostname or "127.0.0.1", parts.port or port, at=at)

    def __enter__(self) -> Self:
        self._flows.set()
        self._server = self._loop.run_until_complete(asyncio.start_server(self._serve, self.at, 0))
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._call(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def reset(self) -> None:
        """Reset every connection there is."""
        self._call(lambda: self._reset(tuple(self._open)))

    def refuse(self) -> None:
        """Reset every connection, and each new one at once, until heal()."""
        self.refusing = True
        self.reset()

    def withhold(self) -> None:
        """Keep every connection open and pass nothing on, until heal()."""
        self._call(self._flows.clear)

    def heal(self) -> None:
        """Pass everything on again."""
        self.refusing = False
        self._call(self._flows.set)

    async def _close(self) -> None:
        self._server.close()
        self._reset(tuple(self._open))
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for one in left:
            one.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _call(self, action: Callable[[], object]) -> None:
        self._loop.call_soon_threadsafe(action)

    @staticmethod
    def _reset(writers: Iterable[asyncio.StreamWriter]) -> None:
        for writer in writers:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            self._reset([writer])
            return
        try:
            there, onward = await asyncio.open_connection(*self.target)
        except OSError:
            self._reset([writer])
            return
        self._open |= {writer, onward}
        await asyncio.gather(self._pump(reader, onward), self._pump(there, writer))
        self._open -= {writer, onward}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()
