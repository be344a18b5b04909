"""The nouns of the management API, a router each. They translate; what is changed is changed by `rotation.control`."""

from __future__ import annotations

from rotation.api.nouns import (
    accounts,
    audit,
    clients,
    health,
    jobs,
    keys,
    models,
    people,
    pools,
    providers,
    requests,
    switches,
    tokens,
)

NOUNS = tuple(
    noun.router
    for noun in (
        requests, models, providers, accounts, keys, pools, clients, tokens, people, switches, audit, health, jobs,
    )
)  # fmt: skip
