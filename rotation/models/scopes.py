"""Scopes (`account:3/deployment:44`) in words, many at a time."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models

from rotation.models.catalog import Deployment, Provider
from rotation.models.keys import Account, Key

TABLES: dict[str, models.QuerySet[models.Model]] = {
    "provider": Provider.objects.all(),
    "account": Account.objects.select_related("provider"),
    "key": Key.objects.select_related("account__provider"),
    "deployment": Deployment.objects.select_related("provider"),
}


def in_words(scopes: Iterable[str]) -> dict[str, str]:
    """Each scope with the names of what it is about; one query per kind of thing, whatever the number of scopes."""
    scopes = set(scopes)
    pairs = {tuple(part.split(":", 1)) for scope in scopes for part in scope.split("/") if ":" in part}
    names: dict[str, str] = {}
    for kind, rows in TABLES.items():
        ids = [int(pair[1]) for pair in pairs if pair[0] == kind and pair[1].isdecimal() and len(pair[1]) < 19]
        for row in rows.filter(pk__in=ids) if ids else ():
            names[f"{kind}:{row.pk}"] = _name(row)
    return {scope: " · ".join(names.get(part, part) for part in scope.split("/")) for scope in scopes}


def _name(row: models.Model) -> str:
    return f"{row.account} · {row}" if isinstance(row, Key) else str(row)
