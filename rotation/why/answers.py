"""READ FIRST. The three questions to one stored call: why this model, why not that one, what would be chosen now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from rotation.models import Attempt, Request
from rotation.why.facts import Chosen, Explanation, Row, WhyNot
from rotation.why.left_out import Asked, found_of
from rotation.why.measured import measured
from rotation.why.present import present
from rotation.why.stored import deployments_of, needs_of, policy_of, rows_of, tries_of
from rotation.why.words import chosen_words, nobody_words, now_words


class NotStored(LookupError):
    """No such call is stored (any more)."""


def explain(request_id: UUID, *, now: datetime | None = None) -> Explanation:
    """Everything about one call. Raises NotStored."""
    request = Request.objects.filter(id=request_id).first()
    if request is None:
        raise NotStored(f"No request {request_id} is stored: it never was here, or it is older than what is kept.")
    attempts = Attempt.objects.filter(request_id=request_id, at__gte=request.at).order_by("n")
    return explained(request, list(attempts), now=now)


def explained(request: Request, attempts: Sequence[Attempt], *, now: datetime | None = None) -> Explanation:
    """The same for a call that was read already."""
    policy, (needs, _) = policy_of(request), needs_of(request)
    tokens = needs.prompt_tokens + (needs.max_output or 0)
    rows = rows_of(request, measured(deployments_of(request), request.at), tokens)
    won = next((row for row in rows if row.state == "answered"), None)
    if won is not None:
        chosen = Chosen(won, chosen_words(won, rows, policy, tokens))
    else:
        chosen = Chosen(None, nobody_words(request.outcome, request.error, len(attempts)))
    return Explanation(
        id=request.id, at=request.at, asked=request.asked, outcome=request.outcome,
        needs=dict(request.needs) if isinstance(request.needs, dict) else {}, policy=policy, rows=rows,
        tries=tries_of(attempts), chosen=chosen, present=present(request, now or timezone.now(), rows),
    )  # fmt: skip


def why_not(explanation: Explanation, model: str) -> WhyNot:
    """Why this call was not answered by `model` (`provider/model`, or a bare model id), and how that stands now."""
    asked = Asked.of(explanation, model)
    found, then = found_of(explanation, asked)
    choice = next((c for c in explanation.present.choices if c.deployment == asked.deployment), None)
    row: Row | None = asked.row
    now = now_words(choice, explanation.present.first) if asked.deployment is not None else ""
    return WhyNot(explanation.id, asked.name, asked.deployment, found, then, now, row, choice)
