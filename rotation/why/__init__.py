"""Why a call went where it went: read from what was stored, and asked again of the present policy. Sends nothing."""

from __future__ import annotations

from rotation.why.answers import NotStored, explain, explained, why_not

__all__ = ["NotStored", "explain", "explained", "why_not"]
