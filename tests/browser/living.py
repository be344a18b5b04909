"""An installation that is alive: everything `manage.py up` starts, and a provider of the test's own beside it.

The provider is a simulator in a thread of the test's process, added by hand like any server in one's own network; its
faults are the test's to order. Rotation's own simulated providers run as well, until the first key is stored.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from rotation.simulator.serve import Running, running
from tests.browser.installation import Installation
from tests.embedded.running import Up
from tests.embedded.waiting import until

PREFERRED, OTHER = "/generic/v1", "/groq/openai/v1"


@dataclass(frozen=True)
class Living(Installation):
    """`provider` plays two servers of one's own: at `preferred` and at `other`."""

    provider: Running
    client_key: str

    @property
    def preferred(self) -> str:
        return f"{self.provider.url}{PREFERRED}"

    @property
    def other(self) -> str:
        return f"{self.provider.url}{OTHER}"

    def setup_path(self) -> str:
        """A fresh set-up link, without any account."""
        self.people()
        found = re.search(r"/setup/\S+", self.manage("setup_link"))
        assert found is not None
        return found[0]

    def answered_by(self, key: str, said: str = "Say hello") -> tuple[str, str]:
        """Who answers a program's call, at which attempt; nothing twice when it is refused."""
        body = json.dumps({"model": "auto", "messages": [{"role": "user", "content": said}]})
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        with contextlib.closing(http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)) as link:
            link.request("POST", "/v1/chat/completions", body, headers)
            reply = link.getresponse()
            reply.read()
        return reply.headers.get("x-rotation-provider", ""), reply.headers.get("x-rotation-attempts", "")

    def written(self, request_id: str) -> dict[str, Any]:
        """The row of a call, as soon as the ledger has written it."""
        query = "SELECT outcome, attempts, provider_id FROM rotation_request WHERE id = %s"
        until(lambda: self.sql(query, request_id), f"the row of {request_id}")
        return dict(zip(("outcome", "attempts", "provider"), self.sql(query, request_id)[0], strict=True))


@contextmanager
def living(folder: Path, database: str) -> Iterator[Living]:
    """Started with a database of its own in the tests' Postgres; ended afterwards with everything it started."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)'.encode())
        connection.execute(f'CREATE DATABASE "{database}"'.encode())
    here, question, options = os.environ["DATABASE_URL"].partition("?")
    told = {"DATABASE_URL": f"{here.rpartition('/')[0]}/{database}{question}{options}", "HOST": "127.0.0.1"}
    with running(limits=False, speed=50) as provider:
        up = Up(folder / "home", "--json", **told)
        try:
            welcome = up.welcome()
            home = {"ROTATION_HOME": str(folder / "home"), "DJANGO_SETTINGS_MODULE": "rotation.settings"}
            environment = {**os.environ, **told, **home}
            yield Living(welcome["url"], environment, provider, welcome["client_key"])
        finally:
            up.end()
