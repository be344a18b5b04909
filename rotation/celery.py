"""The Celery application: `celery -A rotation.celery worker`.

Jobs live in `rotation.jobs`, their schedules in the database.
"""

from __future__ import annotations

import os
import signal
from typing import Any

from celery import Celery
from celery.signals import beat_embedded_init

from rotation.embedded.child import tie_to_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rotation.settings")

app = Celery("rotation")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["rotation"], related_name="jobs")
app.set_default()


@beat_embedded_init.connect
def tie_scheduler_to_worker(**_: Any) -> None:
    """`worker -B` runs its scheduler as a child, which would outlive a worker that was killed."""
    tie_to_parent(signal.SIGKILL)
