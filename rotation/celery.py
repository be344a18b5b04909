"""The Celery application: `celery -A rotation.celery worker`.

Jobs live in `rotation.jobs`, their schedules in the database.
"""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rotation.settings")

app = Celery("rotation")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["rotation"], related_name="jobs")
app.set_default()
