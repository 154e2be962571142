"""A TLS door before a sandbox, for clients that insist on https; all clients of a comparison go through the same one.

    python benchmarks/tls.py FOLDER PORT [NAME TOKEN]

Makes a certificate for localhost (and NAME) in FOLDER, listens on a free port, prints it, and passes bytes on to
127.0.0.1:PORT. With a TOKEN it answers apps that ask for one themselves, as Asana's door does and the sandbox does not.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

LONGEST = 1 << 16
ASKS = b"POST /-/oauth_token "


def certificate(folder: Path, names: Sequence[str] = ()) -> tuple[Path, Path]:
    """A certificate that signs itself, and its key."""
    known = ",".join(["DNS:localhost", "IP:127.0.0.1", *(f"DNS:{name}" for name in names)])
    cert, key = folder / "localhost.pem", folder / "localhost.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", f"subjectAltName={known}", "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


async def serve(folder: Path, port: int, name: str = "", token: str = "") -> None:
    """Pass everything on until the process is ended."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate(folder, [name] if name else []))

    async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while data := await source.read(LONGEST):
                sink.write(data)
                await sink.drain()
        sink.close()

    async def door(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.read(LONGEST)
        if token and first.startswith(ASKS):
            await _give(first, reader, writer, token)
            return
        behind, before = await asyncio.open_connection("127.0.0.1", port)
        before.write(first)
        await asyncio.gather(copy(reader, before), copy(behind, writer), return_exceptions=True)

    server = await asyncio.start_server(door, "127.0.0.1", 0, ssl=context)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await server.serve_forever()


async def _give(asked: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str) -> None:
    """Answer a whole request for a token."""
    while b"\r\n\r\n" not in asked:
        asked += await reader.readuntil(b"\r\n\r\n")
    head, _, body = asked.partition(b"\r\n\r\n")
    (length,) = (
        int(line.partition(b":")[2]) for line in head.splitlines() if line.lower().startswith(b"content-length")
    )
    await reader.readexactly(length - len(body))
    told = json.dumps({"access_token": token, "token_type": "bearer", "expires_in": 3600}).encode()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n")
    writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(told), told))
    await writer.drain()
    writer.close()


@contextlib.contextmanager
def door(folder: Path, port: int, *name_and_token: str) -> Iterator[tuple[str, Path]]:
    """A door as a process of its own: its address as `localhost:PORT`, and the certificate to trust."""
    command = [sys.executable, __file__, str(folder), str(port), *name_and_token]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"localhost:{json.loads(process.stdout.readline())['port']}", folder / "localhost.pem"
    finally:
        process.terminate()
        process.wait(timeout=20)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]))
