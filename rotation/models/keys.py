"""Accounts (what a provider bills and limits) and their keys, sealed at rest.

The plain secret exists in a form's input and in the gateway's memory, nowhere else. A row knows
how to take a secret in and how to open it; it never shows more than the last four characters.
"""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.utils import timezone

from rotation import sealing
from rotation.models import columns
from rotation.models.catalog import Provider
from rotation.models.health import tell_gateway


class Account(models.Model):
    """What a provider bills and limits; all its keys share the limits."""

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="accounts")
    label = models.CharField(max_length=120, default="main")
    plan = models.CharField(max_length=120, blank=True, help_text="Free, tier 1, ... as the provider calls it.")
    enabled = models.BooleanField(default=True)
    verify_share = models.FloatField(
        "share for verification",
        default=0.2,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text="How much of each day's requests may go into verifying models, 0 to 1.",
    )

    class Meta:
        ordering = ["provider", "label"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "label"],
                name="account_once_per_provider",
                violation_error_message="This provider already has an account of that label.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider} · {self.label}"


class KeyState(models.TextChoices):
    READY = "ready"
    SUSPECT = "suspect"  # refused once; a check confirms or clears it
    INVALID = "invalid"
    EXHAUSTED = "exhausted"  # out of credit


class KeySource(models.TextChoices):
    ADMIN = "admin"
    ENVIRONMENT = "environment"
    SIMULATED = "simulated"


class KeyQuerySet(models.QuerySet["Key"]):
    def usable(self) -> KeyQuerySet:
        """Enabled all the way up, whatever state they are in."""
        return self.filter(enabled=True, account__enabled=True, account__provider__enabled=True)

    def take_in(
        self, account: Account, secret: str, *, label: str = "", source: KeySource = KeySource.ADMIN
    ) -> tuple[Key, bool]:
        """Store a secret under an account; (the key, False) when that account already holds it.

        Raises ValidationError when the text cannot be a key.
        """
        key = Key(account=account, label=label, source=source)
        key.put_secret(secret)
        known = self.filter(account=account, fingerprint=key.fingerprint).first()
        if known:
            return known, False
        key.save()
        return key, True


class Key(models.Model):
    """One key of an account. A provider that wants none has one row with an empty secret."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="keys")
    sealed = models.TextField(blank=True, editable=False)
    last4 = models.CharField(max_length=4, blank=True, editable=False)
    fingerprint = models.CharField(max_length=64, editable=False)
    label = models.CharField(max_length=120, blank=True)
    enabled = models.BooleanField(default=True)
    state = models.CharField(max_length=20, choices=KeyState.choices, default=KeyState.READY)
    state_reason = models.TextField(blank=True)
    state_since = models.DateTimeField(default=timezone.now)
    checked_at = models.DateTimeField(null=True, blank=True)
    source = models.CharField(max_length=20, choices=KeySource.choices, default=KeySource.ADMIN)

    objects = KeyQuerySet.as_manager()

    class Meta:
        ordering = ["account", "id"]
        constraints = [
            models.UniqueConstraint(fields=["account", "fingerprint"], name="key_once_per_account"),
            columns.one_of("state", KeyState, "key_state"),
            columns.one_of("source", KeySource, "key_source"),
        ]

    def __str__(self) -> str:
        return f"{self.label or 'key'} {self.masked}"

    @property
    def masked(self) -> str:
        """The only thing ever shown of a secret."""
        if not self.sealed:
            return "(no key)"
        return f"…{self.last4}" if self.last4 else "••••"

    @property
    def secret(self) -> sealing.Secret:
        """The secret, opened. Raises `sealing.Locked` when none of the secrets keys fits."""
        return sealing.Secret(sealing.unseal(self.sealed))

    @property
    def locked(self) -> bool:
        """Sealed with a secrets key this process does not have."""
        try:
            sealing.unseal(self.sealed)
        except sealing.Locked:
            return True
        return False

    def put_secret(self, text: str) -> None:
        """Seal a new secret into this row (not saved). Raises ValidationError when it cannot be a key."""
        plain = clean_secret(text)
        self.sealed = sealing.seal(plain)
        self.last4 = sealing.last4(plain)
        self.fingerprint = sealing.fingerprint(plain)
        self.state, self.state_reason, self.state_since = KeyState.READY, "", timezone.now()

    def forget_secret(self, reason: str) -> None:
        """Erase the secret and bench the key; the fingerprint stays, so the same key is known again."""
        self.sealed = self.last4 = ""
        self.enabled = False
        self.mark(KeyState.INVALID, reason)
        self.save(update_fields=["sealed", "last4", "enabled"])

    def mark(self, state: KeyState | str, reason: str = "") -> None:
        """Set the state with its reason, and store it; `state_since` moves only when the state does."""
        if self.state != state:
            self.state, self.state_since = KeyState(state), timezone.now()
        self.state_reason = reason
        self.save(update_fields=["state", "state_reason", "state_since"])

    @transaction.atomic
    def revive(self, reason: str = "") -> None:
        """It works again, or somebody says so: ready, and what benched it is over here and in the gateway at once."""
        scopes = [f"key:{self.pk}", *([f"account:{self.account_id}"] if self.state == KeyState.EXHAUSTED else [])]
        self.mark(KeyState.READY, reason)
        for scope in scopes:
            tell_gateway("cooldown", scope)


def clean_secret(text: str) -> str:
    """The secret without the blanks of a careless paste. Raises ValidationError when it cannot stand in a header."""
    plain = text.strip()
    if len(plain) > 4096:
        raise ValidationError("A key has at most 4096 characters; this looks like a whole file.")
    if not plain.isascii() or not plain.isprintable() or " " in plain:
        raise ValidationError("A key is one word of plain ASCII characters: no blanks or line breaks inside.")
    return plain
