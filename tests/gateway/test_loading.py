"""What the rows of the database become in memory, and that a start without it finds the same."""

from __future__ import annotations

import datetime as dt
import os
import stat
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.utils import timezone

from rotation import client_keys, models, starter
from rotation.core.failures import FailureKind
from rotation.core.policy import BALANCED, SEED
from rotation.core.selection import NEVER
from rotation.gateway import blocked, loading
from rotation.gateway.snapshot import Block, Snapshot
from tests.models import rows

pytestmark = pytest.mark.django_db

SECRET = "sk-live-the-secret-of-this-test-4711"
HOUR = dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path) -> Path:
    settings.ROTATION_HOME = tmp_path
    settings.ROTATION_SIMULATOR_URL = "http://127.0.0.1:4711"
    return tmp_path


def snapshot() -> Snapshot:
    return loading.build(loading.read())


def blocks(found: Snapshot | None = None) -> dict[str, Block]:
    return {block.scope: block for block in (found or snapshot()).blocks}


# what there is


def test_the_starter_world_is_complete_and_in_its_pools_order() -> None:
    starter.load(simulated=True)
    found = snapshot()
    pool = models.Pool.objects.get(name="auto")
    placed = list(pool.placements.order_by("position", "id").values_list("deployment_id", flat=True))
    assert [p.deployment for p in found.pools["auto"].placements] == placed
    assert found.simulated
    assert set(found.deployments) == set(models.Deployment.objects.values_list("id", flat=True))
    assert all(found.targets[i] for i in placed)
    assert set(found.secrets) == set(models.Key.objects.values_list("id", flat=True))
    assert found.version == models.ConfigVersion.objects.get().version
    assert {p.base_url.split("/")[2] for p in found.providers.values()} == {"127.0.0.1:4711"}


def test_a_simulated_provider_is_not_there_while_no_simulator_runs(settings: Any) -> None:
    starter.load(simulated=True)
    settings.ROTATION_SIMULATOR_URL = ""
    found = snapshot()
    assert (found.providers, found.deployments, found.targets) == ({}, {}, {})
    assert found.pools["auto"].placements == ()


def test_a_deployment_is_told_with_prices_per_token_and_what_it_lacks() -> None:
    made = rows.deployment(
        model_id="m", family="f", context=8192, max_output=1024, tools=True, images=False, reasoning=True,
        price_in=Decimal("0.15"), price_out=None, lacks=["json_schema"],
    )  # fmt: skip
    found = snapshot().deployments[made.pk]
    assert found.price_in == pytest.approx(0.15e-6)
    assert found.price_out is None
    assert (found.model, found.family, found.context, found.max_output) == ("m", "f", 8192, 1024)
    assert (found.tools, found.parallel_tools, found.images, found.reasoning) == (True, None, False, True)
    assert found.lacks == {"json_schema"}


def test_the_keys_of_a_deployment_alternate_between_accounts() -> None:
    provider = rows.provider()
    first, second = (rows.account(provider=provider, label=label) for label in ("a", "b"))
    for number in range(3):
        rows.key(f"{SECRET}-a{number}", account=first)
    rows.key(f"{SECRET}-b0", account=second)
    made = rows.deployment(provider=provider)
    assert [t.account.label for t in snapshot().targets[made.pk]] == ["a", "b", "a", "a"]


def test_a_pool_has_its_policy_strategy_and_version() -> None:
    pool = rows.pool(name="own", preset="seed", policy={"patience": 5}, strategy="cheapest")
    pool.place(rows.deployment(), position=3)
    found = snapshot().pools["own"]
    assert (found.strategy, found.version) == ("cheapest", pool.version)
    assert found.policy == replace(SEED, patience=5)
    assert [(p.position, p.pinned) for p in found.placements] == [(3, False)]


def test_a_client_is_found_by_its_digest_with_its_pools_and_its_end() -> None:
    ends = timezone.now() + HOUR
    key, plain = client_keys.issue("laptop", ["fast"], expires_at=ends)
    found = snapshot().clients[client_keys.digest(plain)]
    assert (found.id, found.label, found.pools, found.internal) == (key.pk, "laptop", frozenset({"fast"}), False)
    assert found.expires == pytest.approx(ends.timestamp())


def test_learned_limits_come_along() -> None:
    models.LearnedLimit.objects.create(scope="account:1", axis="requests", limit=50, window_s=60)
    [learned] = snapshot().learned
    assert (learned.scope, learned.axis, learned.limit, learned.window) == ("account:1", "requests", 50, 60)


