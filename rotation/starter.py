"""What a start puts into the database: the starter catalogue, keys from the environment, simulated providers on or off.

Nothing here asks a provider anything, and nothing an operator edited or deleted is undone (but for one rule, see
`sync_simulation`).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from rotation import sealing
from rotation.control.by import By
from rotation.models import Account, Door, Key, KeySource, Provider, StarterMark
from rotation.models.keys import clean_secret
from rotation.starter_rows import load

__all__ = ["load", "prepare", "simulation_wanted", "sync_simulation", "take_environment_keys"]

ENVIRONMENT = {
    "OPENROUTER_API_KEY": "openrouter",
    "GROQ_API_KEY": "groq",
    "OPENAI_API_KEY": "openai",
    "TOGETHER_API_KEY": "together",
}
SIGN = "simulate"
log = logging.getLogger(__name__)


def prepare() -> bool:
    """Everything a start needs in the database, in order; True when simulated providers answer."""
    load(simulated=False)
    load(simulated=True)
    take_environment_keys()
    return sync_simulation()


@transaction.atomic
def take_environment_keys() -> int:
    """Store the keys of OPENROUTER_API_KEY and its like (several: comma-separated); how many were new.

    The keys of one variable are taken as keys of one account, called "environment": if yours belong to several
    accounts, enter them in the admin instead. A key is taken in once. After that the database rules: one that was
    disabled or deleted there does not come back at the next start, and one that leaves the environment stays.
    """
    return sum(_take_in(variable, kind, text) for variable, kind, text in _in_environment())


def simulation_wanted() -> bool:
    """No real key is enabled, and this is not production."""
    return (
        settings.ROTATION_MODE != "production"
        and not Key.objects.usable().filter(account__provider__simulated=False).exists()
    )


def sync_simulation() -> bool:
    """Simulated providers answer exactly as long as there is nothing real to answer; True when they do."""
    wanted = simulation_wanted()
    switched = Provider.objects.filter(simulated=True, enabled=not wanted)
    if switched.exists():
        with transaction.atomic():
            switched.update(enabled=wanted)
            why = "no real key is enabled" if wanted else "there is a real key, or this is production"
            By("Rotation", Door.JOB).told(f"switch {'on' if wanted else 'off'}", "provider", "simulated", because=why)
        log.info("simulated providers switched %s", "on: no provider key is known" if wanted else "off")
    _tell_the_supervisor(wanted)
    return wanted


def _tell_the_supervisor(wanted: bool) -> None:
    """By a file it looks for: `up` runs the simulator exactly as long as it is there."""
    sign = settings.ROTATION_HOME / SIGN
    if wanted:
        settings.ROTATION_HOME.mkdir(parents=True, exist_ok=True)
        sign.touch()
    else:
        sign.unlink(missing_ok=True)


def _in_environment() -> Iterator[tuple[str, str, str]]:
    for variable, kind in ENVIRONMENT.items():
        for text in os.environ.get(variable, "").split(","):
            if text.strip():
                yield variable, kind, text.strip()


def _take_in(variable: str, kind: str, text: str) -> bool:
    """One key of the environment into the database, unless it was there before."""
    provider = Provider.objects.filter(kind=kind, simulated=False).order_by("-enabled", "priority", "id").first()
    if provider is None:
        log.warning("%s is set, but there is no %s provider to use it with: add one in the admin", variable, kind)
        return False
    try:
        fingerprint = sealing.fingerprint(clean_secret(text))
    except ValidationError as wrong:
        log.warning("%s holds something that cannot be a key: %s", variable, " ".join(wrong.messages))
        return False
    _, first_seen = StarterMark.objects.get_or_create(name=f"environment:{provider.name}:{fingerprint}")
    if not first_seen or provider.keys().filter(fingerprint=fingerprint).exists():
        return False
    account, _ = Account.objects.get_or_create(provider=provider, label="environment")
    key, _ = Key.objects.take_in(account, text, label=variable, source=KeySource.ENVIRONMENT)
    By("environment", Door.COMMAND).added(key)
    return True
