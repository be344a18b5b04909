from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

pytestmark = pytest.mark.django_db


def test_every_page_is_measured_with_its_queries_and_bytes(alice: User, ask: Callable[..., UUID]):
    uuid, said = ask(), StringIO()
    call_command("measure_pages", "--rounds", "1", stdout=said)
    rows = [line.split() for line in said.getvalue().splitlines()[1:]]
    seen = {row[-1]: row for row in rows}
    assert {"/", "/requests/", f"/requests/{uuid}/", "/savings/", "/providers/"} <= seen.keys()
    assert not {"/discovery/look/", "/favicon.ico", "/status/"} & seen.keys()
    assert all(float(p50) > 0 and int(queries) > 0 and float(size) > 0 for p50, _, queries, size, _ in rows)


def test_without_an_admin_it_says_what_to_do(world: None):
    with pytest.raises(CommandError, match="set-up link"):
        call_command("measure_pages")


@pytest.mark.parametrize("rounds", ["0", "-1"])
def test_no_rounds_are_refused(alice: User, rounds: str):
    with pytest.raises(CommandError, match="at least 1"):
        call_command("measure_pages", "--rounds", rounds)
