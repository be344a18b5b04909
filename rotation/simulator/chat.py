"""Chat completions: from a request to the script of its answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rotation.simulator import mishaps
from rotation.simulator.answers import compose
from rotation.simulator.asks import Ask, BadAsk, read
from rotation.simulator.catalogue import Model
from rotation.simulator.job import Job, noise_of
from rotation.simulator.latency import timing
from rotation.simulator.limits import Hold, Need, Refused, admit
from rotation.simulator.oops import Oops, Refusal, Trouble
from rotation.simulator.script import Script, whole
from rotation.simulator.visit import Plan, Visit

DEFAULT_OUTPUT = 1_024  # reserved when the request names no maximum


def chat(visit: Visit) -> Plan:
    entry = visit.entry
    try:
        if missing := visit.needs_key():
            raise Refusal(missing)
        ask = _read(visit)
        entry.model, entry.stream, entry.tokens_in = ask.model, ask.stream, ask.prompt_tokens
        number = visit.world.number(visit.kind.name, ask.model)
        draw = visit.world.draw(visit.kind.name, ask.model, number)
        rule = visit.fault(ask.model, visit.world.draw("fault", visit.kind.name, ask.model, number)[0])
        if rule is not None and (oops := mishaps.refusal(rule, ask.model, visit)):
            _count_failure(visit, ask)
            raise Refusal(replace(oops, tokens_in=ask.prompt_tokens, tokens_max=ask.max_tokens or 0))
        model = _model(visit, ask)
        job = _job(visit, ask, model, number, draw)
    except Refusal as refusal:
        return Plan(visit.refused(refusal.oops))
    script = visit.kind.pace(job, _script(visit, job))
    if rule is not None:
        script = mishaps.spoil(rule, script, job, visit.kind)
    return Plan(script, _settlement(visit, job))


def _read(visit: Visit) -> Ask:
    try:
        return read(visit.body)
    except BadAsk as bad:
        raise Refusal(Oops(Trouble.BAD_REQUEST, message=bad.message, param=bad.param, account=visit.account)) from bad


def _model(visit: Visit, ask: Ask) -> Model:
    """The model, if it exists and can do what is asked."""
    catalogue = visit.world.catalogues[visit.kind.name]
    model = catalogue.get(ask.model)
    if model is None:
        trouble = Trouble.MODEL_GONE if catalogue.was(ask.model) else Trouble.NO_MODEL
        raise Refusal(Oops(trouble, model=ask.model, account=visit.account))
    if model.type not in {"chat", "moderation"}:
        text = f"The model `{ask.model}` does not support chat completions."
        raise Refusal(Oops(Trouble.BAD_REQUEST, model=ask.model, message=text, param="model", account=visit.account))
    if lack := _lack(ask, model):
        raise Refusal(Oops(Trouble.LACKS, model=ask.model, feature=lack, account=visit.account))
    if oops := visit.kind.objection(ask, model):
        raise Refusal(replace(oops, account=visit.account))
    wanted = ask.prompt_tokens + (ask.max_tokens or 0)
    if wanted > model.context:
        sizes = {
            "tokens_in": ask.prompt_tokens,
            "tokens_max": ask.max_tokens or 0,
            "context": model.context,
            "size": wanted,
        }
        raise Refusal(Oops(Trouble.TOO_LONG, model=ask.model, account=visit.account, **sizes))
    return model


def _lack(ask: Ask, model: Model) -> str:
    if ask.tools and not model.tools:
        return "tools"
    if ask.images and not model.images:
        return "images"
    schema = ask.response_format is not None and ask.response_format.get("type") == "json_schema"
    return "json" if schema and not model.json_schema else ""


def _count_failure(visit: Visit, ask: Ask) -> None:
    """Where failed attempts count, a refusal uses up its request all the same."""
    model = visit.world.catalogues[visit.kind.name].get(ask.model)
    if visit.kind.counts_failures and model is not None:
        admit(visit.world.buckets(visit.kind.name, visit.account, model), Need(), visit.world.clock.now)


def _admitted(visit: Visit, ask: Ask, model: Model, now: float) -> Hold | None:
    buckets = visit.world.buckets(visit.kind.name, visit.account, model)
    if not buckets:
        return None
    output = ask.max_tokens if ask.max_tokens is not None else min(DEFAULT_OUTPUT, model.max_output or DEFAULT_OUTPUT)
    need = Need(prompt=ask.prompt_tokens, output=visit.kind.reserved(output))
    held = admit(buckets, need, now)
    if isinstance(held, Refused):
        raise Refusal(Oops(Trouble.LIMIT, model=model.id, account=visit.account, refused=held))
    return held


def _job(visit: Visit, ask: Ask, model: Model, number: int, draw: tuple[float, float]) -> Job:
    world = visit.world
    now = world.clock.now
    hold = _admitted(visit, ask, model, now)
    serial = f"{world.seed}/{visit.kind.name}/{model.id}/{number}"
    noise = noise_of(serial)
    replies = compose(ask, model, noise)
    tokens_out = sum(reply.tokens for reply in replies)
    spent = timing(model, draw=draw, tokens_in=ask.prompt_tokens, tokens_out=max(reply.tokens for reply in replies))
    return Job(
        serial=serial,
        created=int(now),
        ask=ask,
        model=model,
        replies=replies,
        timing=spent,
        hold=hold,
        now=now,
        tokens_in=ask.prompt_tokens,
        tokens_out=tokens_out,
        noise=noise,
    )


def _script(visit: Visit, job: Job) -> Script:
    kind = visit.kind
    if not job.ask.stream:
        return whole(200, kind.json_headers + kind.headers(job), kind.dump(kind.answer(job)), wait=job.timing.total)
    steps = kind.events(job)
    gap = (job.timing.total - job.timing.first) / len(steps)
    return Script(
        status=200,
        headers=kind.sse_headers + kind.headers(job),
        steps=tuple(steps),
        wait=job.timing.first,
        gap=gap,
        stream=True,
    )


def _settlement(visit: Visit, job: Job) -> Callable[[float], None]:
    def settle(share: float) -> None:
        visit.entry.tokens_out = round(job.tokens_out * share)
        if job.hold is not None:
            job.hold.settle(visit.entry.tokens_out, visit.world.clock.now)

    return settle
