"""Every function people and programs change things with leaves exactly one event that fits."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from rotation import control
from rotation.celery import app
from rotation.control import (
    accounts,
    clients,
    deployments,
    health,
    jobs,
    keys,
    limits,
    people,
    placements,
    pools,
    providers,
    switches,
    testing,
    tokens,
    verification,
)
from rotation.discovery.verify import runs
from rotation.models import AuditEvent, ClientKey, Cooldown, LearnedLimit, Provider, Role
from rotation.roles import give
from tests.models import rows

pytestmark = pytest.mark.django_db
ELSEWHERE = {"by", "order", "discovery", "laboratory"}  # have tests of their own
PASSWORD = "correct horse battery"
GENERIC = {"kind": "generic", "name": "lab", "base_url": "http://127.0.0.1:9"}


def admin(name: str = "ada") -> User:
    user = User.objects.create_user(name)
    give(user, Role.ADMIN)
    return user


def placed() -> Any:
    pool = rows.pool()
    pool.place(rows.deployment())
    return pool.place(rows.deployment())


def client(by: Any) -> ClientKey:
    return clients.issue(by, label="laptop")[0]


def scheduled() -> str:
    crontab = CrontabSchedule.objects.create(minute="1")
    PeriodicTask.objects.create(name="x", task="rotation.jobs.keys", crontab=crontab)
    return "keys"


def limit() -> LearnedLimit:
    return LearnedLimit.objects.create(scope="account:3", axis="requests", limit=20, window_s=60)


def cooldown() -> Cooldown:
    return Cooldown.objects.create(scope="key:1", until=timezone.now() + timedelta(hours=1))


def of(function: Callable[..., Any], thing: Callable[..., Any] | None = None, *more: Any, **fields: Any) -> Any:
    """How to call a function: with which thing, and what else."""
    return function, thing, more, fields


#: The table: every function, what it is tried on, and the event it leaves as "action kind".
EVERY = {
    "provider is added": (
        of(providers.add, None, kind="openai", name="mine", base_url="https://api.example.com/v1"),
        "add provider",
    ),
    "provider is changed": (of(providers.change, rows.provider, label="New"), "change provider"),
    "provider is enabled": (of(providers.enable, lambda: rows.provider(enabled=False)), "change provider"),
    "provider is disabled": (of(providers.disable, rows.provider), "change provider"),
    "provider is removed": (of(providers.remove, rows.provider), "delete provider"),
    "provider is tested": (of(providers.test_connection, rows.provider), "test connection provider"),
    "connection is tested": (of(testing.connection, rows.provider, secret=None), "test connection provider"),
    "account is added": (of(accounts.add, rows.provider, label="two"), "add account"),
    "account is changed": (of(accounts.change, rows.account, plan="free"), "change account"),
    "account is removed": (of(accounts.remove, rows.account), "delete account"),
    "key is added": (of(keys.add, rows.account, "sk-one-0123456789abcdefghij"), "add key"),
    "key is taken in": (of(keys.take_in, rows.account, "sk-one-0123456789abcdefghij"), "add key"),
    "key is changed": (of(keys.change, rows.key, label="new"), "change key"),
    "key is replaced": (of(keys.replace, rows.key, "sk-two-0123456789abcdefghij"), "replace key"),
    "key is enabled": (of(keys.enable, lambda: rows.key(enabled=False)), "change key"),
    "key is disabled": (of(keys.disable, rows.key), "change key"),
    "key is removed": (of(keys.remove, rows.key), "delete key"),
    "key is validated": (of(keys.validate, rows.key), "validate key"),
    "key is revived": (of(keys.revive, lambda: rows.key(state="invalid")), "revive key"),
    "model is added": (of(deployments.add, rows.provider, model_id="m"), "add deployment"),
    "model is changed": (of(deployments.change, rows.deployment, price_in="0.5"), "change deployment"),
    "model is set": (of(deployments.set_status, rows.deployment, "verified"), "set status deployment"),
    "model is retired": (of(deployments.retire, rows.deployment), "set status deployment"),
    "model is removed": (of(deployments.remove, rows.deployment), "delete deployment"),
    "model is limited": (
        of(limits.set_limits, rows.deployment, [{"axis": "requests", "limit": 6, "window_s": 60}]),
        "set limits deployment",
    ),
    "pool is added": (of(pools.add, None, name="mine"), "add pool"),
    "pool is changed": (of(pools.change, rows.pool, strategy="fastest"), "change pool"),
    "pool is removed": (of(pools.remove, rows.pool), "delete pool"),
    "place is given": (of(placements.place, rows.pool, rows.deployment), "place placement"),
    "place is moved": (of(placements.move, placed, 1), "move placement"),
    "place is changed": (of(placements.change, placed, canary=0.02), "change placement"),
    "place is pinned": (of(placements.pin, placed), "change placement"),
    "place is enabled": (of(placements.enable, placed, enabled=False), "change placement"),
    "place is removed": (of(placements.remove, placed), "take away placement"),
    "client is issued": (of(clients.issue, None, label="laptop"), "issue clientkey"),
    "client is changed": (of(clients.change, client, daily_budget="2.5"), "change clientkey"),
    "client is rotated": (of(clients.rotate, client), "rotate clientkey"),
    "client is revoked": (of(clients.revoke, client), "revoke clientkey"),
    "token is issued": (of(tokens.issue, admin, label="ci", role="operator"), "issue apitoken"),
    "token is revoked": (
        of(tokens.revoke, lambda by: tokens.issue(by, admin(), label="ci")[0]),
        "revoke apitoken",
    ),
    "person is added": (of(people.add, None, username="bob", role="viewer"), "add user"),
    "person is changed": (of(people.change, admin, email="ada@example.com"), "change user"),
    "person gets a role": (of(people.give_role, lambda: User.objects.create_user("bob"), "operator"), "give role user"),
    "person is locked": (of(people.lock, lambda: User.objects.create_user("bob")), "lock user"),
    "person is unlocked": (
        of(people.unlock, lambda: User.objects.create_user("bob", is_active=False)),
        "unlock user",
    ),
    "person gets a password": (of(people.set_password, admin, PASSWORD), "set password user"),
    "person gets a link": (of(people.link, admin), "make link user"),
    "person is removed": (of(people.remove, lambda: User.objects.create_user("bob")), "delete user"),
    "switch is set": (of(switches.set_value, None, "status_page", True), "set switch"),
    "cooldown is lifted": (of(health.lift_cooldown, cooldown), "lift cooldown"),
    "limit is lifted": (of(health.lift_limit, limit), "lift learnedlimit"),
    "breaker is set": (
        of(health.set_breaker, lambda: f"deployment:{rows.deployment().pk}", "forced_open"),
        "breaker forced open breakerstate",
    ),
    "verification is started": (of(verification.start, lambda: [rows.deployment()]), "verify verificationrun"),
    "verification is called off": (
        of(verification.cancel, lambda: runs.start("x", [rows.deployment()])),
        "call off verificationrun",
    ),
    "job is run": (of(jobs.run_now, None, "keys"), "run job"),
    "job is switched": (of(jobs.set_enabled, scheduled, enabled=False), "change periodictask"),
}
SPECIAL = {placements.arrange}  # tried below: it wants ids


@pytest.fixture(autouse=True)
def no_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked: no provider, no queue."""
    from rotation.jobs import fetch

    def nobody(*_: Any, **__: Any) -> None:
        raise fetch.FetchFailed("no connection", fetch.Cause.CONNECTION)

    monkeypatch.setattr(fetch, "fetch", nobody)
    monkeypatch.setattr("rotation.jobs.keys.fetch", nobody)
    monkeypatch.setattr(app, "send_task", lambda *_, **__: None)


