"""Checks the polite session on a raw loopback server: cut connections, half bodies, silence, refused connections."""

from __future__ import annotations

import datetime as dt
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from pmosync.errors import Unavailable
from pmosync.http import Endpoint, FateUnknown, Limiter, Limits, PoliteSession

ENDPOINTS = (
    Endpoint("GET", "/thing", repeatable=True, reads=True),
    Endpoint("PUT", "/thing", repeatable=True, reads=False),
    Endpoint("POST", "/thing", repeatable=False, reads=False),
)
GOOD = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\nConnection: close\r\n\r\n{"ok": 1}'
HALF = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{"ok": 1, '
CUT = b""
SILENCE = b"silence"


class RawServer:
    """Answers each connection with the next script line, byte for byte, and remembers what it was asked."""

    def __init__(self) -> None:
        self.script: list[bytes] = []
        self.asked: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.asked.append(connection.recv(65536))
            line = self.script.pop(0) if self.script else GOOD
            if line == SILENCE:
                self._open.append(connection)
                continue
            connection.sendall(line)
            connection.close()

    def close(self) -> None:
        self._socket.close()
        for connection in self._open:
            connection.close()


@pytest.fixture
def server() -> Iterator[RawServer]:
    with closing(RawServer()) as running:
        yield running


@pytest.fixture
def session_to() -> Iterator[Callable[[str], PoliteSession]]:
    opened: list[PoliteSession] = []

    def make(url: str) -> PoliteSession:
        session = PoliteSession(
            url,
            ENDPOINTS,
            Limiter(Limits(), lambda: 0.0, lambda _: None),
            timeout_s=(2.0, 0.2),
            monotonic=lambda: 0.0,
            sleep=lambda _: None,
            now=lambda: dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC),
        )
        opened.append(session)
        return session

    yield make
    for session in opened:
        session.close()


@pytest.mark.parametrize("trouble", [CUT, HALF, SILENCE], ids=["cut", "half a body", "silence"])
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_what_may_be_repeated_is_sent_again_until_it_is_answered(
    server: RawServer, session_to: Callable[[str], PoliteSession], trouble: bytes, method: str
) -> None:
    server.script = [trouble, trouble]
    assert session_to(server.url).call(method, "/thing").data == {"ok": 1}
    assert len(server.asked) == 3


@pytest.mark.parametrize("trouble", [CUT, HALF, SILENCE], ids=["cut", "half a body", "silence"])
def test_what_may_not_be_repeated_is_sent_once_and_its_fate_is_unknown(
    server: RawServer, session_to: Callable[[str], PoliteSession], trouble: bytes
) -> None:
    server.script = [trouble]
    with pytest.raises(FateUnknown, match="POST /thing"):
        session_to(server.url).call("POST", "/thing", json={"a": 1})
    assert len(server.asked) == 1


def test_a_lasting_cut_makes_the_site_unavailable_in_plain_words(
    server: RawServer, session_to: Callable[[str], PoliteSession]
) -> None:
    server.script = [CUT] * 5
    with pytest.raises(Unavailable, match="cut the connection before its answer was complete") as caught:
        session_to(server.url).call("GET", "/thing")
    assert "0x" not in str(caught.value)
    assert len(server.asked) == 5


def test_a_hang_ends_with_the_time_out_in_the_message(
    server: RawServer, session_to: Callable[[str], PoliteSession]
) -> None:
    server.script = [SILENCE] * 5
    with pytest.raises(Unavailable, match=r"gave no answer within 0\.2 s"):
        session_to(server.url).call("GET", "/thing")


def test_a_refused_connection_is_tried_again_with_any_verb_and_then_unavailable(
    session_to: Callable[[str], PoliteSession],
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    session = session_to(f"http://127.0.0.1:{port}")
    with pytest.raises(Unavailable, match=r"could not be reached \(.*[Rr]efused"):
        session.call("POST", "/thing", json={})
    assert session.calls["POST /thing"] == 5


def test_the_servers_cookies_are_not_kept(server: RawServer, session_to: Callable[[str], PoliteSession]) -> None:
    server.script = [GOOD.replace(b"Connection", b"Set-Cookie: session=1; Path=/\r\nConnection")]
    session = session_to(server.url)
    session.call("GET", "/thing")
    session.call("GET", "/thing")
    assert b"cookie" not in server.asked[1].lower()
