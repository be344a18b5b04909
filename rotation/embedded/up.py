"""`manage.py up`: everything on this machine, in the foreground, until Ctrl-C.

Postgres, Valkey, the gateway, the pages, the simulator when no real key is known, the ledger, the worker with its
scheduler. A second start finds the database prepared and starts the web beside the checks instead of after them.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rotation.embedded import edition, greeting, listening, postgres, probe, services
from rotation.embedded.binaries import NoBinary
from rotation.embedded.child import Child
from rotation.embedded.greeting import Welcome
from rotation.embedded.home import AlreadyRunning, Home
from rotation.embedded.lodging import NoLodging
from rotation.embedded.once import Once
from rotation.embedded.supervisor import StartFailed, Stopped, Supervisor
from rotation.environment import BadEnvironment, envint, load_env_file

CLEAR = (AlreadyRunning, BadEnvironment, NoBinary, NoLodging, StartFailed, listening.PortTaken, postgres.PostgresFailed)
PATIENCE = 120.0  # seconds for any one step of the start
UPGRADE = (
    3600.0  # seconds for another edition to make the database its own: it may read every call that is stored, once
)


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0 after a stop that was asked for, 1 with one clear message when it cannot run."""
    parser = argparse.ArgumentParser(prog="manage.py up", description="Run all of Rotation on this machine.")
    parser.add_argument("--json", action="store_true", help="once ready, print one line of JSON on stdout")
    as_json = parser.parse_args(arguments).json
    try:
        load_env_file(services.ROOT)
        told = os.environ.get("ROTATION_HOME")
        home = Home((Path(told).expanduser() if told else services.ROOT / ".rotation").absolute())
        home.lock()
        Installation(home).run(as_json=as_json)
    except Stopped:
        return 0
    except CLEAR as problem:
        greeting.say(f"Rotation cannot start: {problem}")
        return 1
    return 0


def simulator_port(home: Home) -> int:
    """The same one at every start, as long as it is free."""
    port = listening.free_port(home.recall("simulator"))
    home.remember("simulator", port)
    return port


class Installation:
    """The running whole: addresses, children, and the order they come up and go down in."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.supervisor = Supervisor(home.logs, greeting.note)
        patience = 3.0 if home.running.exists() else 0.0  # left behind by a killed `up`: its gateway may just be ending
        self.listener = listening.listen(os.environ.get("HOST") or "127.0.0.1", envint("PORT", 8000), patience)
        self.url = listening.url_of(self.listener)
        self.pages = home.socket("dashboard.sock")
        self.simulator_port = 0 if os.environ.get("ROTATION_MODE") == "production" else simulator_port(home)
        self.env: dict[str, str] = {}
        self.last: list[Child] = []  # what goes down after everything else, in this order

    def run(self, *, as_json: bool) -> None:
        self.supervisor.listen_to_signals()
        self.home.say_where(self.url)
        try:
            prepared = self.start()
            setup = f"{self.url}{prepared['setup_path']}" if prepared["setup_path"] else None
            told = Welcome(self.url, setup, prepared["client_key"], prepared["simulated"])
            greeting.warn_of_strangers(os.environ.get("HOST") or "127.0.0.1", os.environ.get("ALLOWED_HOSTS"))
            greeting.welcome(told, as_json=as_json, logs=self.home.logs)
            self.start_background()
            self.supervisor.watch()
        finally:
            self.listener.close()
            self.supervisor.stop(*self.last)
            self.home.running.unlink(missing_ok=True)

    def start(self) -> dict[str, Any]:
        """Everything a browser and a client need; what the preparation had to tell."""
        addresses = self.addresses()
        fresh = self.start_databases(addresses)
        self.env = services.environment(addresses)
        self.home.announce(addresses)
        known = {"edition": edition.of_start(), "database": self.env["DATABASE_URL"]}
        warm = not fresh and known == self.home.recall("prepared")
        if warm:
            self.start_web()
        prepared = self.prepare(quickly=warm)
        if not warm:
            self.start_web()
        self.home.remember("prepared", known)
        self.supervisor.wait_for(self.web_answers, "the web", PATIENCE)
        if prepared["simulated"]:
            self.supervisor.wait_for(self.simulator_listens, "the simulator", PATIENCE)
        return prepared

    def addresses(self) -> dict[str, str]:
        """What the parts are told of each other. Production knows of no simulator."""
        told = {
            "ROTATION_HOME": str(self.home.path),
            "ROTATION_DASHBOARD_SOCKET": str(self.pages),
            "ROTATION_GATEWAY_URL": self.url,
            "PORT": str(self.listener.getsockname()[1]),
        }
        if self.simulator_port:
            told["ROTATION_SIMULATOR_URL"] = f"http://127.0.0.1:{self.simulator_port}"
        return told

    def start_databases(self, addresses: dict[str, str]) -> bool:
        """Embedded ones unless an address is given; whether the database is a new one."""
        bare = services.environment({})
        if not os.environ.get("REDIS_URL"):
            socket = self.home.socket("valkey.sock")
            addresses["REDIS_URL"] = f"redis+socket://{socket}"
            self.last.append(self.supervisor.start(services.valkey(socket, self.home.path, bare)))
        if os.environ.get("DATABASE_URL"):
            return False
        cluster = postgres.at(self.home.path / "postgres")
        fresh = cluster.create()
        addresses["DATABASE_URL"] = cluster.url
        self.last.append(self.supervisor.start(services.postgres(cluster, bare)))
        self.supervisor.wait_for(cluster.ready, "Postgres", PATIENCE)
        return fresh

    def prepare(self, *, quickly: bool) -> dict[str, Any]:
        """Quickly: in the leanest role, which starts again with everything by itself when it has to."""
        env = {**self.env, "ROTATION_ROLE": "gateway"} if quickly else self.env
        once = Once(services.preparation(), env, self.home.logs / "prepare.log")
        try:
            self.supervisor.wait_for(once.ended, "the preparation", UPGRADE)
        finally:
            once.end()
        return once.result()

    def start_web(self) -> None:
        if self.simulator_port:
            self.supervisor.start(services.simulator(self.simulator_port, self.home.path / "simulate", self.env))
        self.supervisor.start(services.gateway(self.listener.fileno(), self.env))
        self.supervisor.start(services.dashboard(self.pages, self.env))

    def start_background(self) -> None:
        self.last.insert(0, self.supervisor.start(services.ledger(self.env)))
        self.supervisor.start(services.worker(self.home.path / "beat", self.env))

    def web_answers(self) -> bool:
        host, port = self.listener.getsockname()[:2]
        near = "127.0.0.1" if host in listening.WILDCARDS else host
        return probe.answers(self.pages) and probe.answers((near, port))

    def simulator_listens(self) -> bool:
        return probe.listens("127.0.0.1", self.simulator_port)
