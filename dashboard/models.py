"""The dashboard's only table: how long a name must wait after wrong passwords."""

from __future__ import annotations

from django.db import models


class SignInDelay(models.Model):
    """Tries of one account name from one address (as a digest: no names of people who are no users are stored)."""

    subject = models.CharField(max_length=64, primary_key=True)
    tries = models.PositiveIntegerField(default=0)
    until = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.subject[:8]}: {self.tries} tries"
