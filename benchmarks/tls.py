"""A TLS door before a sandbox, for clients that insist on https; all clients of a comparison go through the same one.

    python benchmarks/tls.py FOLDER PORT

Makes a certificate for localhost in FOLDER, listens on a free port, prints it, and passes bytes on to 127.0.0.1:PORT.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

LONGEST = 1 << 16


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate that signs itself, and its key."""
    cert, key = folder / "localhost.pem", folder / "localhost.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


async def serve(folder: Path, port: int) -> None:
    """Pass everything on until the process is ended."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate(folder))

    async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while data := await source.read(LONGEST):
                sink.write(data)
                await sink.drain()
        sink.close()

    async def door(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, before = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(copy(reader, before), copy(behind, writer), return_exceptions=True)

    server = await asyncio.start_server(door, "127.0.0.1", 0, ssl=context)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await server.serve_forever()


@contextlib.contextmanager
def door(folder: Path, port: int) -> Iterator[tuple[str, Path]]:
    """A door as a process of its own: its address as `localhost:PORT`, and the certificate to trust."""
    command = [sys.executable, __file__, str(folder), str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"localhost:{json.loads(process.stdout.readline())['port']}", folder / "localhost.pem"
    finally:
        process.terminate()
        process.wait(timeout=20)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
