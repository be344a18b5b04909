"""What an attempt costs in USD, and what it is expected to cost before it is made."""

from __future__ import annotations

import math

from rotation.core.targets import Deployment
from rotation.providers.base import Usage

USUAL_OUTPUT = 1024  # tokens, where nobody said how many: what providers set aside themselves


def cost_of(usage: Usage | None, deployment: Deployment) -> float | None:
    """The provider's own figure, else tokens times the deployment's prices, else not known."""
    if usage is None:
        return None
    if usage.cost is not None:
        return usage.cost
    if deployment.free:
        return 0.0
    if deployment.price_in is None or deployment.price_out is None:
        return None
    return usage.tokens_in * deployment.price_in + usage.tokens_out * deployment.price_out


def expected_cost(deployment: Deployment, tokens_in: int, output: int | None) -> float:
    """`output` is the most that was asked for, None when that was left open. What has no price is taken for free."""
    if deployment.free:
        return 0.0
    tokens_out = min(USUAL_OUTPUT if output is None else output, deployment.max_output or math.inf)
    return tokens_in * (deployment.price_in or 0.0) + tokens_out * (deployment.price_out or 0.0)
