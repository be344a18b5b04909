"""Who may do what: one table from route to role. A route that is not in it is the admin's alone.

A route is named by its view (`overview`, `management:providers`), the same for pages and for the management API. What
reads (GET, HEAD) and what changes (everything else) may want different roles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group, User

from rotation.models.office import Role

RANK = {Role.VIEWER: 1, Role.OPERATOR: 2, Role.ADMIN: 3}
READS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Wants:
    """The least role a route wants of who reads and of who changes; None: anybody, without an account."""

    read: Role | None
    change: Role | None

    def of(self, method: str) -> Role | None:
        return self.read if method in READS else self.change


EVERYBODY = Wants(None, None)  # without an account
OWN = Wants(Role.VIEWER, Role.VIEWER)  # whoever has an account, for what is theirs
LOOK = Wants(Role.VIEWER, Role.OPERATOR)  # seen by all, changed by operators
RULE = Wants(Role.VIEWER, Role.ADMIN)  # seen by all, changed by admins
OPERATE = Wants(Role.OPERATOR, Role.OPERATOR)
GOVERN = Wants(Role.ADMIN, Role.ADMIN)

PAGES: Mapping[str, Wants] = {
    "healthz": EVERYBODY,
    "readyz": EVERYBODY,
    "setup": EVERYBODY,
    "login": EVERYBODY,
    "admin_door": EVERYBODY,
    "logout": EVERYBODY,
    "icon": EVERYBODY,
    "theme": EVERYBODY,
    "style": OWN,
    "style_form": OWN,
    "status": EVERYBODY,
    "status_badge": EVERYBODY,
    "status_json": EVERYBODY,
    "overview": LOOK,
    "overview_live": LOOK,
    "table": LOOK,
    "requests": LOOK,
    "request": LOOK,
    "why_not": LOOK,
    "request_json": LOOK,
    "transcription": LOOK,
    "switch_ear": OPERATE,
    "size_ear": GOVERN,
    "pools": LOOK,
    "pool": LOOK,
    "add_pool": OPERATE,
    "change_pool": OPERATE,
    "change_policy": OPERATE,
    "remove_pool": OPERATE,
    "order_pool": OPERATE,
    "add_member": OPERATE,
    "change_member": OPERATE,
    "remove_member": OPERATE,
    "people": GOVERN,
    "add_person": GOVERN,
    "change_role": GOVERN,
    "link_person": GOVERN,
    "lock_person": GOVERN,
    "remove_person": GOVERN,
    "tokens": OWN,
    "add_token": OWN,
    "revoke_token": OWN,
    "own_password": OWN,
    "password": EVERYBODY,
    "settings": RULE,
    "clients": LOOK,
    "client": LOOK,
    "add_client": GOVERN,
    "change_client": GOVERN,
    "rotate_client": GOVERN,
    "revoke_client": GOVERN,
    "providers": LOOK,
    "provider": LOOK,
    "add_provider": GOVERN,
    "change_provider": GOVERN,
    "switch_provider": GOVERN,
    "remove_provider": GOVERN,
    "add_keys": GOVERN,
    "add_offer": GOVERN,
    "change_offer": GOVERN,
    "remove_offer": GOVERN,
    "change_account": GOVERN,
    "remove_account": GOVERN,
    "change_key": GOVERN,
    "switch_key": GOVERN,
    "replace_key": GOVERN,
    "remove_key": GOVERN,
    "test_provider": OPERATE,
    "validate_key": OPERATE,
    "revive_key": OPERATE,
    "lift_cooldown": OPERATE,
    "lift_limit": OPERATE,
    "set_breaker": OPERATE,
    "models": LOOK,
    "model_matrix": LOOK,
    "model_timeline": LOOK,
    "model": LOOK,
    "verify_model": OPERATE,
    "adopt_model": OPERATE,
    "retire_model": OPERATE,
    "restore_model": OPERATE,
    "discovery": LOOK,
    "catalogue_changes": LOOK,
    "look_now": OPERATE,
    "verify_candidates": OPERATE,
    "cancel_verification": OPERATE,
    "adopt_step": OPERATE,
    "reject_step": OPERATE,
    "savings": LOOK,
    "start": RULE,
    "playground": OPERATE,
    "ask_again": OPERATE,
    "decision": OPERATE,
    "audit": OPERATE,
    "audit_event": OPERATE,
    "rotation": LOOK,
    "order_history": LOOK,
    "order_rotation": LOOK,
    "look_at_order": LOOK,
    "report_regret": LOOK,
    "pin_place": LOOK,
    "order_change": LOOK,
    "replay_order": LOOK,
    "decide_order": LOOK,
    "laboratory": LOOK,
    "replay": LOOK,
    "adopt_replay": LOOK,
    "remove_replay": OPERATE,
    "import_trace": OPERATE,
    "remove_trace": OPERATE,
    "undo_reordering": LOOK,
}
#: Named by their paths: `/v1/pools/{id}/order` is `pools.one.order`.
LOOKED_AT = (
    "requests", "requests.one", "requests.one.why", "requests.one.why-not", "models.one.goes-with",
    "models.one.status", "providers.one.goes-with", "providers.one.test", "keys.one.validate", "keys.one.revive",
    "pools", "pools.one", "pools.one.goes-with", "pools.one.placements", "pools.one.order", "placements.one",
    "placements.one.move", "health.breakers", "health.cooldowns", "health.cooldowns.one", "health.limits",
    "health.limits.one", "health.trips", "jobs", "jobs.one", "jobs.one.run", "jobs.one.runs", "overview", "savings",
    "reorderings", "reorderings.one", "reorderings.one.apply", "reorderings.one.hold", "reorderings.one.reject",
    "reorderings.one.undo", "pools.one.propose", "pools.one.statistics", "discovery.runs", "discovery.changes",
    "discovery.steps", "discovery.steps.one", "discovery.steps.one.adopt", "discovery.steps.one.reject",
    "discovery.timeline", "discovery.lives", "registry", "registry.diff", "verifications", "verifications.one",
    "verdicts", "matrix", "replays", "replays.one", "replays.one.adopt", "traces", "traces.one", "regret",
    "unknown", "openapi-json", "openapi-view", "api-root",
)  # fmt: skip
RULED = (  # what pages call keys, clients and settings: seen by all, changed by admins, whatever the door
    "models", "models.one", "providers", "providers.one", "accounts", "accounts.one", "keys", "keys.one",
    "keys.one.secret", "clients", "clients.one", "clients.one.rotate", "switches", "switches.one",
)  # fmt: skip
GOVERNED = (
    "connection-tests", "people", "people.one", "people.one.role", "people.one.password", "people.one.lock",
    "people.one.unlock", "people.one.link",
)  # fmt: skip
API: Mapping[str, Wants] = {
    f"management:{name}": wants
    for names, wants in (
        (LOOKED_AT, LOOK),
        (("me", "tokens", "tokens.one"), OWN),
        (("audit", "audit.one", "audit.export"), OPERATE),
        (RULED, RULE),
        (GOVERNED, GOVERN),
    )
    for name in names
}
ROLES: Mapping[str, Wants] = {**PAGES, **API}


def wanted(route: str, method: str) -> Role | None:
    """The least role for a route (a view's name), None when it wants no account."""
    if route.startswith("admin:"):  # has permissions of its own
        return None
    return ROLES.get(route, GOVERN).of(method)


def role_of(user: Any) -> Role | None:
    """The highest role an account has; None for nobody. A superuser is an admin, who is in no group may look."""
    if not getattr(user, "is_active", False):
        return None
    if user.is_superuser:
        return Role.ADMIN
    named = set(user.groups.values_list("name", flat=True))
    return max((role for role in RANK if role.value in named), key=RANK.__getitem__, default=Role.VIEWER)


def give(user: User, role: Role) -> None:
    """From now on the account has this role and no other. An admin may also use Django's admin."""
    user.groups.remove(*user.groups.filter(name__in=Role.values))
    user.groups.add(Group.objects.get_or_create(name=role.value)[0])
    user.is_staff = user.is_superuser = role is Role.ADMIN
    user.save(update_fields=["is_staff", "is_superuser"])


def suffices(has: Role | None, wants: Role | None) -> bool:
    return wants is None or (has is not None and RANK[has] >= RANK[wants])
