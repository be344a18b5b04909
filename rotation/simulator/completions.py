"""The older text completions: a prompt instead of messages, `text` instead of a message; the same for every kind."""

from __future__ import annotations

from typing import Any

import orjson

from rotation.simulator import parameters, spoilers
from rotation.simulator.admission import accepted, met
from rotation.simulator.asks import Ask, parse, read_fields
from rotation.simulator.chat import Settlement, streamed
from rotation.simulator.job import Job
from rotation.simulator.kinds.base import DONE, event
from rotation.simulator.kinds.pieces import pieces
from rotation.simulator.oops import Oops, Refusal, Trouble
from rotation.simulator.parameters import BadAsk
from rotation.simulator.script import whole
from rotation.simulator.visit import Plan, Visit

_TYPES = frozenset({"chat", "moderation"})


def complete(visit: Visit) -> Plan:
    """POST /completions."""
    entry, kind = visit.entry, visit.kind
    try:
        visit.check_key()
        ask = _read(visit.body)
        entry.model, entry.stream, entry.tokens_in = ask.model, ask.stream, ask.prompt_tokens
        number = visit.world.number(kind.name, ask.model)
        rule = met(visit, ask.model, number)
        job = accepted(visit, ask, number, _TYPES)
    except BadAsk as bad:
        return Plan(visit.refused(Oops(Trouble.BAD_REQUEST, message=bad.message, param=bad.param)))
    except Refusal as refusal:
        return Plan(visit.refused(refusal.oops))
    if ask.stream:
        script = streamed(visit, job, _events(visit, job))
    else:
        body = orjson.dumps(
            _frame(job, [_choice(job, n) for n in range(len(job.replies))]) | {"usage": kind.usage(job)}
        )
        script = whole(200, kind.json_headers + kind.headers(job), body, wait=job.timing.total)
    settle = Settlement(visit, job, steps=len(script.steps), rule=rule)
    if rule is not None:
        script = spoilers.spoil(rule, script, None, kind)
    return Plan(script, settle)


def _read(body: bytes) -> Ask:
    raw = parse(body)
    prompt = raw.get("prompt")
    if isinstance(prompt, list) and prompt and all(isinstance(text, str) for text in prompt):
        prompt = prompt[0]
    if not isinstance(prompt, str):
        raise BadAsk("Missing required parameter: 'prompt'.", "prompt")
    parameters.model(raw)
    return read_fields({**raw, "messages": [{"role": "user", "content": prompt}]})


def _frame(job: Job, choices: list[dict[str, Any]]) -> dict[str, Any]:
    frame = {"id": f"cmpl-{job.noise[:29]}", "object": "text_completion", "created": job.created}
    return {**frame, "model": job.model.id, "choices": choices}


def _choice(job: Job, index: int) -> dict[str, Any]:
    reply = job.replies[index]
    return {"text": reply.text or "", "index": index, "logprobs": None, "finish_reason": reply.finish}


def _events(visit: Visit, job: Job) -> list[bytes]:
    made = []
    for index, reply in enumerate(job.replies):
        made += [
            _frame(job, [{"text": piece, "index": index, "logprobs": None, "finish_reason": None}])
            for piece in pieces(reply.text or "")
        ]
        made.append(_frame(job, [{"text": "", "index": index, "logprobs": None, "finish_reason": reply.finish}]))
    if job.ask.include_usage:
        made.append(_frame(job, []) | {"usage": visit.kind.usage(job)})
    return [*(event(value) for value in made), DONE]
