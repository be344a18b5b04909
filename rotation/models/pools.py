"""Pools (named rotation orders) and placements (a deployment's place in one)."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Max
from django.utils import timezone

from rotation.core.policy import policy_from
from rotation.models import columns
from rotation.models.catalog import Deployment

LAST = 999  # where deployments of generic providers join unless placed otherwise


class Strategy(models.TextChoices):
    ORDERED = "ordered"
    FASTEST = "fastest"
    CHEAPEST = "cheapest"
    ROUND_ROBIN = "round_robin"
    WEIGHTED = "weighted"


class Preset(models.TextChoices):
    BALANCED = "balanced"
    SEED = "seed"


class Mode(models.TextChoices):
    """How far the product may go by itself."""

    AUTOMATIC = "automatic"
    PROPOSE = "propose"
    OFF = "off"


class Pool(models.Model):
    """A named rotation order. `version` rises with every change, so that two writers notice each other."""

    name = models.SlugField(max_length=60, unique=True, help_text="What clients write as the model.")
    label = models.CharField(max_length=120, blank=True)
    strategy = models.CharField(max_length=20, choices=Strategy.choices, default=Strategy.ORDERED)
    preset = models.CharField(max_length=20, choices=Preset.choices, default=Preset.BALANCED)
    policy = models.JSONField(
        default=dict,
        blank=True,
        validators=[columns.storable],
        help_text='Single knobs changed, for example {"patience": 5}.',
    )
    discovery = models.CharField(
        max_length=20, choices=Mode.choices, default=Mode.PROPOSE, help_text="New models: taken in, proposed, or left."
    )
    reordering = models.CharField(
        max_length=20,
        choices=Mode.choices,
        default=Mode.AUTOMATIC,
        help_text="Better orders: applied, proposed, or off.",
    )
    admits = models.JSONField(
        default=dict,
        blank=True,
        validators=[columns.storable],
        help_text='Which new models it wants, for example {"free": true, "capabilities": ["tools"], "context": 32000}.',
    )
    canary_share = models.FloatField(
        default=0.03,
        validators=[MinValueValidator(0.01), MaxValueValidator(0.05)],
        help_text="Share of calls a new member answers first, 0.01 to 0.05.",
    )
    version = models.IntegerField(default=1, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            columns.one_of("strategy", Strategy, "pool_strategy"),
            columns.one_of("preset", Preset, "pool_preset"),
            columns.one_of("discovery", Mode, "pool_discovery"),
            columns.one_of("reordering", Mode, "pool_reordering"),
            models.CheckConstraint(
                condition=models.Q(canary_share__gte=0.01, canary_share__lte=0.05),
                name="pool_canary_share",
                violation_error_message="A canary gets 1 to 5 % of the calls: write 0.01 to 0.05.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        if not isinstance(self.policy, dict):
            raise ValidationError({"policy": 'Write a JSON object, for example {"patience": 5}, or {} for none.'})
        try:
            policy_from(self.preset, self.policy)
        except (ValueError, TypeError) as wrong:
            raise ValidationError({"policy": str(wrong)}) from None

    def touch(self) -> None:
        """Raise the version: something about this pool changed."""
        type(self).objects.filter(pk=self.pk).update(version=F("version") + 1)
        self.refresh_from_db(fields=["version"])

    def place(self, deployment: Deployment, *, position: int | None = None, why: str = "") -> Placement:
        """Give a deployment a place, or return the one it has. Without a position: the end of the line,
        which for a generic provider's is 999."""
        if position is None:
            position = LAST if deployment.provider.kind == "generic" else self._after_the_last()
        placement, new = self.placements.get_or_create(
            deployment=deployment, defaults={"position": position, "why": why}
        )
        if new:
            self.touch()
        return placement

    def _after_the_last(self) -> int:
        placed = self.placements.filter(position__lt=LAST).aggregate(last=Max("position"))
        return int(placed["last"] or 0) + 1


class Placement(models.Model):
    """A deployment's place in a pool, and why it stands there; the lowest position is tried first."""

    pool = models.ForeignKey(Pool, on_delete=models.CASCADE, related_name="placements")
    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="placements")
    position = models.IntegerField(default=LAST)
    pinned = models.BooleanField(default=False, help_text="Reordering leaves it where it stands.")
    enabled = models.BooleanField(default=True)
    canary = models.FloatField(
        null=True, blank=True, help_text="Share of calls it is asked first while it is new; empty for a full member."
    )
    since = models.DateTimeField(default=timezone.now, editable=False, help_text="When it came into the pool.")
    why = models.TextField(blank=True)

    class Meta:
        ordering = ["pool", "position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["pool", "deployment"],
                name="placement_once_per_pool",
                violation_error_message="This deployment already has a place in the pool.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.pool} #{self.position}: {self.deployment}"

    def move(self, position: int, why: str) -> None:
        """Stand somewhere else, with the reason."""
        self.position, self.why = position, why
        self.save(update_fields=["position", "why"])
        self.pool.touch()


def placements_in_order(pool: Pool) -> models.QuerySet[Placement, Any]:
    """A pool's placements as they are tried, with what is needed to show them, in one query."""
    return pool.placements.select_related("deployment__provider").order_by("position", "id")
