"""The starter file as rows: providers, deployments, pools, placements; and the simulated twin of each.

Every item is given once and remembered (`StarterMark`): what an operator edited stays as edited, what an operator
deleted stays away, and what a later edition of the file adds is added.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from rotation.models import (
    Account,
    Deployment,
    Key,
    KeySource,
    Mode,
    Placement,
    Pool,
    PriceSource,
    Provider,
    StarterMark,
)
from rotation.models.catalog import SIMULATOR
from rotation.models.pools import LAST, Strategy

FILE = Path(__file__).parent / "fixtures" / "starter.toml"
LOADING = 7_301_002  # advisory lock: one process hands out at a time


@transaction.atomic
def load(simulated: bool) -> int:
    """Hand out what has not been handed out yet, real or simulated; how many things were new.

    In production mode there is no simulated half.
    """
    if simulated and settings.ROTATION_MODE == "production":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOADING])
    given = set(StarterMark.objects.values_list("name", flat=True))
    marks = [*_providers(given, simulated), *_deployments(given, simulated), *_pools(given, simulated)]
    if simulated:
        marks += _simulated_keys(given)
    StarterMark.objects.bulk_create(StarterMark(name=name) for name in marks)
    return len(marks)


@lru_cache(maxsize=1)
def starter_file() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text())


def _halves(simulated: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """(provider name in the database, its table in the file) of the real or the simulated half."""
    for table in starter_file()["provider"]:
        if simulated:
            yield f"sim-{table['name']}", table
        elif "base_url" in table:
            yield table["name"], table


def _providers(given: set[str], simulated: bool) -> list[str]:
    new = {f"provider:{name}": (name, t) for name, t in _halves(simulated) if f"provider:{name}" not in given}
    Provider.objects.bulk_create(
        (
            Provider(
                kind=table["name"],
                name=name,
                label=f"{table['label']} (simulated)" if simulated else table["label"],
                base_url=SIMULATOR + table["sim"]["path"] if simulated else table["base_url"],
                priority=table["priority"],
                simulated=simulated,
            )
            for name, table in new.values()
        ),
        ignore_conflicts=True,
    )
    return list(new)


def _deployments(given: set[str], simulated: bool) -> list[str]:
    providers = {p.name: p for p in Provider.objects.all()}
    new = {
        mark: _deployment(providers[name], model)
        for name, table in _halves(simulated)
        for model in table["models"]
        if (mark := f"deployment:{name}/{model['id']}") not in given and name in providers
    }
    Deployment.objects.bulk_create(new.values(), ignore_conflicts=True)
    return list(new)


def _deployment(provider: Provider, model: dict[str, Any]) -> Deployment:
    free = model["id"].endswith(":free")
    price = {side: Decimal(0) if free else _usd(model.get(side)) for side in ("in", "out")}
    features = ("context", "max_output", "tools", "parallel_tools", "json_schema", "images")
    return Deployment(
        provider=provider,
        model_id=model["id"],
        family=model["family"],
        input_modalities=_inputs(model),
        reasoning=model.get("reasoning", False),
        price_in=price["in"],
        price_out=price["out"],
        price_source="" if price["in"] is None else PriceSource.STARTER,
        free=free,
        seed_latency_s=model.get("seconds"),
        tags=model.get("tags", []),
        **{feature: model.get(feature) for feature in features},
    )


def _inputs(model: dict[str, Any]) -> list[str]:
    if "transcription" in model.get("tags", ()):
        return ["audio"]
    return ["text", "image"] if model["images"] else ["text"]


def _usd(price: float | None) -> Decimal | None:
    return None if price is None else Decimal(str(price))


def _pools(given: set[str], simulated: bool) -> list[str]:
    tables = starter_file()["pool"]
    new = [mark for name in tables if (mark := f"pool:{name}") not in given]
    Pool.objects.bulk_create(
        (
            Pool(name=name, label=table["label"], strategy=table.get("strategy", Strategy.ORDERED))
            for name, table in tables.items()
            if f"pool:{name}" in new
        ),
        ignore_conflicts=True,
    )
    pools = {pool.name: pool for pool in Pool.objects.filter(name__in=tables)}
    new += _wishes(tables, pools, given)
    deployments = {d.name: d for d in Deployment.objects.select_related("provider")}
    places = {
        mark: Placement(
            pool=pools[pool], deployment=deployments[name], position=position, pinned=pinned, why="starter data"
        )
        for pool, name, position, pinned in _places(simulated)
        if (mark := f"placement:{pool}/{name}") not in given and pool in pools and name in deployments
    }
    Placement.objects.bulk_create(places.values(), ignore_conflicts=True)
    return [*new, *places]


def _wishes(tables: dict[str, Any], pools: dict[str, Pool], given: set[str]) -> list[str]:
    """Which new models a pool wants; one that an operator has told already keeps what it was told."""
    marks = []
    for name, table in tables.items():
        if (mark := f"admits:{name}") in given or "admits" not in table or name not in pools:
            continue
        marks.append(mark)
        pool = pools[name]
        if not pool.admits and pool.discovery == Mode.PROPOSE:
            pool.admits, pool.discovery = table["admits"], table.get("discovery", Mode.PROPOSE)
            pool.save(update_fields=["admits", "discovery"])
    return marks


def _places(simulated: bool) -> Iterator[tuple[str, str, int, bool]]:
    """(pool, provider/model, position, whether it is pinned there) of every placement of one half."""
    there = {name for name, _ in _halves(simulated)}
    for pool, table in starter_file()["pool"].items():
        rows = [*enumerate(table["order"], 1), *((LAST, name) for name in table.get("last", []))]
        for position, model in rows:
            name = f"sim-{model}" if simulated else model
            if name.split("/")[0] in there:
                yield pool, name, position, model in table.get("pinned", ())


def _simulated_keys(given: set[str]) -> list[str]:
    marks = []
    for name, table in _halves(simulated=True):
        provider = Provider.objects.filter(name=name, simulated=True).first()
        if (mark := f"keys:{name}") in given or provider is None:
            continue
        marks.append(mark)
        for label, keys in table["sim"]["accounts"].items():
            account, _ = Account.objects.get_or_create(provider=provider, label=label)
            secrets = [f"sk-sim-{table['name']}-{label}-{n}" for n in range(1, keys + 1)] or [""]
            for n, secret in enumerate(secrets, 1):
                Key.objects.take_in(account, secret, label=f"{label} {n}", source=KeySource.SIMULATED)
    return marks
