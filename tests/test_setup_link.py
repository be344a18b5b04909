from __future__ import annotations

import io

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from rotation import setup_link

pytestmark = pytest.mark.django_db


def make_user():
    return get_user_model().objects.create_user("first")


def test_a_fresh_link_makes_the_first_account_and_no_second():
    token = setup_link.make()
    assert setup_link.check(token)
    assert setup_link.claim(token)
    make_user()
    assert not setup_link.check(token)
    assert not setup_link.claim(token)


def test_with_an_account_there_is_no_link():
    make_user()
    assert setup_link.make() is None


def test_a_link_is_good_for_an_hour():
    with time_machine.travel("2026-01-01 12:00", tick=False) as clock:
        token = setup_link.make()
        clock.shift(3599)
        assert setup_link.check(token)
        clock.shift(2)
        assert not setup_link.check(token)


@pytest.mark.parametrize(
    "spoil", [lambda t: t[:-1], lambda t: "x" + t, lambda t: "", lambda t: "a:b:c", lambda t: "\0é"]
)
def test_a_made_up_link_opens_nothing(spoil):
    assert not setup_link.check(spoil(setup_link.make()))


def test_two_links_are_never_the_same():
    assert setup_link.make() != setup_link.make()


def test_a_link_fits_an_address():
    path = setup_link.path(setup_link.make())
    assert path.startswith("/setup/")
    assert path.isascii()
    assert path.count("/") == 3


def test_the_command_prints_a_fresh_one_or_says_why_not():
    out = io.StringIO()
    call_command("setup_link", stdout=out)
    token = out.getvalue().strip().split("/")[-2]
    assert setup_link.check(token)
    make_user()
    with pytest.raises(CommandError, match="There is an account already"):
        call_command("setup_link")