def made(thing: Callable[..., Any], by: Any) -> Any:
    return thing(by) if "by" in inspect.signature(thing).parameters else thing()


@pytest.mark.parametrize("what", list(EVERY))
def test_a_change_leaves_one_event_that_fits(what, olga, told):
    (function, thing, more, fields), event = EVERY[what]
    given = [made(thing, olga)] if thing else []
    more = [one() if callable(one) else one for one in more]
    told()
    function(olga, *given, *more, **fields)
    assert [(actor, door, f"{action} {kind}") for actor, door, action, kind in told()] == [("olga", "page", event)]


def test_an_order_arranged_at_once_is_one_event(olga, told):
    place = placed()
    first, second = place.pool.placements.order_by("position")
    placements.arrange(olga, place.pool, [second.deployment_id, first.deployment_id])
    assert told() == [("olga", "page", "arrange", "pool")]
    placements.arrange(olga, place.pool, [second.deployment_id, first.deployment_id])
    assert told() == []


def test_the_table_names_every_function_there_is():
    names = {module.name for module in pkgutil.iter_modules(control.__path__)} - ELSEWHERE
    there = set()
    for name in names:
        module = import_module(f"rotation.control.{name}")
        for function in vars(module).values():
            own = inspect.isfunction(function) and function.__module__ == module.__name__
            if own and not function.__name__.startswith("_") and "by" in inspect.signature(function).parameters:
                there.add(function)
    assert there - SPECIAL == {function for (function, *_), _ in EVERY.values()}


def test_no_event_holds_a_secret(olga):
    secret = "sk-very-secret-0123456789abcdef"
    provider = providers.add(olga, secret=secret, kind="openai", name="mine", base_url="https://api.example.com/v1")
    keys.replace(olga, provider.keys().get(), "sk-also-secret-0123456789abcdef")
    people.add(olga, username="bob", role="viewer", password=PASSWORD)
    _, key = clients.issue(olga, label="laptop")
    _, token = tokens.issue(olga, admin(), label="ci")
    written = str(list(AuditEvent.objects.values("before", "after", "about")))
    for plain in (secret, "sk-also-secret-0123456789abcdef", PASSWORD, key, token):
        assert plain not in written
    assert str(User.objects.get(username="bob").password) not in written
    assert Provider.objects.get().keys().get().sealed not in written
