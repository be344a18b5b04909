"""Keeps children running: starts them again when they end, and ends them all when it is told to.

One thread, one loop, no waiting for any one child while others need attention. A child that keeps failing rests
longer each time, on its own. It knows nothing of what the children are.
"""

from __future__ import annotations

import select
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from rotation.embedded.child import Child, Service

GIVE_UP_AFTER = 4  # failures of one child before everything was ready for the first time
TICK = 0.5
LOG_CHECK = 30.0
STOPPERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StartFailed(RuntimeError):
    """A part did not come up; the message holds its last words."""


class Stopped(Exception):
    """Somebody asked to stop while things were still starting."""


class Supervisor:
    """`start` services, `wait_for` conditions, `watch` until told to stop, `stop` in the reverse order."""

    def __init__(self, logs: Path, say: Callable[[str], None]) -> None:
        self.logs = logs
        self.say = say
        self.children: list[Child] = []
        self.asked = 0  # how often somebody asked to stop
        self.logs_checked = time.monotonic()
        self.listening = False
        self._wake, self._woken = socket.socketpair()
        for end in (self._wake, self._woken):
            end.setblocking(False)

    def listen_to_signals(self) -> None:
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        self.listening = True
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in STOPPERS:
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked += 1

    def start(self, service: Service) -> Child:
        child = Child(service, self.logs)
        self.children.append(child)
        self.tick()
        return child

    def wait_for(self, ready: Callable[[], bool], what: str, patience: float) -> None:
        """Returns as soon as `ready()`; raises StartFailed or Stopped."""
        until = time.monotonic() + patience
        while not ready():
            self.tick()
            if self.asked:
                raise Stopped
            for child in self.children:
                if child.failures >= GIVE_UP_AFTER:
                    raise StartFailed(f"{child.service.name} does not start:\n{child.last_words()}\nSee {child.log}.")
            if time.monotonic() > until:
                raise StartFailed(f"{what} did not come up in {patience:.0f} s. See the logs in {self.logs}.")
            self._rest(0.02)

    def watch(self) -> None:
        """Until a signal asks to stop."""
        while not self.asked:
            self.tick()
            soonest = min((child.due for child in self.children if child.missed), default=float("inf"))
            self._rest(max(0.0, min(TICK, soonest - time.monotonic())))

    def tick(self) -> None:
        """Notices who ended, starts who is wanted and has rested enough, stops who is no longer wanted."""
        now = time.monotonic()
        for child in self.children:
            wanted = child.service.wanted()
            if (code := child.ended()) is not None:
                again = f"again in {child.rest:.1f} s, see {child.log}" if wanted else "it is not wanted any more"
                self.say(f"{child.service.name} ended ({_how(code)}); {again}")
            elif wanted and not child.running and now >= child.due:
                self._launch(child)
            elif child.running and not wanted:
                child.ask_to_stop()
        if now - self.logs_checked > LOG_CHECK:
            self.logs_checked = now
            for child in self.children:
                child.keep_log_small()

    def stop(self, *last: Child) -> None:
        """Ends the others side by side, then `last` one after the other. A second request kills at once. Once only."""
        others = [child for child in self.children if child not in last]
        for group in (others, *([child] for child in last)):
            self._stop_group(group)
        self.children.clear()
        if self.listening:
            signal.set_wakeup_fd(-1)
        self._wake.close()
        self._woken.close()

    def _stop_group(self, group: list[Child]) -> None:
        asked = self.asked
        for child in group:
            child.ask_to_stop()
        until = time.monotonic() + max((child.service.patience for child in group), default=0.0)
        while any(child.running and child.ended() is None for child in group):
            if time.monotonic() > until or self.asked > max(asked, 1):
                break
            self._rest(0.1)
        for child in group:
            if child.running:
                self.say(f"{child.service.name} did not end by itself and was killed")
                child.kill()

    def _launch(self, child: Child) -> None:
        try:
            child.start()
        except OSError as problem:
            child.failures += 1
            child.due = time.monotonic() + child.rest
            self.say(f"{child.service.name} cannot be started: {problem}")

    def _rest(self, seconds: float) -> None:
        """Sleeps, but wakes at once for a signal or the end of a child."""
        if select.select([self._woken], [], [], seconds)[0]:
            self._woken.recv(4096)


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"code {code}"
