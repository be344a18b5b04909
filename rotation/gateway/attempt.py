"""One attempt at one target: build, send, read, and report exactly one outcome to health and to the page.

A whole answer is read and closed here. A stream is opened here and handed on at its first content (`relay`);
until then every failure is still nobody's loss.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

from rotation.core.failures import Failure, FailureKind
from rotation.core.fitness import refused_feature
from rotation.gateway.call import Call
from rotation.gateway.entry import OK, Entry, Note
from rotation.gateway.gate import Gate
from rotation.gateway.grounds import quota_record
from rotation.gateway.leave import Permit
from rotation.gateway.opening import empty_again, first_content
from rotation.gateway.patience import Patience, ears
from rotation.gateway.relay import Opened, relay
from rotation.gateway.reply import Chunks, Failed, Reply, Streamed, Whole, headers_for
from rotation.gateway.upstream import Response
from rotation.gateway.wires import WireError
from rotation.providers import PROVIDERS
from rotation.providers.base import Adapter, Answer, Usage
from rotation.providers.redact import conceal
from rotation.sealing import Secret

log = logging.getLogger("rotation.gateway")

STREAM_OPTIONS = "stream_options"
EVENT_STREAM = "text/event-stream"
REFUSED_BY_LIMITS = (413, 429)  # what was not let in has not been counted


async def attempt(
    gate: Gate, call: Call, permit: Permit, entry: Entry, secrets: Mapping[int, Secret], *, another: bool = False
) -> Reply | Failed:
    """Try the permit's target. On cancellation, or a fault of our own, the permit is released and nobody blamed.

    `another` target could still be in time if this one is not waited for too long.
    """
    note, secret = entry.begin(permit.target), secrets[permit.target.key.id]
    note.quota = quota_record(permit.reserved, gate.now())
    trial = Trial(gate, call, permit, entry, note, PROVIDERS[permit.target.provider.kind], secret, another)
    call.task.begins(gate, permit.target)
    try:
        outcome = await (trial.stream() if call.stream else trial.whole())
    except BaseException as error:
        gate.health.release(permit, sent=True)
        entry.end(note, FailureKind.CANCELLED)
        if entry.closed or not isinstance(error, Exception):
            raise
        log.exception("an error of our own at %s", permit.target.name, extra={"request_id": call.id})
        return Failed(Failure(FailureKind.OVERLOADED, "an error of our own"), None)
    if not isinstance(outcome, Failure):
        return outcome
    failure = conceal(outcome, secret.reveal())
    failure = replace(failure, feature=refused_feature(failure.feature, call.needs))
    entry.end(note, failure.kind, failure=failure)
    call.task.failed(gate, permit.target, failure)
    return Failed(failure, gate.failed(permit, failure))


@dataclass(slots=True)
class Trial:
    """What one attempt works with."""

    gate: Gate
    call: Call
    permit: Permit
    entry: Entry
    note: Note
    adapter: Adapter
    secret: Secret
    another: bool = False
    without_stream_options: bool = False

    async def whole(self) -> Whole | Failure:
        """Send and read an answer in one piece."""
        target, call = self.permit.target, self.call
        limit = self.gate.health.pace.whole(
            target.deployment, self.permit.policy, self._timeouts(), call.needs.max_output, extra=call.task.patience
        )
        patience = self._patience(limit)
        try:
            async with self.gate.clock.timeout(patience.seconds):
                response = await self._send()
                body = await self._read(response)
        except TimeoutError:
            return patience.ended("answer")
        except WireError as error:
            return error.failure
        read = self._understood(response, body)
        self._learn(response, body)
        if isinstance(read, Failure) and not empty_again(read, self.entry.notes):
            return read
        return self._answered(read if isinstance(read, Answer) else Answer(body.strip(), None, "stop"))

    def _answered(self, answer: Answer) -> Whole:
        usage = answer.usage or Usage(self.call.needs.prompt_tokens, 0, estimated=True)
        self.gate.health.answered(self.permit, first=None, usage=usage)
        self.entry.end(self.note, OK, usage=usage)
        reply = Whole(200, {**self._headers(self.gate.now()), "content-type": answer.content_type}, answer.body)
        self.entry.close("answered", 200)
        return reply

    async def stream(self) -> Streamed | Failure:
        """Send and wait for the first content; from there on the relay has it."""
        limit = self.gate.health.pace.first_content(self.permit.target.deployment, self.permit.policy, self._timeouts())
        patience = self._patience(limit)
        response: Response | None = None
        try:
            async with self.gate.clock.timeout(patience.seconds):
                response = await self._send()
                opened = await self._open(response)
        except TimeoutError:
            opened = patience.ended("first token")
        except WireError as error:
            opened = error.failure
        except BaseException:
            if response is not None:
                await response.close()
            raise
        if isinstance(opened, Failure):
            if response is not None:
                await response.close()
            if opened.feature == STREAM_OPTIONS and not self.without_stream_options:
                return await self._again_without_stream_options(opened)
            return opened
        return await self._committed(opened)

    async def _again_without_stream_options(self, refused: Failure) -> Streamed | Failure:
        """Some servers refuse the wish for a usage count: the answer is worth more. Remembered for the next calls."""
        self.without_stream_options = True
        self.gate.learn_lack(self.permit.target, refused)
        return await self.stream()

    async def _committed(self, opened: Opened) -> Streamed:
        self.note.first = self.gate.now()
        headers = {**self._headers(self.note.first), "content-type": EVENT_STREAM, "cache-control": "no-cache"}
        pieces = relay(self.gate, self.call, self.permit, self.entry, self.note, opened)
        return Streamed(200, headers, await Chunks.of(pieces))

    async def _open(self, response: Response) -> Opened | Failure:
        if response.status != 200 or EVENT_STREAM not in response.headers.get("content-type", EVENT_STREAM):
            body = await response.read()
            self._learn(response, body)
            read = self._understood(response, body)
            return read if isinstance(read, Failure) else Failure(FailureKind.OVERLOADED, "answered without streaming")
        self._learn(response, b"")
        return await first_content(response, self.call.task.stream(self.adapter, self.gate.now()), self.entry.notes)

    async def _send(self) -> Response:
        target = self.permit.target
        options = target.provider.options
        if self.without_stream_options or STREAM_OPTIONS in target.deployment.lacks:
            options = {**options, "no_stream_options": True}
        outgoing = self.call.task.outgoing(self.adapter, target, self.secret.reveal(), self.call, options)
        self.note.dropped = outgoing.dropped
        response = await self.gate.upstream.send(
            outgoing, connect=self.permit.policy.connect_timeout, request=self.call.id
        )
        self.note.status, self.note.connect_ms = response.status, response.connect_ms
        return response

    def _understood(self, response: Response, body: bytes) -> Answer | Failure:
        task, target = self.call.task, self.permit.target
        return task.read(self.adapter, target, response.status, response.headers, body, self.gate.now())

    async def _read(self, response: Response) -> bytes:
        try:
            return await response.read()
        finally:
            await response.close()

    def _learn(self, response: Response, body: bytes) -> None:
        now = self.gate.now()
        limits = self.adapter.limits(response.status, response.headers, body, now)
        if limits:
            counted = response.status not in REFUSED_BY_LIMITS
            known = self.gate.health.limits
            known.learn(self.permit.target, limits, now, reserved=self.permit.reserved, counted=counted)

    def _timeouts(self) -> int:
        return sum(1 for n in self.entry.notes if n.outcome == FailureKind.TIMED_OUT)

    def _patience(self, own: float) -> Patience:
        left = self.call.deadline - self.gate.now()
        heard = ears(self.gate, self.call) if self.another else None
        return Patience(own, left, heard(self.permit.target) if heard else None, self.another)

    def _headers(self, first: float) -> dict[str, str]:
        started = self.call.started
        queue = (self.entry.notes[0].started - started) * 1000
        first_ms = (first - started) * 1000
        notes = self.entry.notes
        successor = self.entry.route.successor
        return headers_for(self.call, notes[-1], len(notes), queue_ms=queue, first_ms=first_ms, successor=successor)
