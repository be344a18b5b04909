"""Living models near to one that is gone or misspelt, from the database: for pages, the API and commands.

The gateway answers the same from its snapshot, with `rotation.core.likeness` alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from rotation.core.anatomy import anatomy
from rotation.core.likeness import nearest
from rotation.discovery.reach import reachable
from rotation.discovery.wishes import kind
from rotation.models import Deployment
from rotation.models.catalog import OUT


@dataclass(frozen=True, slots=True)
class Alternative:
    """`same`: the model itself, at another provider."""

    deployment: Deployment
    same: bool


def of(model: str, *, count: int = 3) -> list[Alternative]:
    """The nearest living deployments a call can reach, the nearest first; of the same kind when the model is known.

    `model` is a model id or `provider/model`, known or not.
    """
    asked = _known(model)
    living = Deployment.objects.filter(provider__in=reachable()).exclude(status__in=OUT).select_related("provider")
    if asked is not None:
        living = living.exclude(pk=asked.pk)
    name = asked.model_id if asked else model
    wanted = kind(asked) if asked else None
    by_name: dict[str, list[Deployment]] = {}
    for one in living.order_by("provider__priority", "id"):
        if wanted in {None, kind(one)}:
            by_name.setdefault(one.model_id, []).append(one)
    twins = by_name.pop(name, []) if asked else []
    parts = anatomy(name)
    found = [Alternative(one, same=True) for one in twins]
    for near in nearest(name, by_name, count):
        same = (anatomy(near).name, anatomy(near).variant) == (parts.name, parts.variant)
        found.append(Alternative(by_name[near][0], same))
    return found[:count]


def _known(model: str) -> Deployment | None:
    if not model.isprintable():  # which no id is, and no query could ask for
        return None
    provider, _, rest = model.partition("/")
    rows = Deployment.objects.select_related("provider")
    return (
        rows.filter(provider__name=provider, model_id=rest).first()
        or rows.filter(model_id=model).order_by("provider__priority").first()
    )
