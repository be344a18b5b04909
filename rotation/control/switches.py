"""The choices for the whole installation, turned."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from rotation import switches
from rotation.control.by import By
from rotation.control.fields import unstorable
from rotation.models import KeptPrompt, Switch

MOST = {"keep_prompts_days": (1, 365)}
LONGEST = 200


def set_value(by: By, name: str, value: Any) -> Any:
    """What holds from now on. Turning `keep_prompts` off erases every prompt that was kept.

    Raises ValidationError on the switch's name.
    """
    wanted = _checked(name, value)
    with transaction.atomic():
        before = switches.value(name)
        facts = {}
        if name == "keep_prompts" and wanted is False:
            erased, _ = KeptPrompt.objects.all().delete()
            facts = {"prompts_erased": erased} if erased else {}
        row, _ = Switch.objects.update_or_create(name=name, defaults={"value": wanted})
        if before != wanted or facts:
            by.turned("set", row, {"value": before}, {"value": wanted, **facts})
    return wanted


def _checked(name: str, value: Any) -> Any:
    if name not in switches.CHOICES:
        raise ValidationError({name: f"There is no such choice; there are: {', '.join(switches.CHOICES)}."})
    try:
        wanted = switches.checked(name, value)
    except ValueError as wrong:
        raise ValidationError({name: str(wrong)}) from None
    low, high = MOST.get(name, (0, 10**9))
    if type(wanted) is int and not low <= wanted <= high:
        raise ValidationError({name: f"Write a number from {low} to {high}."})
    if isinstance(wanted, str) and (trouble := unstorable(wanted) or _too_long(wanted)):
        raise ValidationError({name: trouble})
    return wanted


def _too_long(text: str) -> str:
    return f"At most {LONGEST} characters." if len(text) > LONGEST else ""
