"""Chat completions: from a request to the script of its answer."""

from __future__ import annotations

from dataclasses import replace

from rotation.simulator import spoilers
from rotation.simulator.admission import accepted, met
from rotation.simulator.asks import read
from rotation.simulator.faults import Fault, Rule
from rotation.simulator.job import Job
from rotation.simulator.oops import Oops, Refusal, Trouble
from rotation.simulator.parameters import BadAsk
from rotation.simulator.script import Script, whole
from rotation.simulator.visit import Plan, Visit

_TYPES = frozenset({"chat", "moderation"})


def chat(visit: Visit) -> Plan:
    """POST /chat/completions."""
    entry, world = visit.entry, visit.world
    try:
        visit.check_key()
        ask = read(visit.body)
        entry.model, entry.stream, entry.tokens_in = ask.model, ask.stream, ask.prompt_tokens
        number = world.number(visit.kind.name, ask.model)
        rule = met(visit, ask.model, number, ask.features)
        job = accepted(visit, ask, number, _TYPES)
    except BadAsk as bad:
        return Plan(visit.refused(Oops(Trouble.BAD_REQUEST, message=bad.message, param=bad.param)))
    except Refusal as refusal:
        return Plan(visit.refused(replace(refusal.oops, tokens_in=entry.tokens_in)))
    script = visit.kind.pace(job, script_of(visit, job))
    settle = Settlement(visit, job, steps=len(script.steps), rule=rule)
    if rule is not None:
        script = spoilers.spoil(rule, script, job, visit.kind)
    return Plan(script, settle)


def script_of(visit: Visit, job: Job) -> Script:
    """The good answer, whole or as a stream."""
    kind = visit.kind
    if not job.ask.stream:
        headers = kind.json_headers + kind.headers(job)
        return whole(200, headers, kind.dump(kind.answer(job)), wait=job.timing.total)
    return streamed(visit, job, visit.world.hidden.streamed(kind.name, job.model.id, kind.events(job)))


def streamed(visit: Visit, job: Job, steps: list[bytes]) -> Script:
    headers = visit.kind.sse_headers + visit.kind.headers(job)
    gap = (job.timing.total - job.timing.first) / len(steps)
    return Script(status=200, headers=headers, steps=tuple(steps), wait=job.timing.first, gap=gap, stream=True)


_CHARGED = {Fault.SLOW, Fault.SLOW_FIRST, Fault.STALL, Fault.CUT, Fault.TRUNCATE, Fault.ERROR_IN_STREAM}


class Settlement:
    """Charges what really went out, once the answer has been played or broken off."""

    __slots__ = ("_job", "_rule", "_steps", "_visit")

    def __init__(self, visit: Visit, job: Job, *, steps: int, rule: Rule | None) -> None:
        """`steps` of the good answer; `rule` that spoiled it."""
        self._visit, self._job, self._steps, self._rule = visit, job, steps, rule

    def __call__(self) -> None:
        charged = self._rule is None or self._rule.fault in _CHARGED
        share = min(1.0, self._visit.entry.events / self._steps) if charged else 0.0
        spent = round(self._job.tokens_out * share)
        self._visit.entry.tokens_out = spent
        if self._job.hold is not None:
            self._job.hold.settle(spent, self._visit.world.clock.now)
