"""docker-compose.yml without Docker: its very commands, side by side as plain processes, with its own health checks."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from rotation.embedded import binaries, lodging, postgres
from rotation.embedded.listening import free_port
from rotation.embedded.secret_files import make
from tests.embedded.running import ask
from tests.embedded.waiting import until

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("web", "worker", "beat", "ledger")
LONG = 120.0

pytestmark = pytest.mark.timeout(400)


def image_env() -> dict[str, str]:
    lines = DOCKERFILE.replace("\\\n", " ").splitlines()
    pairs = [word.split("=", 1) for line in lines if line.startswith("ENV ") for word in shlex.split(line)[1:]]
    return {name: value for name, value in pairs if name != "PATH"}


class Machine:
    """Everything the services see: folders for their volumes, ports for their networks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port(None)
        self.broker_port = free_port(None)
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.addresses: dict[str, str] = {}

    def here(self, text: str) -> str:
        """A path, address or default of the file as it is on this machine."""
        text = re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", text).replace("$$", "$")
        text = re.sub(r"(?<![\w/])/(data|secrets|tmp)\b", rf"{self.folder}/\1", text)
        return text.replace(":8000", f":{self.port}").replace("http://web:", "http://127.0.0.1:")

    def command(self, words: list[str]) -> list[str]:
        programs = {"python": sys.executable, "valkey-server": str(binaries.valkey_server())}
        first, *rest = (self.here(str(word)) for word in words)
        return [programs.get(first, first), *rest]

    def env(self, service: str) -> dict[str, str]:
        told = {**image_env(), **SERVICES[service].get("environment", {})}
        mine = {name: self.here(str(value)) for name, value in told.items()}
        if "HOST" in mine:
            mine |= {"HOST": "127.0.0.1", "PORT": str(self.port)}
        bare = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}
        return {**bare, **mine, **self.addresses}

    def start(self, service: str, *more: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{service}.log").open("wb") as log:
            command = [*self.command(SERVICES[service]["command"]), *more]
            process = subprocess.Popen(command, env=self.env(service), cwd=ROOT, stdout=log, stderr=log)
        self.running[service] = process
        return process

    def once(self, service: str) -> None:
        assert self.start(service).wait(LONG) == 0, self.log(service)

    def healthy(self, service: str) -> bool:
        assert self.running[service].poll() is None, self.log(service)
        kind, *words = SERVICES[service]["healthcheck"]["test"]
        assert kind == "CMD"
        check = subprocess.run(
            self.command(words), env=self.env(service), cwd=ROOT, capture_output=True, timeout=LONG, check=False
        )
        return check.returncode == 0

    def log(self, service: str) -> str:
        return (self.folder / f"{service}.log").read_text()


@pytest.fixture(scope="module")
def machine():
    folder = Path(tempfile.mkdtemp(prefix="rotation-compose-"))
    folder.chmod(0o711)
    machine = Machine(folder)
    try:
        start_all(machine)
        yield machine
    finally:
        for service, process in reversed(machine.running.items()):
            process.send_signal(signal.SIGINT if service == "postgres" else signal.SIGTERM)
            process.wait(LONG)
        shutil.rmtree(folder)


def start_all(machine: Machine) -> None:
    for volume in ("data", "secrets", "tmp"):
        (machine.folder / volume).mkdir()
    machine.once("secrets")
    cluster = postgres.at(machine.folder / "postgres", settings=postgres.THROW_AWAY)
    cluster.create()
    identity = lodging.identity(cluster.owner)
    with (machine.folder / "postgres.log").open("wb") as log:
        machine.running["postgres"] = subprocess.Popen(cluster.argv(), cwd="/", stdout=log, stderr=log, **identity)
    until(cluster.ready, "Postgres")
    machine.start("valkey", "--port", str(machine.broker_port), "--dir", str(machine.folder))
    secrets = dict(line.split("=", 1) for line in (machine.folder / "secrets/rotation.env").read_text().splitlines())
    broker = secrets["REDIS_URL"].replace("valkey:6379", f"127.0.0.1:{machine.broker_port}")
    machine.addresses = {"DATABASE_URL": cluster.url, "REDIS_URL": broker}
    machine.once("prepare")
    for service in OURS:
        machine.start(service)


@pytest.mark.parametrize("service", OURS)
def test_a_service_comes_up_healthy_beside_the_others(machine, service):
    until(lambda: machine.healthy(service), f"{service} to be healthy: {machine.log(service)[-2000:]}", LONG)


def test_pages_and_calls_are_served_and_the_first_client_key_lies_on_the_volume(machine):
    url = f"http://127.0.0.1:{machine.port}"
    until(lambda: ask(url, "/readyz")[0] == 200, "the web", LONG)
    key = (machine.folder / "data" / "client_key").read_text().strip()
    assert ask(url, "/v1/models", key=key)[0] == 200
    assert ask(url, "/v1/models", key="rk_wrong")[0] == 401
    assert ask(url, "/login/")[0] == 200


def test_nothing_is_simulated(machine):
    assert "simulated" not in machine.log("prepare")


def test_the_link_for_the_first_account_is_in_the_log_and_the_client_key_is_not(machine):
    assert "/setup/" in machine.log("prepare")
    key = (machine.folder / "data" / "client_key").read_text().strip()
    assert all(key not in machine.log(service) for service in ("prepare", *OURS))


def test_a_service_that_is_not_there_is_not_healthy(machine, tmp_path):
    check = [sys.executable, "-m", "rotation.embedded.probe"]
    nobody = free_port(None)
    for words in ([f"http://127.0.0.1:{nobody}/readyz"], ["--fresh", str(tmp_path / "never")]):
        assert subprocess.run([*check, *words], cwd=ROOT, check=False).returncode == 1


def test_secrets_are_made_once_and_none_is_a_default(tmp_path):
    make(tmp_path / "one")
    before = {path.name: path.read_text() for path in (tmp_path / "one").iterdir()}
    make(tmp_path / "one")
    assert {path.name: path.read_text() for path in (tmp_path / "one").iterdir()} == before
    make(tmp_path / "two")
    for name, text in before.items():
        assert (tmp_path / "two" / name).read_text() != text
    assert (tmp_path / "one" / "rotation.env").stat().st_mode & 0o077 == 0
    assert not re.search(r"PASSWORD:|password\s*=", (ROOT / "docker-compose.yml").read_text())


def test_only_the_web_is_published_and_only_on_this_machine():
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert list(published) == ["web"]
    assert published["web"][0].startswith("${BIND:-127.0.0.1}:")


def test_every_lasting_service_is_watched_and_ours_run_as_an_ordinary_user_on_a_read_only_disk():
    for name, service in SERVICES.items():
        lasting = service["restart"] != "no"
        assert not lasting or "healthcheck" in service, name
        if service["image"] == "rotation":
            assert service["read_only"] is True
            assert service["cap_drop"] == ["ALL"]
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE) == ["rotation"]


def test_the_database_keeps_its_rows_where_its_image_wants_them():
    assert "postgres:/var/lib/postgresql" in SERVICES["postgres"]["volumes"]
    assert SERVICES["postgres"]["image"].startswith("postgres:18")


def test_every_file_the_image_takes_in_exists_and_is_let_through():
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for line in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE):
        for name in line.split():
            assert name in let_in, name
            assert (ROOT / name).exists(), name