# what is left out


def everything() -> dict[str, Any]:
    provider = rows.provider()
    account = rows.account(provider=provider)
    deployment = rows.deployment(provider=provider)
    pool = rows.pool()
    client, _ = client_keys.issue("laptop")
    return {
        "provider": provider, "account": account, "key": rows.key(SECRET, account=account), "deployment": deployment,
        "placement": pool.place(deployment), "pool": pool, "client": client,
    }  # fmt: skip


@pytest.mark.parametrize("switched_off", ["provider", "account", "key", "placement", "client", None])
def test_what_is_switched_off_is_not_there_nor_what_hangs_on_it(switched_off: str | None) -> None:
    made = everything()
    if switched_off:
        made[switched_off].enabled = False
        made[switched_off].save()
    found, deployment = snapshot(), made["deployment"].pk
    reached = bool(found.targets.get(deployment))
    assert reached == (switched_off not in {"provider", "account", "key"})
    assert (made["key"].pk in found.secrets) == reached
    assert (deployment in found.deployments) == (switched_off != "provider")
    assert bool(found.pools[made["pool"].name].placements) == (switched_off not in {"provider", "placement"})
    assert bool(found.clients) == (switched_off != "client")


# what is out of reach


def test_a_ready_or_suspect_key_is_in_nobodys_way() -> None:
    rows.key(SECRET)
    rows.key(SECRET, state="suspect")
    rows.deployment()
    rows.deployment(status="verified")
    assert blocks() == {}


def test_an_invalid_key_is_blocked_until_it_may_be_asked_again() -> None:
    now = timezone.now()
    key = rows.key(SECRET, state="invalid", state_since=now - HOUR, state_reason="no such key", checked_at=None)
    block = blocks()[f"key:{key.pk}"]
    assert block.kind is FailureKind.BAD_CREDENTIAL
    assert block.until == pytest.approx((now - HOUR).timestamp() + blocked.RECHECK)
    key.checked_at = now
    key.save()
    assert blocks()[f"key:{key.pk}"].until == pytest.approx(now.timestamp() + blocked.RECHECK)


def test_a_key_sealed_with_a_secret_we_do_not_have_is_locked_and_the_others_are_not(settings: Any) -> None:
    locked = rows.key(SECRET)
    settings.ROTATION_SECRETS_KEY = Fernet.generate_key().decode()
    open_ = rows.key(SECRET)
    found = snapshot()
    assert blocks(found)[f"key:{locked.pk}"].until == NEVER
    assert found.secrets[locked.pk].reveal() == ""
    assert found.secrets[open_.pk].reveal() == SECRET
    assert f"key:{open_.pk}" not in blocks(found)


@pytest.mark.parametrize(("status", "kind"), [("gone", FailureKind.MODEL_GONE), ("incompatible", "lacks_feature")])
def test_a_deployment_that_is_gone_or_does_not_fit_is_blocked_until_somebody_says_otherwise(
    status: str, kind: str
) -> None:
    made = rows.deployment(status=status, status_reason="was retired")
    assert blocks()[f"deployment:{made.pk}"] == Block(
        f"deployment:{made.pk}", NEVER, FailureKind(kind), f"{status}: was retired"
    )


def cooldown(scope: str, kind: str = "rate_limited", seconds: float = 60) -> dt.datetime:
    until = timezone.now() + dt.timedelta(seconds=seconds)
    models.Cooldown.objects.create(scope=scope, until=until, kind=kind, reason="the provider asked for 60 s")
    return until


def test_a_cooldown_that_runs_is_told_and_one_that_is_over_is_not() -> None:
    until = cooldown("account:1/deployment:2")
    cooldown("account:3", seconds=-1)
    [(scope, block)] = blocks().items()
    assert (scope, block.kind, block.why) == (
        "account:1/deployment:2", FailureKind.RATE_LIMITED, "the provider asked for 60 s",
    )  # fmt: skip
    assert block.until == pytest.approx(until.timestamp())


def test_a_cooldown_of_a_kind_nobody_knows_still_cools() -> None:
    cooldown("account:1", kind="from_a_later_edition")
    assert blocks()["account:1"].kind is FailureKind.RATE_LIMITED


def test_a_cooldown_ends_with_its_reason() -> None:
    ready, suspect = rows.key(SECRET), rows.key(SECRET, state="suspect")
    listed = rows.deployment(status="verified")
    cooldown(f"key:{ready.pk}", "bad_credential")
    cooldown(f"key:{suspect.pk}", "bad_credential")
    cooldown(f"deployment:{listed.pk}", "model_gone")
    assert set(blocks()) == {f"key:{suspect.pk}"}


