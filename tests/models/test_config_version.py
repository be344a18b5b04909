"""Whatever door a change of the configuration comes through, the version rises and the gateway is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from rotation import client_keys
from rotation.models import Account, ClientKey, ConfigVersion, Cooldown, Deployment, Key, Placement, Pool, Provider
from tests.models import rows

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def heard() -> Iterator[Callable[[], list[str]]]:
    """What came in on the channel since the last time it was asked."""
    listener = psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}, autocommit=True)
    listener.execute("LISTEN rotation_config")
    yield lambda: [notice.payload for notice in listener.notifies(timeout=0.1)]
    listener.close()


def version() -> int:
    return ConfigVersion.objects.get(pk=1).version


def raw(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def changes() -> list[Callable[[], object]]:
    key = rows.key()
    deployment = rows.deployment()
    pool = rows.pool()
    client, _ = client_keys.issue("laptop")
    return [
        rows.provider,
        lambda: Provider.objects.update(priority=5),
        lambda: Account.objects.filter(pk=key.account_id).update(enabled=False),
        lambda: key.mark("suspect"),
        lambda: Key.objects.bulk_update([key], ["label"]),
        lambda: Deployment.objects.bulk_create([Deployment(provider=deployment.provider, model_id="new")]),
        lambda: raw("UPDATE rotation_deployment SET context = 1"),
        lambda: pool.place(deployment, position=3),
        lambda: raw("UPDATE rotation_placement SET position = 9"),
        lambda: Placement.objects.all().delete(),
        lambda: raw("TRUNCATE rotation_placement"),
        lambda: Pool.objects.update(preset="seed"),
        client.revoke,
        lambda: ClientKey.objects.all().delete(),
    ]


def test_every_door_raises_the_version_and_tells(heard):
    for number, change in enumerate(changes()):
        before = version()
        heard()
        change()
        assert version() > before, f"change {number} was not noticed"
        assert heard()[-1] == str(version()), f"change {number} was not told"


def test_what_only_records_use_is_left_out(heard):
    key = rows.key()
    client, _ = client_keys.issue("laptop")
    before = version()
    heard()
    Key.objects.filter(pk=key.pk).update(checked_at=timezone.now())
    ClientKey.objects.filter(pk=client.pk).update(last_used_at=timezone.now())
    Cooldown.objects.create(scope="key:1", until=timezone.now())
    assert (version(), heard()) == (before, [])


def test_a_bulk_change_counts_once(heard):
    provider = rows.provider()
    before = version()
    Deployment.objects.bulk_create(Deployment(provider=provider, model_id=str(n)) for n in range(200))
    assert version() == before + 1


def test_a_change_taken_back_is_not_told(heard):
    before = version()
    heard()
    connection.set_autocommit(False)
    try:
        rows.provider()
        connection.rollback()
    finally:
        connection.set_autocommit(True)
    assert (version(), heard()) == (before, [])
