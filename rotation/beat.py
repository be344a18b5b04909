"""The scheduler: django-celery-beat's, leaving a mark at every tick, so that a health check can see it tick."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django_celery_beat.schedulers import DatabaseScheduler


class Scheduler(DatabaseScheduler):  # type: ignore[misc]  # the library has no types
    """Ticks at least every CELERY_BEAT_MAX_LOOP_INTERVAL seconds."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        rest: float = super().tick(*args, **kwargs)
        (settings.ROTATION_HOME / "beat.tick").touch()
        return rest
