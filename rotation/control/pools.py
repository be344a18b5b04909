"""Pools: named rotation orders, their strategy, policy and modes."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from rotation.control import admits
from rotation.control.by import By
from rotation.control.fields import ChangedMeanwhile, again, counted, put
from rotation.models import ClientKey, Pool

FIELDS = ("name", "label", "strategy", "preset", "policy", "discovery", "reordering", "admits", "canary_share")


def add(by: By, **fields: Any) -> Pool:
    """Raises ValidationError by field."""
    pool = Pool()
    _put(pool, fields)
    with transaction.atomic():
        pool.save()
        by.added(pool)
    return pool


def change(by: By, pool: Pool, *, version: int | None = None, **fields: Any) -> Pool:
    """Change what is given. `version`: the one the editor saw. Raises ValidationError by field, ChangedMeanwhile."""
    with by.changing(pool):
        held(pool, version)
        again(pool)
        _put(pool, fields)
        pool.save()
        pool.touch()
    return pool


def _put(pool: Pool, fields: dict[str, Any]) -> None:
    if "admits" in fields:
        admits.check(fields["admits"])
    put(pool, fields, FIELDS)
    if pool.name == "auto" or not pool.pk:
        return
    before = Pool.objects.filter(pk=pool.pk).values_list("name", flat=True).first()
    if before == "auto":
        raise ValidationError({"name": "auto is what clients ask for who choose nothing; it keeps its name."})


def held(pool: Pool, version: int | None) -> Pool:
    """The pool's row, locked until the transaction ends. Raises ChangedMeanwhile when its version is another."""
    locked = Pool.objects.select_for_update().filter(pk=pool.pk).first()
    if locked is None or version not in {None, locked.version}:
        raise ChangedMeanwhile
    return locked


def goes_with(pool: Pool) -> list[str]:
    """What is removed together with it, and whom it concerns, in words."""
    found = (
        counted(pool.placements.count(), "place"),
        counted(pool.reorderings.count(), "order in its history", "orders in its history"),
        counted(pool.replays.count(), "replay"),
        counted(
            ClientKey.objects.filter(enabled=True, pools__contains=[pool.name]).count(),
            "client key names it",
            "client keys name it",
        ),
    )
    return [words for words in found if words]


def remove(by: By, pool: Pool, *, version: int | None = None) -> list[str]:
    """What `goes_with` said; the models stay. Raises ValidationError for `auto`, ChangedMeanwhile."""
    if pool.name == "auto":
        raise ValidationError({"name": "auto stays: it is what clients ask for who choose nothing."})
    gone = goes_with(pool)
    with transaction.atomic():
        held(pool, version)
        by.removed(pool, with_it=gone)
        pool.delete()
    return gone
