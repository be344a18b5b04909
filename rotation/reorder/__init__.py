"""Pools put in the order that was measured: what the evidence is, what follows from it, and taking it back."""

from __future__ import annotations

from rotation.reorder.orders import NotUndone, undo

__all__ = ["NotUndone", "undo"]
