from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.urls import URLPattern, URLResolver, get_resolver

from rotation import roles
from rotation.models import Role


def routes(resolver: URLResolver | None = None, space: str = "") -> Iterator[str]:
    """Every named route of the pages and of the management API; `/v1` has client keys, the admin permissions."""
    for one in (resolver or get_resolver()).url_patterns:
        if isinstance(one, URLResolver):
            below = one.namespace or ""
            if below != "admin" and (space or str(one.pattern) != "v1/"):
                yield from routes(one, f"{space}{below}:" if below else space)
        elif isinstance(one, URLPattern):
            yield f"{space}{one.name}"


def test_every_route_says_which_role_it_takes_and_none_is_forgotten_in_the_table():
    named = set(routes())
    assert named - roles.ROLES.keys() == set()
    assert roles.ROLES.keys() - named == set()


def test_a_route_nobody_entered_is_the_admins_alone():
    assert roles.wanted("forgotten", "GET") == roles.wanted("forgotten", "POST") == Role.ADMIN


#: The same act through a page and through the management API.
BOTH_DOORS = {
    "add_provider": ("providers", "connection-tests"), "change_provider": ("providers.one",),
    "remove_provider": ("providers.one",), "test_provider": ("providers.one.test",), "add_keys": ("keys",),
    "change_account": ("accounts", "accounts.one"), "change_key": ("keys.one",), "replace_key": ("keys.one.secret",),
    "validate_key": ("keys.one.validate",), "revive_key": ("keys.one.revive",), "add_offer": ("models",),
    "change_offer": ("models.one",), "retire_model": ("models.one.status",), "add_client": ("clients",),
    "change_client": ("clients.one",), "rotate_client": ("clients.one.rotate",), "add_pool": ("pools",),
    "change_pool": ("pools.one",), "order_pool": ("pools.one.order", "placements.one.move"),
    "lift_cooldown": ("health.cooldowns.one",), "lift_limit": ("health.limits.one",), "settings": ("switches.one",),
    "set_breaker": ("health.breakers",), "add_person": ("people",), "change_role": ("people.one.role",),
    "link_person": ("people.one.link",), "lock_person": ("people.one.lock", "people.one.unlock"),
}  # fmt: skip


@pytest.mark.parametrize("page", sorted(BOTH_DOORS))
def test_the_same_act_takes_the_same_role_through_both_doors(page: str):
    for operation in BOTH_DOORS[page]:
        assert roles.wanted(f"management:{operation}", "POST") is roles.wanted(page, "POST"), operation


@pytest.mark.parametrize(("has", "wants"), list(product([None, *Role], [None, *Role])))
def test_a_role_may_what_lesser_roles_may(has, wants):
    order = [None, Role.VIEWER, Role.OPERATOR, Role.ADMIN]
    assert roles.suffices(has, wants) is (order.index(has) >= order.index(wants))


@pytest.mark.django_db
def test_an_account_has_the_role_it_was_given_last():
    bob = User.objects.create(username="bob")
    assert roles.role_of(bob) is Role.VIEWER
    for role in (Role.ADMIN, Role.OPERATOR):
        roles.give(bob, role)
        assert roles.role_of(bob) is role
        assert bob.is_staff is (role is Role.ADMIN)


@pytest.mark.django_db
def test_the_highest_of_several_groups_counts_and_who_is_locked_out_has_none():
    bob = User.objects.create(username="bob")
    for name in ("viewer", "operator"):
        bob.groups.add(Group.objects.create(name=name))
    assert roles.role_of(bob) is Role.OPERATOR
    bob.is_active = False
    assert roles.role_of(bob) is None
    assert roles.role_of(AnonymousUser()) is None
