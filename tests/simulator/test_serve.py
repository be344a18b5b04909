"""Starting, stopping, and being reached."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
import time
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import httpx2
import pytest

from rotation.simulator.app import create
from rotation.simulator.rules import read_rules
from rotation.simulator.serve import running
from tests.simulator.asking import ROOTS, Client, Raw, bearer, payload


def test_it_starts_quickly_answers_and_leaves_no_thread_behind() -> None:
    began = time.perf_counter()
    with running(speed=500) as sim, Client(sim.url) as client:
        started = time.perf_counter() - began
        assert client.chat("groq").status_code == 200
    assert started < 5  # 0.02 s on an idle machine
    assert not [thread for thread in threading.enumerate() if thread.name == "simulator"]


def test_two_simulators_share_nothing() -> None:
    with running(speed=500) as one, running(speed=500) as other, Client(one.url) as client:
        one.faults({"kind": "groq", "fault": "overloaded"})
        assert client.chat("groq").status_code == 503
        assert other.ledger() == []
        with Client(other.url) as there:
            assert there.chat("groq").status_code == 200


def test_stopping_does_not_wait_for_a_stalled_answer() -> None:
    with running(speed=500) as sim:
        sim.faults({"kind": "groq", "fault": "stall", "after": 1})
        raw = Raw(sim.url, "groq", stream=True)
        raw.read_until(b"data:")
        began = time.perf_counter()
    assert time.perf_counter() - began < 5
    raw.close()


def test_an_unknown_path_says_where_the_providers_live(client: Client) -> None:
    answer = client.get("/v1/models")
    assert answer.status_code == 404
    assert "/openrouter/api/v1" in answer.json()["error"]


def test_the_package_runs_without_django_and_without_the_adapters() -> None:
    code = (
        "import sys; from rotation.simulator.serve import running\n"
        "with running(): pass\n"
        "foreign = ('django', 'rotation.providers', 'rotation.gateway', 'rotation.core')\n"
        "assert not [name for name in sys.modules if name.startswith(foreign)]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("by_path", [False, True])
def test_the_command_serves_and_ends_on_a_signal(tmp_path, free_port, by_path) -> None:
    where = ["--socket", str(tmp_path / "s")] if by_path else ["--port", str(free_port)]
    process = subprocess.Popen([sys.executable, "-m", "rotation.simulator", *where, "--speed", "500"])
    try:
        _wait_for_listener(tmp_path / "s" if by_path else ("127.0.0.1", free_port))
        transport = httpx2.HTTPTransport(uds=str(tmp_path / "s")) if by_path else None
        with httpx2.Client(transport=transport, base_url=f"http://127.0.0.1:{free_port}") as client:
            assert client.get("/_sim/clock").json()["speed"] == 500
    finally:
        process.terminate()
    assert process.wait(20) == 0
    assert not (tmp_path / "s").exists()


def _wait_for_listener(address: Path | tuple[str, int]) -> None:
    until = time.monotonic() + 60
    while True:
        with socket.socket(socket.AF_UNIX if isinstance(address, Path) else socket.AF_INET) as probe:
            if probe.connect_ex(str(address) if isinstance(address, Path) else address) == 0:
                return
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_taken_port_is_one_clear_line(simulator) -> None:
    port = simulator.url.rpartition(":")[2]
    ended = subprocess.run(
        [sys.executable, "-m", "rotation.simulator", "--port", port],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert f"cannot start at 127.0.0.1:{port}" in ended.stderr


def test_the_management_command_is_there() -> None:
    from django.core.management import load_command_class

    command = load_command_class("rotation", "simulate")
    parser = command.create_parser("manage.py", "simulate")
    given = parser.parse_args(["--port", "1234", "--seed", "7", "--speed", "20", "--no-limits"])
    assert (given.port, given.seed, given.speed, given.no_limits) == (1234, 7, 20.0, True)


def test_under_another_server_it_answers_and_breaks_off_by_raising() -> None:
    async def ask() -> None:
        simulator = create(speed=500)
        transport = httpx2.ASGITransport(app=simulator)
        async with httpx2.AsyncClient(transport=transport, base_url="http://sim") as client:
            path, headers = f"{ROOTS['groq']}/chat/completions", bearer("groq")
            answer = await client.post(path, json=payload("groq"), headers=headers)
            assert answer.status_code == 200
            simulator.world.faults.add(read_rules({"fault": "cut"}))
            with pytest.raises(ConnectionAbortedError):
                await client.post(path, json=payload("groq"), headers=headers)
            assert simulator.world.ledger.open == 0

    asyncio.run(ask())


def test_it_tells_a_server_that_it_has_started_and_stopped() -> None:
    async def live() -> list[str]:
        orders = iter(["lifespan.startup", "lifespan.shutdown"])
        told: list[str] = []

        async def receive() -> dict[str, str]:
            return {"type": next(orders)}

        async def send(message: MutableMapping[str, Any]) -> None:
            told.append(message["type"])

        await create()({"type": "lifespan"}, receive, send)
        return told

    assert asyncio.run(live()) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
