"""How many calls for audio each provider was sent today, from the roll-ups: where turns go on after a start."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from django.db.models import Sum

from rotation.core.transcription import POOL
from rotation.models import DayStat, Deployment
from rotation.providers.model_names import work_of


def sent_today(now: datetime) -> dict[int, int]:
    """Attempts since 00:00 UTC, by provider id."""
    rows = Deployment.objects.values_list("id", "model_id", "tags", "provider_id")
    providers = {i: provider for i, name, tags, provider in rows if work_of(name, tags) == POOL}
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    sums = DayStat.objects.filter(at=today, deployment_id__in=providers).values("deployment_id")
    found: Counter[int] = Counter()
    for deployment, attempts in sums.annotate(sum=Sum("attempts")).values_list("deployment_id", "sum"):
        found[providers[deployment]] += attempts
    return dict(found)
