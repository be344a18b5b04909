"""Against which scope a failure is held: the circle of targets that share its blame."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rotation.core.failures import Blame, Failure
from rotation.core.targets import (
    Target,
    account_free_scope,
    account_model_scope,
    account_scope,
    deployment_scope,
    key_model_scope,
    key_scope,
    provider_scope,
)

SCOPE_OF: Mapping[Blame, Callable[[Target], str]] = {
    Blame.NOBODY: account_model_scope,
    Blame.REQUEST: account_model_scope,
    Blame.CALLER: account_model_scope,
    Blame.KEY: key_scope,
    Blame.KEY_MODEL: key_model_scope,
    Blame.ACCOUNT: account_scope,
    Blame.ACCOUNT_FREE: account_free_scope,
    Blame.ACCOUNT_MODEL: account_model_scope,
    Blame.DEPLOYMENT: deployment_scope,
    Blame.FEATURE: deployment_scope,
    Blame.PROVIDER: provider_scope,
}


def blamed_scope(failure: Failure, target: Target) -> str:
    """The scope a failure is held against; a free-model limit on a paid target falls back to the account."""
    scope = SCOPE_OF[failure.blames](target)
    return scope if scope in target.scopes else account_scope(target)
