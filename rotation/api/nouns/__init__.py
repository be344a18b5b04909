"""The nouns of the management API, a router each. They translate; what is changed is changed by `rotation.control`."""

from __future__ import annotations

from rotation.api.nouns import (
    accounts,
    audit,
    clients,
    discovery,
    figures,
    health,
    jobs,
    keys,
    laboratory,
    models,
    order,
    people,
    pools,
    providers,
    requests,
    switches,
    tokens,
    verification,
)

NOUNS = tuple(
    noun.router
    for noun in (
        figures, requests, models, providers, accounts, keys, pools, order, discovery, verification, laboratory,
        clients, tokens, people, switches, audit, health, jobs,
    )
)  # fmt: skip
