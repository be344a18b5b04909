"""Who changed what: audit events, with secrets masked; and the version every configuration change raises."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from decimal import Decimal
from typing import Any

from django.db import models
from django.utils import timezone

SECRET = frozenset({"sealed", "digest", "fingerprint", "password"})


def picture(thing: models.Model) -> dict[str, Any]:
    """A row as plain JSON values, its secrets masked: what an audit event keeps of before and after."""
    return {
        field.attname: _plain(field.attname, field.value_from_object(thing)) for field in thing._meta.concrete_fields
    }


def changed(before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Only what differs, on both sides."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {n: before[n] for n in names if n in before}, {n: after[n] for n in names if n in after}


def _plain(name: str, value: Any) -> Any:
    if name in SECRET:  # a few bits of a hash of what is stored, which is sealed or digested itself: a change shows
        return f"(hidden, #{hashlib.sha256(str(value).encode()).hexdigest()[:6]})" if value else ""
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, Decimal | uuid.UUID):
        return str(value)
    if isinstance(value, str | int | float | bool | list | dict | None):
        return value
    return str(value)


class Door(models.TextChoices):
    """The way a change came in."""

    PAGE = "page"
    ADMIN = "admin"
    API = "api", "API"
    COMMAND = "command"
    JOB = "job"


class AuditQuerySet(models.QuerySet["AuditEvent"]):
    def record(
        self,
        actor: str,
        action: str,
        thing: models.Model,
        *,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
        door: Door | str = "",
    ) -> AuditEvent:
        """Write down one change. `before` and `after` are pictures; None where there was or is nothing."""
        return self.create(
            actor=actor[:150],
            door=door,
            action=action,
            about=str(thing)[:300],
            object_type=thing._meta.model_name or "",
            object_id=str(thing.pk),
            before=before,
            after=after,
        )

    def about(self, thing: models.Model) -> AuditQuerySet:
        return self.filter(object_type=thing._meta.model_name, object_id=str(thing.pk))


class AuditEvent(models.Model):
    """One change by a person or a job. Append-only."""

    at = models.DateTimeField(default=timezone.now)
    actor = models.CharField(max_length=150)
    action = models.CharField(max_length=60)
    object_type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=60)
    door = models.CharField(max_length=20, choices=Door.choices, blank=True)
    about = models.CharField(max_length=300, blank=True, help_text="What the thing was called then.")
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)

    objects = AuditQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["-at", "-id"], name="audit_latest"),
            models.Index(fields=["object_type", "object_id", "-at"], name="audit_of_object"),
            models.Index(fields=["actor", "-at", "-id"], name="audit_of_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.actor} {self.action} {self.object_type} {self.object_id}"

    @property
    def differences(self) -> list[tuple[str, Any, Any]]:
        """(column, before, after) of every column that changed."""
        before, after = changed(self.before or {}, self.after or {})
        return [(name, before.get(name), after.get(name)) for name in {**before, **after}]


class ConfigVersion(models.Model):
    """One row (id 1). Triggers on the configuration tables raise it and NOTIFY `rotation_config` with the new value."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    version = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.version)


class StarterMark(models.Model):
    """Something a new installation was given once, so that it is not given again after an operator removed it."""

    name = models.CharField(max_length=200, unique=True)
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.name
