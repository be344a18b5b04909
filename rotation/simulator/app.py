"""The ASGI application: which provider, which operation, and the life of one request. Start reading here.

An operation is a function from a visit to a plan; nothing but `play` waits or writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rotation.simulator import account, control
from rotation.simulator.chat import chat
from rotation.simulator.completions import complete
from rotation.simulator.embeddings import embed
from rotation.simulator.kinds import KINDS
from rotation.simulator.kinds.base import Kind
from rotation.simulator.ledger import Entry
from rotation.simulator.oops import Oops, Trouble
from rotation.simulator.script import play
from rotation.simulator.transcriptions import BODY_LIMIT, transcribe, translate
from rotation.simulator.visit import Operation, Plan, Visit, account_of
from rotation.simulator.wire import BodyTooLarge, Broken, ClientGone, Line, Receive, Scope, Send
from rotation.simulator.world import World

_BODY_LIMIT = 64 * 2**20
_LIMITS = {"transcriptions": BODY_LIMIT, "translations": BODY_LIMIT}

_OPERATIONS: Mapping[str, tuple[str, str, Operation]] = {
    "/chat/completions": ("POST", "chat", chat),
    "/completions": ("POST", "completions", complete),
    "/embeddings": ("POST", "embeddings", embed),
    "/audio/transcriptions": ("POST", "transcriptions", transcribe),
    "/audio/translations": ("POST", "translations", translate),
    "/models": ("GET", "models", account.models),
}
_ABSENT = {("groq", "/embeddings"), ("groq", "/completions")}
_OPENROUTER: Mapping[str, tuple[str, str, Operation]] = {
    "/key": ("GET", "key", account.key),
    "/auth/key": ("GET", "key", account.key),
    "/credits": ("GET", "key", account.credits_left),
}


class Simulator:
    """The application, with its world in reach of whoever runs it in-process."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await _lifespan(receive, send) if scope["type"] == "lifespan" else None
        path: str = scope["path"]
        line = Line(scope, receive, send)
        try:
            if path.startswith("/_sim/"):
                await control.answer(self.world, line, scope)
            elif (kind := KINDS.get(path[1:].partition("/")[0])) is not None:
                await self._visit(kind, scope, line, path)
            else:
                await control.nothing_here(line, path)
        except ClientGone:
            pass
        finally:
            await line.done()

    async def _visit(self, kind: Kind, scope: Scope, line: Line, path: str) -> None:
        method: str = scope["method"]
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        under = path.removeprefix(kind.root) if path.startswith(kind.root) else path
        name, operation = _operation(kind, method, under)
        entry = self.world.ledger.begin(at=self.world.clock.now, kind=kind.name, operation=name)
        key = _bearer(headers)
        entry.key, entry.account = key[-4:], account_of(kind.name, key)
        entry.request_id = headers.get("x-request-id", "")
        visit = Visit(self.world, kind, entry, method, under, headers, b"", key, entry.account)
        try:
            body = await line.body(_LIMITS.get(name, _BODY_LIMIT))
            await self._perform(operation(replace(visit, body=body)), line, entry)
        except BodyTooLarge as large:
            oops = Oops(Trouble.TOO_LARGE, size=int(large.args[0]))
            await self._perform(Plan(visit.refused(oops)), line, entry)
        except ClientGone:
            entry.client_closed_after_ms = entry.since()
            raise
        finally:
            self.world.ledger.end(entry)

    async def _perform(self, plan: Plan, line: Line, entry: Entry) -> None:
        try:
            await play(plan.script, line, self.world.clock, entry)
        except Broken:
            raise ConnectionAbortedError("the simulated provider broke the connection, as it was told to") from None
        finally:
            if plan.settle is not None:
                plan.settle()


def create(*, seed: int = 0, speed: float = 1.0, start: float | None = None, limits: bool = True) -> Simulator:
    """A world of its own. `speed` divides every wait.

    `start`: the simulated time it begins at (epoch seconds, default now).
    """
    return Simulator(World(seed=seed, speed=speed, start=start, limits=limits))


def _operation(kind: Kind, method: str, path: str) -> tuple[str, Operation]:
    found = None if (kind.name, path) in _ABSENT else _OPERATIONS.get(path)
    if found is None and kind.name == "openrouter":
        found = _OPENROUTER.get(path)
    if found is None and path.startswith("/models/") and len(path) > len("/models/"):
        found = ("GET", "models", account.model)
    if found is None:
        return "unknown", _not_found
    wanted, name, operation = found
    return (name, operation) if method == wanted else (name, _not_allowed)


def _not_found(visit: Visit) -> Plan:
    return Plan(visit.refused(Oops(Trouble.NOT_FOUND, path=f"{visit.kind.root}{visit.path}", method=visit.method)))


def _not_allowed(visit: Visit) -> Plan:
    return Plan(visit.refused(Oops(Trouble.NOT_ALLOWED, path=f"{visit.kind.root}{visit.path}", method=visit.method)))


def _bearer(headers: Mapping[str, str]) -> str:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        step = (await receive())["type"]
        await send({"type": f"{step}.complete"})
        if step == "lifespan.shutdown":
            return
