"""Who changes something and through which door: what every change of the configuration is signed with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction

from rotation.models import AuditEvent, Door
from rotation.models.audit import changed, picture


@dataclass(frozen=True, slots=True)
class By:
    """`actor` is a user name, `token <label>`, a job's name or "command line"."""

    actor: str
    door: Door

    def added(self, thing: models.Model, action: str = "add", **facts: Any) -> None:
        """`facts` are what else there is to know, beside the columns."""
        self._record(action, thing, None, {**picture(thing), **facts})

    def removed(self, thing: models.Model, action: str = "delete", **facts: Any) -> None:
        """To be said before the row goes, while it still has its id."""
        self._record(action, thing, {**picture(thing), **facts}, None)

    @contextmanager
    def changing(self, thing: models.Model, action: str = "change", **facts: Any) -> Iterator[None]:
        """One transaction around a change of one row; what differs afterwards is written down, nothing when nothing."""
        with transaction.atomic():
            before = picture(stored) if (stored := _stored(thing)) else {}
            yield
            then, now = changed(before, picture(thing))
            if then or now:
                self._record(action, thing, then, {**now, **facts})

    def noted(self, action: str, thing: models.Model, **facts: Any) -> None:
        """Something done to a thing that changed no column of it."""
        self._record(action, thing, None, facts or None)

    def turned(self, action: str, thing: models.Model, before: dict[str, Any], after: dict[str, Any]) -> None:
        """A change whose two sides are not columns of one row."""
        self._record(action, thing, before, after)

    def told(self, action: str, kind: str, name: str, **facts: Any) -> None:
        """Something done to what has no row, a job for example."""
        AuditEvent.objects.create(
            actor=self.actor[:150], door=self.door, action=action, about=name[:300],
            object_type=kind, object_id=name[:60], after=facts or None,
        )  # fmt: skip

    def _record(self, action: str, thing: models.Model, before: Any, after: Any) -> None:
        AuditEvent.objects.record(self.actor, action, thing, before=before, after=after, door=self.door)


def _stored(thing: models.Model) -> models.Model | None:
    return models.QuerySet(type(thing)).filter(pk=thing.pk).first()
