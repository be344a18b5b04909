"""The steps every call to a model goes through before it is answered: fault, model, features, limits."""

from __future__ import annotations

from dataclasses import replace

from rotation.simulator import refusals
from rotation.simulator.answers import compose
from rotation.simulator.asks import Ask
from rotation.simulator.catalogue import Model
from rotation.simulator.faults import Fault, Rule
from rotation.simulator.job import Job, noise_of
from rotation.simulator.latency import timing
from rotation.simulator.limits import DAY, Hold, Need, Refused, admit
from rotation.simulator.oops import Oops, Refusal, Trouble
from rotation.simulator.visit import Visit

DEFAULT_OUTPUT = 1_024  # reserved when a request names no maximum
_UPSTREAM = {Fault.UPSTREAM_BUSY, Fault.SERVER_ERROR, Fault.OVERLOADED, Fault.CONTENT_POLICY, Fault.GENERATION_FAILED}
_REMEMBERED = 30 * DAY  # so long a model that is gone is still known by name


def met(visit: Visit, model_id: str, number: int, features: frozenset[str] = frozenset()) -> Rule | None:
    """The fault that meets this call and spoils its answer. Raises Refusal for one that refuses it."""
    draw = visit.world.draw("fault", visit.kind.name, model_id, number)[0]
    rule = visit.fault(model_id, draw, features)
    if rule is not None and (oops := refusals.refusal(rule, model_id, visit)):
        if rule.fault in _UPSTREAM:
            _count_failure(visit, model_id)
        raise Refusal(oops)
    return rule


def found(visit: Visit, model_id: str, types: frozenset[str]) -> Model:
    """The model, if it exists and is of one of the types."""
    catalogue = visit.world.catalogues[visit.kind.name]
    model = catalogue.get(model_id)
    if model is not None and visit.world.hidden.dead(visit.kind.name, model_id, visit.world.clock.now):
        raise Refusal(Oops(Trouble.MODEL_GONE, model=model_id, account=visit.account))
    if model is None:
        since = catalogue.gone_since(model_id)
        remembered = since is not None and visit.world.clock.now - since < _REMEMBERED
        trouble = Trouble.MODEL_GONE if remembered else Trouble.NO_MODEL
        raise Refusal(Oops(trouble, model=model_id, account=visit.account))
    if model.type not in types:
        text = f"The model `{model_id}` does not support this endpoint."
        raise Refusal(Oops(Trouble.BAD_REQUEST, model=model_id, message=text, param="model", account=visit.account))
    return model


def held(visit: Visit, model: Model, need: Need, now: float) -> Hold | None:
    """The limits' permission, None where there are none. Raises Refusal."""
    buckets = visit.world.buckets(visit.kind.name, visit.account, model)
    if not buckets:
        return None
    hold = admit(buckets, need, now)
    if isinstance(hold, Refused):
        raise Refusal(Oops(Trouble.LIMIT, model=model.id, account=visit.account, refused=hold))
    return hold


def accepted(visit: Visit, ask: Ask, number: int, types: frozenset[str]) -> Job:
    """A text generation that passed everything, with its answer and timing decided."""
    world = visit.world
    model = found(visit, ask.model, types)
    _check_fit(visit, ask, model)
    output = ask.max_tokens if ask.max_tokens is not None else min(DEFAULT_OUTPUT, model.max_output or DEFAULT_OUTPUT)
    now = world.clock.now
    hold = held(visit, model, Need(prompt=ask.prompt_tokens, output=visit.kind.reserved(output)), now)
    noise = noise_of(f"{world.seed}/{visit.kind.name}/{model.id}/{number}")
    hidden, kind = world.hidden, visit.kind.name
    replies = hidden.said(kind, ask, compose(hidden.heard(kind, ask), model, noise))
    longest = max(reply.tokens for reply in replies)
    draw = world.draw(visit.kind.name, model.id, number)
    return Job(
        created=int(now),
        ask=ask,
        model=model,
        replies=replies,
        timing=hidden.paced(kind, model.id, timing(model, draw=draw, tokens_in=ask.prompt_tokens, tokens_out=longest)),
        hold=hold,
        now=now,
        tokens_in=ask.prompt_tokens,
        tokens_out=sum(reply.tokens for reply in replies),
        noise=noise,
    )


def _check_fit(visit: Visit, ask: Ask, model: Model) -> None:
    """Features, the provider's own objections, and the context window."""
    can = {"tools": model.tools, "images": model.images, "json": model.json_schema}
    for feature in sorted(ask.features):
        if not can[feature]:
            raise Refusal(Oops(Trouble.LACKS, model=ask.model, feature=feature, account=visit.account))
    if oops := visit.kind.objection(ask, model):
        raise Refusal(replace(oops, account=visit.account))
    output = ask.max_tokens or 0
    wanted = ask.prompt_tokens + output
    if wanted > model.context:
        sizes = Oops(Trouble.TOO_LONG, model=ask.model, account=visit.account, context=model.context, size=wanted)
        raise Refusal(replace(sizes, tokens_in=ask.prompt_tokens, tokens_max=output))


def _count_failure(visit: Visit, model_id: str) -> None:
    """Where failed attempts count, this one uses up its request; the limit's own refusal comes first."""
    model = visit.world.catalogues[visit.kind.name].get(model_id)
    if visit.kind.counts_failures and model is not None:
        held(visit, model, Need(), visit.world.clock.now)
