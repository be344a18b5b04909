"""What the control plane keeps for people: API tokens, switches of the whole installation, prompts kept on request."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone

from rotation.models import columns


class Role(models.TextChoices):
    """What somebody may do, from least to most; `rotation.roles` says which route wants which."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


class ApiToken(models.Model):
    """A program's way into the management API. Only a digest is stored."""

    label = models.CharField(max_length=120)
    role = models.CharField(max_length=20, choices=Role.choices, default=Role.VIEWER)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    prefix = models.CharField(max_length=8, editable=False, help_text="The public part: rt_<prefix>_...")
    last4 = models.CharField(max_length=4, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    enabled = models.BooleanField(default=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [columns.one_of("role", Role, "apitoken_role")]

    def __str__(self) -> str:
        return f"{self.label} ({self.masked})"

    @property
    def masked(self) -> str:
        return f"rt_{self.prefix}_…{self.last4}"

    def live(self, now: datetime | None = None) -> bool:
        """Enabled and not past its date."""
        return self.enabled and (self.expires_at is None or self.expires_at > (now or timezone.now()))


class Switch(models.Model):
    """A choice for the whole installation, by name; `rotation.switches` knows which there are and what they mean."""

    name = models.CharField(max_length=60, primary_key=True)
    value = models.JSONField(validators=[columns.storable])

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} = {self.value}"


class KeptPrompt(models.Model):
    """The body of one call, sealed: kept only while the operator's switch says so, for asking the same again."""

    request_id = models.UUIDField(primary_key=True)
    at = models.DateTimeField(db_index=True)
    sealed = models.TextField()

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"prompt of {self.request_id}"
