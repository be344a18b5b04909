"""Faults that spoil: each turns the script of a good answer into that of a bad one. Pure functions of values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import orjson

from rotation.simulator import breakages
from rotation.simulator.answers import Reply
from rotation.simulator.faults import Fault, Rule
from rotation.simulator.job import Job
from rotation.simulator.kinds.base import Kind
from rotation.simulator.kinds.errors import fill
from rotation.simulator.oops import Oops, Trouble
from rotation.simulator.script import Script, whole


def spoil(rule: Rule, script: Script, job: Job | None, kind: Kind) -> Script:
    """The script as the fault leaves it; `job` is None for answers that are no chat."""
    if broken := _OF_THE_WIRE.get(rule.fault):
        return broken(rule, script)
    return _OF_THE_ANSWER[rule.fault](rule, script, job, kind)


def _malformed(rule: Rule, script: Script, job: Job | None, kind: Kind) -> Script:
    """`form` shape: good JSON of the wrong types; answer: a good frame around half an answer; else broken JSON.

    In a stream, one event of it.
    """
    if rule.form == "answer" and job is not None:
        return _with_answer(script, kind, replace(job, replies=tuple(_halved(reply) for reply in job.replies)))
    wrong = orjson.dumps({"id": 7, "object": "chat.completion", "choices": "none", "usage": []})
    if not script.stream:
        return _body(script, wrong if rule.form == "shape" else breakages.half(script) + b'"<<<')
    place = min(breakages.after(rule, script), len(script.steps) - 1)
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
    return replace(
        script, steps=(*script.steps[: breakages.after(rule, script)], *kind.stream_error(job, rule.message))
    )


def _wrong_type(rule: Rule, script: Script, job: Job | None, kind: Kind) -> Script:
    """`form` json: the right answer under the wrong content type; else no JSON either."""
    text = (("content-type", "text/plain; charset=utf-8"),)
    if rule.form == "json":
        return replace(script, headers=text + tuple(pair for pair in script.headers if pair[0] != "content-type"))
    return whole(rule.status or 200, text, b"It works!\n", wait=script.wait)


_OF_THE_WIRE: dict[Fault, Callable[[Rule, Script], Script]] = {
    Fault.SLOW: breakages.slow,
    Fault.SLOW_FIRST: breakages.slow_first,
    Fault.STALL: breakages.stall,
    Fault.CUT: breakages.cut,
    Fault.TRUNCATE: breakages.truncate,
    Fault.HTML: breakages.html,
    Fault.REDIRECT: breakages.redirect,
    Fault.REFUSE_CONNECTION: breakages.refuse_connection,
    Fault.GARBAGE_BYTES: breakages.garbage,
    Fault.HUGE: breakages.huge,
}
_OF_THE_ANSWER: dict[Fault, Callable[[Rule, Script, Job | None, Kind], Script]] = {
    Fault.MALFORMED: _malformed,
    Fault.EMPTY: _empty,
    Fault.ERROR_IN_200: _error_in_200,
    Fault.ERROR_IN_STREAM: _error_in_stream,
    Fault.WRONG_TYPE: _wrong_type,
}
