"""Editions of the registry: its version rises with each real change that was exported or imported."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class RegistryEdition(models.Model):
    """What the registry was at one version, as a digest: two exports of the same registry have the same version."""

    version = models.PositiveIntegerField(unique=True)
    digest = models.CharField(max_length=64)
    by = models.CharField(max_length=150)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-version"]

    def __str__(self) -> str:
        return f"registry version {self.version}"