def test_an_account_s_want_of_credit_ends_with_the_last_key_that_says_so() -> None:
    spent, fine = rows.key(SECRET, state="exhausted"), rows.key(SECRET)
    for key in (spent, fine):
        cooldown(f"account:{key.account_id}", "out_of_credit")
        cooldown(f"key:{key.pk}", "out_of_credit")
    assert set(blocks()) == {f"account:{spent.account_id}", f"key:{spent.pk}"}


def test_every_breaker_is_told_as_it_stands_and_blocks_nobody_by_itself() -> None:
    until = timezone.now() + dt.timedelta(seconds=30)
    for opens, state in enumerate(("open", "half_open", "closed", "disabled", "forced_open")):
        models.BreakerState.objects.create(scope=f"deployment:{state}", state=state, until=until, opens=opens)
    assert blocks() == {}
    found = {row.scope: row for row in loading.build(loading.read()).breakers}
    assert {scope: row.state for scope, row in found.items()} == {
        f"deployment:{r.state}": r.state for r in found.values()
    }
    assert (found["deployment:disabled"].opens, len(found)) == (3, 5)
    assert found["deployment:open"].until == pytest.approx(until.timestamp())
    assert found["deployment:open"].changed_at == pytest.approx(timezone.now().timestamp(), abs=60)


def test_a_configuration_kept_by_an_earlier_edition_still_tells_of_its_breakers() -> None:
    read = {**loading.read(), "breakers": [{"scope": "deployment:1", "state": "forced_open", "until": None}]}
    row = loading.build(read).breakers[0]
    assert (row.state, row.opens, row.changed_at) == ("forced_open", 0, 0.0)


# without the database


def test_what_was_kept_is_what_was_read() -> None:
    starter.load(simulated=True)
    client_keys.issue("laptop", ["fast"], expires_at=timezone.now() + HOUR)
    rows.key(SECRET, state="invalid", checked_at=timezone.now())
    rows.deployment(price_in=Decimal("0.123456"), status="gone", lacks=["tools"])
    rows.pool(policy={"patience": 5})
    cooldown("account:1")
    models.BreakerState.objects.create(scope="deployment:1", state="open", until=timezone.now())
    models.LearnedLimit.objects.create(scope="account:1", axis="requests", limit=50, window_s=60)
    read = loading.read()
    loading.keep(read)
    found = loading.kept()
    assert found is not None
    assert found[0] == loading.build(read)
    assert 0 <= found[1] < 60


def test_the_kept_file_is_for_its_owner_only_and_holds_nothing_in_plain() -> None:
    _, plain = client_keys.issue("the laptop")
    rows.key(SECRET)
    loading.keep(loading.read())
    path = loading.kept_file()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    assert not any(word in text for word in (SECRET, plain, client_keys.digest(plain), "the laptop", "{"))
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_its_age_is_told() -> None:
    loading.keep(loading.read())
    path = loading.kept_file()
    made = time.time()
    os.utime(path, (made - 3600, made - 3600))
    found = loading.kept()
    assert found is not None
    assert 3600 <= found[1] < 3700


def test_nothing_kept_is_none() -> None:
    assert loading.kept() is None


@pytest.mark.parametrize("content", ["", "garbage", "gAAAAA", "\xff\xfe"])
def test_what_cannot_be_opened_is_none(home: Path, content: str) -> None:
    loading.kept_file().write_bytes(content.encode("latin-1"))
    assert loading.kept() is None


def test_what_another_installation_kept_is_none(settings: Any) -> None:
    loading.keep(loading.read())
    settings.ROTATION_SECRETS_KEY = Fernet.generate_key().decode()
    assert loading.kept() is None


def test_what_an_edition_with_other_columns_kept_is_none() -> None:
    read = loading.read()
    loading.keep({**read, "deployments": [{"id": 1}]})
    assert loading.kept() is None
    del read["pools"]
    loading.keep(read)
    assert loading.kept() is None


def test_a_home_that_cannot_be_written_is_said_and_costs_nothing(
    home: Path, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    (home / "file").write_text("")
    settings.ROTATION_HOME = home / "file"
    loading.keep(loading.read())
    assert "could not be kept" in caplog.text


def test_no_policy_said_is_the_balanced_one() -> None:
    rows.pool(name="plain")
    assert snapshot().pools["plain"].policy == BALANCED
