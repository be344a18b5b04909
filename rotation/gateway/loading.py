"""From the database to a snapshot, by way of plain rows.

`read` asks Postgres, `build` makes the value. Between them the rows can be kept in a sealed file, from which a
start is possible while the database is away. Runs in a thread of its own; the event loop never comes here.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from django.db.models import Q, QuerySet
from django.utils import timezone

from rotation import models, sealing
from rotation.core.policy import BALANCED, PRESETS, Policy, policy_from
from rotation.core.ranking import put_down
from rotation.core.targets import Account, Deployment, Key, Placement, Pool, Provider, Target
from rotation.gateway import sealed_file
from rotation.gateway.audio_calls import sent_today
from rotation.gateway.blocked import Row, Rows, blocks_of, epoch, secrets_of
from rotation.gateway.clients import Client
from rotation.gateway.snapshot import Learned, Snapshot, StoredBreaker
from rotation.gateway.spending import origins_of, spent_by, spent_of
from rotation.providers.model_names import work_of

log = logging.getLogger("rotation.gateway")

PURPOSE = "snapshot"
MILLION = 1_000_000
KEY = "id account_id sealed last4 label state state_reason state_since checked_at"
DEPLOYMENT = (
    "id provider_id model_id family context max_output tools parallel_tools json_schema images reasoning "
    "price_in price_out free status status_reason lacks tags seed_latency_s"
)
CLIENT = "id label digest pools internal expires_at requests_per_minute daily_budget monthly_budget"


def version() -> int:
    """The configuration's version in the database, 0 before there is one."""
    return models.ConfigVersion.objects.values_list("version", flat=True).first() or 0


def read() -> Rows:
    """Everything the engine works from, as plain rows."""
    now = timezone.now()
    live = Q(account__enabled=True, account__provider__enabled=True, enabled=True)
    providers = [
        {"id": p.id, "name": p.name, "kind": p.kind, "base_url": p.url, "label": p.label, "simulated": p.simulated,
         "options": p.options}
        for p in models.Provider.objects.filter(enabled=True)
    ]  # fmt: skip
    placements = models.Placement.objects.filter(enabled=True, deployment__provider__enabled=True)
    deployments = models.Deployment.objects.filter(provider__enabled=True)
    found: Rows = {
        "version": [{"version": version()}],
        "providers": providers,
        "accounts": _plain(models.Account.objects.filter(enabled=True), "id provider_id label plan"),
        "keys": _plain(models.Key.objects.filter(live), KEY),
        "deployments": _plain(deployments.order_by("provider__priority", "id"), DEPLOYMENT),
        "pools": _plain(models.Pool.objects.all(), "id name strategy preset policy version"),
        "placements": _plain(placements.order_by("position", "id"), "pool_id deployment_id position pinned canary"),
        "watched": _watched(now),
        "clients": _plain(models.ClientKey.objects.filter(enabled=True), CLIENT),
        "replaced": _plain(models.ClientKey.objects.filter(replaces__isnull=False), "id replaces_id"),
        "cooldowns": _plain(models.Cooldown.objects.filter(until__gt=now), "scope until kind reason"),
        "breakers": _plain(models.BreakerState.objects.all(), "scope state until opens changed_at"),
        "limits": _plain(models.LearnedLimit.objects.all(), "scope axis limit window_s"),
        "used": [{"provider_id": provider, "calls": calls} for provider, calls in sent_today(now).items()],
        "spent": spent_by(now),
        "switches": _plain(models.Switch.objects.all(), "name value"),
    }
    return found


def _watched(now: datetime) -> list[Row]:
    """What the reorderings under watch put down: exploration asks these first, for the watch to have its numbers."""
    rows = models.Reordering.objects.filter(state=models.ReorderingState.APPLIED, watch_until__gt=now)
    return [{"pool_id": row.pool_id, "down": put_down(row.before, row.after), "until": row.watch_until} for row in rows]


def _plain(rows: QuerySet[Any], names: str) -> list[Row]:
    return list(rows.values(*names.split()))


def build(rows: Rows) -> Snapshot:
    """The snapshot of these rows. A secret that cannot be opened benches its key and nothing else."""
    providers = {r["id"]: Provider(**r) for r in rows["providers"] if r["base_url"]}
    accounts = {r["id"]: Account(r["id"], r["provider_id"], r["label"], r["plan"]) for r in rows["accounts"]}
    deployments = {r["id"]: _deployment(r) for r in rows["deployments"] if r["provider_id"] in providers}
    secrets, blocks = secrets_of(rows["keys"])
    keys = {
        r["id"]: Key(r["id"], r["account_id"], r["last4"], r["label"])
        for r in rows["keys"]
        if r["account_id"] in accounts
    }
    simulated = any(provider.simulated for provider in providers.values())
    origins = origins_of({r["id"]: r["replaces_id"] for r in rows.get("replaced", ())})
    return Snapshot(
        version=rows["version"][0]["version"],
        providers=providers,
        deployments=deployments,
        targets=_targets(deployments, keys, accounts, providers),
        pools=_pools(rows, deployments),
        clients={r["digest"]: _client(r, origins.get(r["id"], 0)) for r in rows["clients"]},
        secrets=secrets,
        blocks=[*blocks, *blocks_of(rows)],
        learned=[Learned(r["scope"], r["axis"], r["limit"], r["window_s"]) for r in rows["limits"]],
        breakers=[_breaker(r) for r in rows["breakers"]],
        used={r["provider_id"]: r["calls"] for r in rows.get("used", ())},
        spent=spent_of(rows.get("spent", ()), simulated=simulated, origins=origins),
        switches={r["name"]: r["value"] for r in rows.get("switches", ())},
    )


