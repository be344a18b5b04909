"""What the same tokens would have cost on one well-known paid model: the yardstick of "saved"."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from rotation.models import Deployment

MODEL = "gpt-4o-mini"
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Yardstick:
    """USD per million tokens. The defaults are OpenAI's list price of gpt-4o-mini, for when no deployment says it."""

    model: str = MODEL
    price_in: Decimal = Decimal("0.15")
    price_out: Decimal = Decimal("0.60")

    def cost(self, tokens_in: int, tokens_out: int) -> Decimal:
        return (self.price_in * tokens_in + self.price_out * tokens_out) / MILLION


def yardstick() -> Yardstick:
    """One query: the catalogue's own price of the model where it has one."""
    known = (
        Deployment.objects.filter(model_id=MODEL, price_in__isnull=False, price_out__isnull=False)
        .order_by("provider__simulated", "pk")
        .values_list("price_in", "price_out")
        .first()
    )
    return Yardstick(MODEL, *known) if known else Yardstick()
