"""Why a call was not answered by one model: one that its short trace leaves out, too, or that was never considered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rotation.models import Deployment
from rotation.why.facts import Explanation, Row

LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, and what it means: the row of the trace that is meant, or the deployment, or nothing."""

    name: str
    row: Row | None = None
    deployment: int | None = None
    created: datetime | None = None

    @classmethod
    def of(cls, explanation: Explanation, model: str) -> Asked:
        """One query at most: the trace and today's order know most names."""
        name = model.strip()[:LONGEST_NAME]
        row = next((r for r in explanation.rows if name and _means(name, r.target)), None)
        if row is not None:
            return cls(name, row, row.deployment)
        if not name or not name.isprintable():
            return cls(name)
        found = _deployments(name)
        order = explanation.policy.order or ()
        now = {choice.deployment for choice in explanation.present.choices}
        best = min(found, key=lambda d: (d.pk not in order, d.pk not in now, d.pk), default=None)
        return cls(name) if best is None else cls(name, None, best.pk, best.created_at)


def _means(name: str, target: str) -> bool:
    """`provider/model`, or the model id alone."""
    return name in {target, target.partition("/")[2]}


def _deployments(name: str) -> list[Deployment]:
    provider, _, model = name.partition("/")
    by_name = Deployment.objects.filter(provider__name=provider, model_id=model)
    return list(by_name | Deployment.objects.filter(model_id=name))


def found_of(call: Explanation, asked: Asked) -> tuple[str, str]:
    """In one word, and in a sentence."""
    if asked.row is not None:
        return asked.row.state, _of_row(call, asked.row)
    if asked.deployment is None:
        return "unknown", f"No model here is called “{asked.name}”. Write it as provider/model."
    return _without_row(call, asked, asked.deployment)


def _without_row(call: Explanation, asked: Asked, deployment: int) -> tuple[str, str]:
    order, where = call.policy.order, f"the pool {call.policy.pool}" if call.policy.pool else "what was asked for"
    if asked.created is not None and asked.created > call.at:
        return "later", f"It was not here then: it was added on {asked.created:%-d %B %Y at %H:%M} UTC."
    if deployment in call.policy.keyless:
        return "keyless", "It had no key then: nothing could be sent to it."
    if order is None:
        return "unsure", "Who was considered was not kept for this call, and its short trace does not name this model."
    if deployment not in order:
        headers = ", or the client's own headers left it out" if call.policy.pin or call.policy.exclude else ""
        return "elsewhere", f"It was not in {where} then{headers}, so it was never considered."
    return "spare", _of_spare(call, order.index(deployment) + 1, len(order) - len(call.policy.keyless))


def _of_row(call: Explanation, row: Row) -> str:
    why = f": {row.why}" if row.why else ""
    if row.state == "answered":
        return "It did answer this call."
    if row.state == "tried":
        return f"It was tried and did not answer{why}."
    if row.state == "ready":
        return f"It would have been next. {_before(call)}"
    until = f", until {row.until:%H:%M:%S} UTC" if row.until else ""
    return f"It was passed over, {row.state.replace('_', ' ')}{why}{until}."


def _of_spare(call: Explanation, place: int, many: int) -> str:
    return f"It stood ready at place {place} of {many}, but its turn never came. {_before(call)}"


def _before(call: Explanation) -> str:
    """What ended the call before its turn."""
    if call.chosen.row is not None:
        return f"{call.chosen.row.target} stood before it and answered."
    many = len(call.tries)
    return f"The call ended ({call.outcome}) after {many} attempt{'' if many == 1 else 's'}."