def _deployment(row: dict[str, Any]) -> Deployment:
    names = ("family", "context", "max_output", "tools", "parallel_tools", "json_schema", "images", "reasoning", "free")
    known: dict[str, Any] = {name: row[name] for name in names}
    for name in ("price_in", "price_out"):
        known[name] = float(row[name]) / MILLION if row[name] is not None else None
    known["type"] = work_of(row["model_id"], row.get("tags") or ())
    known["seed_seconds"] = row.get("seed_latency_s")  # a file kept by an earlier version has none
    return Deployment(row["id"], row["provider_id"], row["model_id"], lacks=frozenset(row["lacks"]), **known)


def _client(row: dict[str, Any], origin: int) -> Client:
    daily, monthly = (
        float(row[name]) if row.get(name) is not None else None for name in ("daily_budget", "monthly_budget")
    )
    return Client(row["id"], row["label"], frozenset(row["pools"]), row["internal"], epoch(row["expires_at"]),
                  row.get("requests_per_minute"), daily, monthly, origin)  # fmt: skip


def _targets(
    deployments: dict[int, Deployment],
    keys: dict[int, Key],
    accounts: dict[int, Account],
    providers: dict[int, Provider],
) -> dict[int, tuple[Target, ...]]:
    """By deployment, one target per key of its provider; accounts alternate, so that another follows a busy one."""
    by_provider: dict[int, list[list[Key]]] = defaultdict(list)
    for account in accounts.values():
        by_provider[account.provider].append([k for k in keys.values() if k.account == account.id])
    found = {}
    for deployment in deployments.values():
        rounds = by_provider[deployment.provider]
        longest = max((len(r) for r in rounds), default=0)
        order = [r[i] for i in range(longest) for r in rounds if i < len(r)]
        provider = providers[deployment.provider]
        found[deployment.id] = tuple(Target(deployment, key, accounts[key.account], provider) for key in order)
    return found


def _pools(rows: Rows, deployments: dict[int, Deployment]) -> dict[str, Pool]:
    placed: dict[int, list[Placement]] = defaultdict(list)
    for row in rows["placements"]:
        if row["deployment_id"] in deployments:
            known = (row["deployment_id"], row["position"], row["pinned"], row.get("canary"))
            placed[row["pool_id"]].append(Placement(*known))
    watched: dict[int, dict[int, float]] = defaultdict(dict)
    for row in rows.get("watched", ()):  # a file kept by an earlier version has none
        watched[row["pool_id"]].update(dict.fromkeys(row["down"], epoch(row["until"]) or 0.0))
    return {
        row["name"]: Pool(
            row["id"], row["name"], tuple(placed[row["id"]]), row["strategy"], _policy(row), row["version"],
            watched[row["id"]],
        )
        for row in rows["pools"]
    }  # fmt: skip


def _policy(row: Row) -> Policy:
    """A pool's policy; one that cannot be followed costs its pool the changes, not everybody the configuration."""
    try:
        return policy_from(row["preset"], row["policy"])
    except (ValueError, TypeError) as wrong:
        log.error("pool %s works by the preset alone: %s", row["name"], wrong)
        return PRESETS.get(row["preset"], BALANCED)


def _breaker(row: Row) -> StoredBreaker:
    return StoredBreaker(
        row["scope"], row["state"], epoch(row["until"]), row.get("opens") or 0, epoch(row.get("changed_at")) or 0.0
    )


def keep(rows: Rows) -> None:
    """Keep the rows, sealed, for a start without the database. Trouble is logged, not raised."""
    try:
        sealed_file.write(PURPOSE, orjson.dumps(rows, default=str).decode())
    except OSError as error:
        log.warning("the configuration could not be kept in %s: %s", kept_file(), error)


def kept() -> tuple[Snapshot, float] | None:
    """The last configuration that was kept and its age in seconds; None when there is none that can be opened."""
    try:
        return build(orjson.loads(sealed_file.read(PURPOSE))), time.time() - kept_file().stat().st_mtime
    except (OSError, sealing.Locked, ValueError, KeyError, TypeError):
        return None


def kept_file() -> Path:
    return sealed_file.path_of(PURPOSE)
