"""What a deployment's row claims, as the suite wants to know it."""

from __future__ import annotations

from rotation.discovery.verify.questions import Facts
from rotation.models import Deployment


def facts_of(deployment: Deployment, room: int | None) -> Facts:
    """`room` is the most tokens one request may take, None for any."""
    return Facts(
        context=deployment.context,
        max_output=deployment.max_output,
        tools=deployment.tools,
        parallel_tools=deployment.parallel_tools,
        json_schema=deployment.json_schema,
        images=deployment.images,
        reasoning=deployment.reasoning,
        room=room,
    )
