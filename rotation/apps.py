"""The engine as a Django app."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings


class RotationConfig(AppConfig):
    name = "rotation"
    verbose_name = "Rotation"

    def ready(self) -> None:
        # rotation/__init__.py stays empty (importing rotation.core must not import Django), so both are bound here.
        from rotation import checks  # noqa: F401, PLC0415 - importing is what registers them

        if settings.ROTATION_ROLE != "gateway":  # which starts no jobs
            from rotation import celery  # noqa: F401, PLC0415
