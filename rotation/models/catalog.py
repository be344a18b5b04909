"""Who answers and what they offer: providers, and deployments (a provider's offer of one model).

What the gateway reads is the snapshot made of these rows; nothing here sends anything or knows health.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone

from rotation import addresses
from rotation.models import columns

SIMULATOR = "simulator:"


def provider_kinds() -> list[str]:
    """The registered adapters. No enum and no constraint says them again: a new adapter needs no migration."""
    from rotation.providers import PROVIDERS  # noqa: PLC0415 - the tables can be made before the adapters load

    return list(PROVIDERS)


class Provider(models.Model):
    """Somebody who answers. A simulated provider is a row of its own: its numbers never mix with real ones."""

    kind = models.CharField(max_length=40, help_text="Which dialect it speaks.")
    name = models.SlugField(max_length=60, unique=True, help_text="Short and stable: clients write name/model.")
    label = models.CharField(max_length=120)
    base_url = models.CharField(
        "base URL", max_length=500, help_text="Up to and including the version: https://api.example.com/v1"
    )
    enabled = models.BooleanField(default=True)
    simulated = models.BooleanField(default=False, editable=False)
    priority = models.IntegerField(default=100, help_text="Lower is tried first where nothing else decides.")
    options = models.JSONField(
        default=dict,
        blank=True,
        validators=[columns.storable],
        help_text='For example {"local": true} for a server in your own network.',
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["priority", "name"]

    def __str__(self) -> str:
        return self.label or self.name

    @property
    def url(self) -> str:
        """Where to send: `base_url`, with a simulated provider's filled in; "" while no simulator runs."""
        if not self.base_url.startswith(SIMULATOR):
            return self.base_url
        root = str(settings.ROTATION_SIMULATOR_URL).rstrip("/")
        return root + self.base_url.removeprefix(SIMULATOR) if root else ""

    def clean(self) -> None:
        super().clean()
        if self.kind and self.kind not in (kinds := provider_kinds()):
            raise ValidationError({"kind": f"There is no such kind; choose one of: {', '.join(kinds)}."})
        if not isinstance(self.options, dict):
            raise ValidationError({"options": 'Write a JSON object, for example {"local": true}, or {} for none.'})
        if self.simulated or not self.base_url:
            return
        try:
            self.base_url = addresses.checked(
                self.base_url, may_be_local=self.kind == "generic", local=self.options.get("local") is True
            )
        except addresses.Refused as refused:
            raise ValidationError({"base_url": str(refused)}) from None
        if addresses.is_this_server(self.base_url, settings.HOST, settings.PORT):
            raise ValidationError({"base_url": "This is Rotation's own address: it would call itself, over and over."})
        self._keys_stay_with_their_address()

    def _keys_stay_with_their_address(self) -> None:
        """A key was given for one origin: whoever edits the address must not carry it to another."""
        before = type(self).objects.filter(pk=self.pk).values_list("base_url", flat=True).first()
        if before is None or addresses.origin(before) == addresses.origin(self.base_url):
            return
        held = self.keys().filter(enabled=True).exclude(sealed="").count()
        if held:
            keys = "1 enabled key" if held == 1 else f"{held} enabled keys"
            raise ValidationError(
                {
                    "base_url": f"{self} has {keys}, given for {addresses.origin(before)}. Disable them first; when "
                    "the address changes their secrets are erased and have to be entered again."
                }
            )

    def keys(self) -> models.QuerySet[Any]:
        from rotation.models.keys import Key  # noqa: PLC0415 - keys.py builds on this file

        return Key.objects.filter(account__provider=self)


class DeploymentStatus(models.TextChoices):
    """Where it stands in its life. `listed`: seen, and no pool wants to know more; `archived`: gone for long."""

    LISTED = "listed"
    CANDIDATE = "candidate"
    VERIFIED = "verified"
    INCOMPATIBLE = "incompatible"
    GONE = "gone"
    ARCHIVED = "archived"


#: No call goes to these.
OUT = (DeploymentStatus.INCOMPATIBLE, DeploymentStatus.GONE, DeploymentStatus.ARCHIVED)


class PriceSource(models.TextChoices):
    """Who said what it costs; the first that speaks wins: operator, listing, genai-prices, starter."""

    LISTING = "listing"
    STARTER = "starter"
    GENAI_PRICES = "genai-prices", "genai-prices"
    OPERATOR = "operator"


class Deployment(models.Model):
    """A provider's offer of one model. A feature that is null is not known, and gets the benefit of the doubt."""

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="deployments")
    model_id = models.CharField("model id", max_length=255, help_text="As the provider writes it.")
    label = models.CharField(max_length=255, blank=True)
    family = models.CharField(max_length=120, blank=True, db_index=True)
    context = models.PositiveIntegerField(null=True, blank=True, help_text="Context window in tokens.")
    max_output = models.PositiveIntegerField(null=True, blank=True, help_text="Longest answer in tokens.")
    input_modalities = columns.words("text, image, audio, ...")
    tools = models.BooleanField(null=True, blank=True)
    parallel_tools = models.BooleanField(null=True, blank=True)
    json_schema = models.BooleanField("JSON schema", null=True, blank=True)
    images = models.BooleanField(null=True, blank=True)
    reasoning = models.BooleanField(default=False, help_text="Thinks before it answers: longer gaps are normal.")
    price_in = columns.price("USD per million tokens read")
    price_out = columns.price("USD per million tokens written")
    price_source = models.CharField(max_length=20, choices=PriceSource.choices, blank=True)
    free = models.BooleanField(default=False)
    status = models.CharField(max_length=20, choices=DeploymentStatus.choices, default=DeploymentStatus.CANDIDATE)
    status_reason = models.TextField(blank=True)
    seed_latency_s = models.FloatField(
        "starting latency (s)",
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="Until it is measured.",
    )
    tags = columns.words('For example "specialised".')
    lacks = columns.words("Features it refused when asked.")
    listed_at = models.DateTimeField(null=True, blank=True, help_text="Last seen in the provider's listing.")
    born_at = models.DateTimeField(
        null=True, blank=True, help_text="First listed; empty when it was there before the first look."
    )
    missed = models.PositiveIntegerField(default=0, help_text="Believable listings in a row without it.")
    expires_on = models.DateField(null=True, blank=True, help_text="The end its provider announced.")
    verified_at = models.DateTimeField(null=True, blank=True, help_text="When its last verification ended.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["provider", "model_id"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "model_id"], name="deployment_once_per_provider"),
            columns.one_of("status", DeploymentStatus, "deployment_status"),
            models.CheckConstraint(
                condition=models.Q(price_in__isnull=True) | models.Q(price_in__gte=0),
                name="deployment_price_in",
                violation_error_message="A price is not negative; leave it empty when it is not known.",
            ),
            models.CheckConstraint(
                condition=models.Q(price_out__isnull=True) | models.Q(price_out__gte=0),
                name="deployment_price_out",
                violation_error_message="A price is not negative; leave it empty when it is not known.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """`provider/model`, as a client may ask for it."""
        return f"{self.provider.name}/{self.model_id}"

    def mark(self, status: DeploymentStatus | str, reason: str = "") -> None:
        """Set the status with its reason, and store it."""
        self.status, self.status_reason = DeploymentStatus(status), reason
        self.save(update_fields=["status", "status_reason"])

    def remember_lack(self, feature: str) -> None:
        """Note a feature it refused, once."""
        if feature not in self.lacks:
            self.lacks = [*self.lacks, feature]
            self.save(update_fields=["lacks"])
