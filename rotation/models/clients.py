"""Client keys: who may call. Only a digest is stored; `rotation.client_keys` makes and reads them."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils import timezone

from rotation.models import columns


class ClientKey(models.Model):
    """A caller's key: its public part, its tail, and the digest it is found by."""

    label = models.CharField(max_length=120)
    prefix = models.CharField(max_length=8, editable=False, help_text="The public part: rk_<prefix>_...")
    last4 = models.CharField(max_length=4, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    enabled = models.BooleanField(default=True)
    internal = models.BooleanField(default=False, editable=False, help_text="Used by Rotation's own jobs.")
    pools = columns.words("Pools it may ask for; empty means all.")
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: no limit.")
    daily_budget = columns.usd(null=True, blank=True, help_text="USD per UTC day; empty: no limit.")
    monthly_budget = columns.usd(null=True, blank=True, help_text="USD per UTC month; empty: no limit.")
    replaces = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="replaced_by"
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.label} ({self.masked})"

    @property
    def masked(self) -> str:
        return f"rk_{self.prefix}_…{self.last4}"

    def live(self, now: datetime | None = None) -> bool:
        """Enabled and not past its date."""
        return self.enabled and (self.expires_at is None or self.expires_at > (now or timezone.now()))

    def may_use(self, pool: str) -> bool:
        return not self.pools or pool in self.pools

    def revoke(self) -> None:
        """Stop accepting it, from the next snapshot on. A revoked key stays in the list, for the record."""
        self.enabled = False
        self.save(update_fields=["enabled"])
