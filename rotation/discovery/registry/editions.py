"""The registry's version: it rises when the registry is not what it was at the last one."""

from __future__ import annotations

from rotation.control.by import By
from rotation.discovery.registry.document import Document
from rotation.discovery.registry.stored import stored
from rotation.discovery.registry.writing import digest
from rotation.models import RegistryEdition


def version(document: Document) -> int:
    """What a document's version is or, when it is new, will be."""
    latest = RegistryEdition.objects.first()
    if latest is None:
        return max(1, document.version)
    return latest.version if latest.digest == digest(document) else max(latest.version + 1, document.version)


def note(by: By, *, document: Document | None = None, at_least: int = 0) -> RegistryEdition:
    """Remember the registry as it is now (the real providers', unless a document is given)."""
    document = document or stored()
    document.version = at_least
    number = version(document)
    row, _ = RegistryEdition.objects.get_or_create(
        version=number, defaults={"digest": digest(document), "by": by.actor}
    )
    return row
