"""Faults that spoil: each turns the script of a good answer into that of a bad one. Pure functions of values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import orjson

from rotation.simulator.answers import Reply
from rotation.simulator.faults import Fault, Rule
from rotation.simulator.job import Job
from rotation.simulator.kinds.base import Kind
from rotation.simulator.kinds.errors import fill
from rotation.simulator.oops import Oops, Trouble
from rotation.simulator.script import Ending, Script, whole

_HTML = """<!DOCTYPE html>
<html lang="en-US"><head><title>simulated | {status}: Bad gateway</title></head>
<body><h1>Bad gateway <span>Error code {status}</span></h1>
<p>The web server reported a bad gateway error.</p></body></html>
"""
_GARBAGE = bytes(range(128, 256)) + b"\r\n\x00\x16\x03\x01 not http at all\r\n\r\n"
_HUGE = 64 * 2**20
_SLOW = 30.0

Spoiler = Callable[[Rule, Script, Job | None, Kind], Script]


def spoil(rule: Rule, script: Script, job: Job | None, kind: Kind) -> Script:
    """The script as the fault leaves it."""
    return _SPOILERS[rule.fault](rule, script, job, kind)


def _after(rule: Rule, script: Script) -> int:
    """How many steps still go out; by default a third of a stream, at least the first content."""
    return rule.after if rule.after is not None else max(2, len(script.steps) // 3)


def _slow(rule: Rule, script: Script, job: Job | None, kind: Kind) -> Script:
    more = _SLOW if rule.seconds is None else rule.seconds
    return replace(script, wait=script.wait + more)


def _slow_first(rule: Rule, script: Script, job: Job | None, kind: Kind) -> Script:
    """The status line comes in time, the first step does not."""
    more = _SLOW if rule.seconds is None else rule.seconds
    return replace(script, first=script.first + more)


def _stall(rule: Rule, script: Script, job: Job | None, kind: Kind) -> Script:
    if not script.stream:
        return replace(script, status=0, steps=(), ending=Ending.HANG)
    return replace(script, steps=script.steps[: _after(rule, script)], ending=Ending.HANG, filler=b"")


def _cut(rule: Rule, script: Script, job: Job | None, kind: Kind) -> Script:
    ending = Ending.CLOSE if rule.way == "close" else Ending.RESET
    if script.stream:
        return replace(script, steps=script.steps[: _after(rule, script)], ending=ending)
    return replace(script, steps=(_half(script),), ending=ending)


def _truncate(rule: Rule, script: Script, job: Job | None, kind: Kind) -> Script:
    if script.stream:
        return replace(script, steps=script.steps[: _after(rule, script)])
    half = _half(script)
    return replace(script, steps=(half,), length=len(half))


def _half(script: Script) -> bytes:
    body = b"".join(script.steps)
    return body[: len(body) // 2]


def _malformed(rule: Rule, script: Script, job: Job | None, kind: Kind) -> Script:
    """`form` shape: good JSON of the wrong types; answer: a good frame around half an answer; else broken JSON.

    In a stream, one event of it.
    """
    if rule.form == "answer" and job is not None:
        return _with_answer(script, kind, replace(job, replies=tuple(_halved(reply) for reply in job.replies)))
    wrong = orjson.dumps({"id": 7, "object": "chat.completion", "choices": "none", "usage": []})
    if not script.stream:
        return _body(script, wrong if rule.form == "shape" else _half(script) + b'"<<<')
    place = min(_after(rule, script), len(script.steps) - 1)
    broken = b"data: " + (wrong if rule.form == "shape" else b'{"id": "broken", "choices": [{') + b"\n\n"
    return replace(script, steps=(*script.steps[:place], broken, *script.steps[place + 1 :]))


def _halved(reply: Reply) -> Reply:
    calls = tuple(replace(call, arguments=call.arguments[: len(call.arguments) // 2]) for call in reply.calls)
    return replace(reply, text=reply.text and reply.text[: len(reply.text) // 2], calls=calls)


def _with_answer(script: Script, kind: Kind, job: Job) -> Script:
    """The same script around another answer."""
    if script.stream:
        return replace(script, steps=tuple(kind.events(job)))
    return _body(script, kind.dump(kind.answer(job)))


def _empty(rule: Rule, script: Script, job: Job | None, kind: Kind) -> Script:
    """`form`: content (an empty text, the default), choices (none at all), body (no bytes)."""
    if rule.form == "body" or job is None:
        return replace(script, steps=(), length=0)
    nothing = replace(
        job,
        replies=tuple(replace(reply, text="", reasoning="", calls=(), finish="stop") for reply in job.replies),
        tokens_out=0,
    )
    if script.stream:
        return replace(script, steps=tuple(kind.events(nothing)))
    answer = kind.answer(nothing)
    if rule.form == "choices":
        answer["choices"] = []
    return _body(script, kind.dump(answer))


def _body(script: Script, body: bytes) -> Script:
    return replace(script, steps=(body,), length=None if script.length is None else len(body))


def _html(rule: Rule, script: Script, job: Job | None, kind: Kind) -> Script:
    status = rule.status or 502
    return whole(
        status, (("content-type", "text/html; charset=UTF-8"),), _HTML.format(status=status).encode(), wait=0.1
    )


def _redirect(rule: Rule, script: Script, job: Job | None, kind: Kind) -> Script:
    """Somewhere a key must never travel to. `message` is the address."""
    headers = (("location", rule.message or "http://127.0.0.1:9/elsewhere"), ("content-type", "text/html"))
    return whole(rule.status or 302, headers, b"<html><body>Moved</body></html>", wait=0.05)


def _error_in_200(rule: Rule, script: Script, job: Job | None, kind: Kind) -> Script:
    """`form` choice: the error stands in the choice beside half an answer; else it is the whole body."""
    oops = Oops(Trouble.SERVER, model=job.model.id if job else "", status=rule.status, message=rule.message)
    error = kind.envelope(fill(kind.rows, oops), oops)
    if script.stream:
        return replace(script, steps=(b"data: " + orjson.dumps(error) + b"\n\n",))
    if rule.form != "choice" or job is None:
        return _body(script, kind.dump(error))
    answer = kind.answer(job)
    answer["choices"][0] |= {
        "finish_reason": None,
        "error": {"code": 502, "message": rule.message or "Upstream error from Alibaba"},
    }
    return _body(script, kind.dump(answer))


def _error_in_stream(rule: Rule, script: Script, job: Job | None, kind: Kind) -> Script:
    if job is None or not script.stream:
        return _error_in_200(rule, script, job, kind)
    return replace(script, steps=(*script.steps[: _after(rule, script)], *kind.stream_error(job, rule.message)))


def _wrong_type(rule: Rule, script: Script, job: Job | None, kind: Kind) -> Script:
    """`form` json: the right answer under the wrong content type; else no JSON either."""
    text = (("content-type", "text/plain; charset=utf-8"),)
    if rule.form == "json":
        return replace(script, headers=text + tuple(pair for pair in script.headers if pair[0] != "content-type"))
    return whole(rule.status or 200, text, b"It works!\n", wait=script.wait)


def _refuse_connection(rule: Rule, script: Script, job: Job | None, kind: Kind) -> Script:
    return Script(status=0, ending=Ending.CLOSE if rule.way == "close" else Ending.RESET)


def _garbage(rule: Rule, script: Script, job: Job | None, kind: Kind) -> Script:
    return Script(status=0, steps=(_GARBAGE,), wait=0.05, ending=Ending.CLOSE)


def _huge(rule: Rule, script: Script, job: Job | None, kind: Kind) -> Script:
    """`size` bytes: one endless body, or a stream of large events (`form` event: one event of that size)."""
    size = rule.size or _HUGE
    block = b"x" * 2**16
    count = max(1, size // len(block))
    if not script.stream:
        return replace(
            script, steps=(b'{"choices":[{"message":{"content":"', *([block] * count), b'"}}]}'), length=None, gap=0.0
        )
    if rule.form == "event":
        return replace(
            script, steps=(b'data: {"choices":[{"delta":{"content":"', *([block] * count), b'"}}]}\n\n'), gap=0.0
        )
    one = b'data: {"choices":[{"index":0,"delta":{"content":"' + block + b'"},"finish_reason":null}]}\n\n'
    return replace(script, steps=(*script.steps[:1], *([one] * count), *script.steps[-2:]), gap=0.0)


_SPOILERS: dict[Fault, Spoiler] = {
    Fault.SLOW: _slow,
    Fault.SLOW_FIRST: _slow_first,
    Fault.STALL: _stall,
    Fault.CUT: _cut,
    Fault.TRUNCATE: _truncate,
    Fault.MALFORMED: _malformed,
    Fault.EMPTY: _empty,
    Fault.HTML: _html,
    Fault.REDIRECT: _redirect,
    Fault.ERROR_IN_200: _error_in_200,
    Fault.ERROR_IN_STREAM: _error_in_stream,
    Fault.WRONG_TYPE: _wrong_type,
    Fault.REFUSE_CONNECTION: _refuse_connection,
    Fault.GARBAGE_BYTES: _garbage,
    Fault.HUGE: _huge,
}
