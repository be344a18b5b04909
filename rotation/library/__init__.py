"""The rotation for programs that do without the gateway: standard library and `rotation.core`, no Django, no database.

`ModelRotationManager` says which model to ask, `RetryPolicy` when to ask again. Neither sends anything: the call is
the caller's own. What they decide by (breaker, cooldown, backoff, policies) is what the gateway decides by.
docs/library.md has examples that run.
"""

from __future__ import annotations

from rotation.library.retrying import RetryPolicy, WrongExecute
from rotation.library.rotating import ModelRotationManager, NoModelAvailable
from rotation.library.waiting import RetryConfig, RetryDetails

__all__ = ["ModelRotationManager", "NoModelAvailable", "RetryConfig", "RetryDetails", "RetryPolicy", "WrongExecute"]
