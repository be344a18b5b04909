"""Whatever ends a call for audio, nothing of it stays: no file, no task, no connection; and memory has a bound."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from rotation.simulator.serve import Running
from tests.cast import ALICE, Serving, serving, wait_for
from tests.gateway.uploading import FORM, OFFERS, form, kept_files, listening

ROOT = Path(__file__).parents[2]
BODY = form(bytes(3_000_000), model="auto")


def head(length: int) -> bytes:
    lines = ["POST /v1/audio/transcriptions HTTP/1.1", "host: localhost", f"authorization: Bearer {ALICE}",
             f"content-type: {FORM}", f"content-length: {length}", "", ""]  # fmt: skip
    return "\r\n".join(lines).encode()


async def hang_up(served: Serving, sent: int, patience: float) -> None:
    """Send so many bytes of the body, wait, and go."""
    _, writer = await asyncio.open_connection("127.0.0.1", urlsplit(served.url).port)
    writer.write(head(len(BODY)) + BODY[:sent])
    await writer.drain()
    await asyncio.sleep(patience)
    writer.transport.abort()


def tasks(served: Serving) -> int:
    return len(asyncio.all_tasks(served.loop))


@pytest.mark.parametrize("sent", [100, 1_500_000, len(BODY) - 20], ids=["early", "half-way", "nearly"])
def test_who_hangs_up_while_uploading_leaves_nothing(sim: Running, tmp_path: Path, sent: int) -> None:
    with serving(listening(sim.url), tmp_path) as served:
        before = tasks(served)
        asyncio.run(hang_up(served, sent, 0.05))
        wait_for(lambda: kept_files() == [] and tasks(served) <= before)
        assert served.records() == []
        assert sim.ledger() == []


def test_who_hangs_up_while_waiting_leaves_nothing(sim: Running, tmp_path: Path) -> None:
    sim.faults({"fault": "slow", "seconds": 3000})
    with serving(listening(sim.url), tmp_path) as served:
        before = tasks(served)
        asyncio.run(hang_up(served, len(BODY), 0.3))
        wait_for(lambda: len(served.records()) == 1)
        wait_for(lambda: kept_files() == [] and tasks(served) <= before and sim.open() == 0)
        (page,) = served.records()
        assert (page["outcome"], page["status"]) == ("cancelled", 499)
        assert served.gate.health.standing(served.gate.snapshot.targets[1][0]).state == "ready"


def test_who_hangs_up_while_the_file_is_sent_on_leaves_nothing(tmp_path: Path) -> None:
    """The provider reads a little of the upload and no more: the file is open, and being read."""

    enough, ended = asyncio.Event(), asyncio.Event()

    async def slow_reader(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1000)
        await enough.wait()
        writer.transport.abort()
        await asyncio.sleep(0)
        ended.set()

    async def story() -> None:
        server = await asyncio.start_server(slow_reader, "127.0.0.1", 0, limit=1000)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with serving(listening(url, OFFERS[:1]), tmp_path) as served:
            before = tasks(served)
            await asyncio.to_thread(lambda: asyncio.run(hang_up(served, len(BODY), 0.3)))
            await asyncio.to_thread(lambda: wait_for(lambda: kept_files() == [] and tasks(served) <= before))
            assert [r["outcome"] for r in served.records()] == ["cancelled"]
        enough.set()
        await asyncio.wait_for(ended.wait(), 20)
        server.close()

    asyncio.run(story())


def test_a_hundred_uploads_at_once_leave_nothing(sim: Running, tmp_path: Path) -> None:
    sim.control("POST", "/_sim/settings", {"limits": False})
    with serving(listening(sim.url), tmp_path) as served:

        async def story() -> list[int]:
            headers = {"authorization": f"Bearer {ALICE}", "content-type": FORM}
            async with httpx2.AsyncClient(headers=headers, timeout=60) as client:
                body = form(bytes(100_000), model="auto")
                sent = [client.post(f"{served.url}/v1/audio/transcriptions", content=body) for _ in range(100)]
                return [reply.status_code for reply in await asyncio.gather(*sent)]

        assert asyncio.run(story()) == [200] * 100
        assert kept_files() == []


MEASURE = """
import asyncio, os, resource, sys, tempfile
os.environ["ROTATION_HOME"] = tempfile.mkdtemp()
import django
django.setup()
from pathlib import Path
from rotation.gateway.gate import Gate
from rotation.gateway.journal import Journal
from rotation.gateway import accept
from tests.gateway.scripted import ME
from tests.gateway.uploading import BOUNDARY, FORM, OFFERS, listening

SIZE = int(sys.argv[1]) * 2**20

async def body():
    edge = f'--{BOUNDARY}\\r\\nContent-Disposition: form-data; name='.encode()
    yield edge + b'"model"\\r\\n\\r\\nauto\\r\\n' + edge + b'"file"; filename="a.mp3"\\r\\n\\r\\n'
    for _ in range(SIZE // 65536):
        yield bytes(65536)
    yield f'\\r\\n--{BOUNDARY}--\\r\\n'.encode()

async def provider(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    left = SIZE
    while left > 0:
        left -= len(await reader.read(65536))
    writer.write(b'HTTP/1.1 200 OK\\r\\ncontent-length: 15\\r\\n\\r\\n{"text":"long"}')
    await writer.drain()
    writer.close()

async def story():
    server = await asyncio.start_server(provider, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    snapshot = listening(url, OFFERS[:1])
    next(iter(snapshot.providers.values())).options["max_upload_mib"] = 100
    gate = Gate(snapshot, Journal(Path(tempfile.mkdtemp())))
    form = await accept.uploaded(gate, ME, "transcription", FORM, body())
    reply = await accept.audio(gate, ME, "transcription", form)
    assert reply.body == b'{"text":"long"}', reply
    await gate.close()
    server.close()

asyncio.run(story())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def peak(mib: int) -> int:
    """MiB of memory a process needs at most to receive an upload of this size and send it on."""
    found = subprocess.run(
        [sys.executable, "-c", MEASURE, str(mib)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert found.returncode == 0, found.stderr
    return int(found.stdout.split()[-1])


def test_an_upload_is_never_held_in_memory() -> None:
    assert peak(60) - peak(1) < 20
