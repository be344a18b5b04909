"""Which deployments can serve a call at all, whatever their health, and why the others cannot.

Two tables: what a call may need of a model, and what a kind of provider takes in one request. What is not known is
given the benefit of the doubt; what a provider has refused before is remembered as a lack and believed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rotation.core.targets import Deployment, Needs

MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Feature:
    """Something a call may use. `known` is what listings say of it, None for nothing; `lacks` its names in refusals."""

    name: str
    words: str
    wanted: Callable[[Needs], bool]
    known: Callable[[Deployment], bool | None] = lambda _: None
    lacks: frozenset[str] = frozenset()

    def missing(self, deployment: Deployment) -> bool:
        return self.known(deployment) is False or not deployment.lacks.isdisjoint({self.name, *self.lacks})


_FORMAT = frozenset({"response_format"})  # refused as a whole, no form of it is taken

FEATURES: Sequence[Feature] = (
    Feature("tools", "tools", lambda n: n.tools, lambda d: d.tools),
    Feature("parallel_tools", "parallel tools", lambda n: n.parallel_tools, lambda d: d.parallel_tools),
    Feature("json_schema", "json schema", lambda n: n.json_schema, lambda d: d.json_schema, _FORMAT),
    Feature("json_mode", "json mode", lambda n: n.json_mode, lacks=_FORMAT),
    Feature("images", "images", lambda n: n.images > 0, lambda d: d.images),
    Feature("stream", "streaming", lambda n: n.stream),
    Feature("n", "several choices (n)", lambda n: n.choices > 1),
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a provider takes in one request; None where it has named no bound. `inline` is bytes of pictures sent in
    the body itself.
    """

    images: int | None = None
    inline: int | None = None
    choices: int | None = None


#: By kind of provider. Groq: five pictures, 4 MB of them as base64, one choice; OpenAI: 500 pictures, 50 MB.
BOUNDS: Mapping[str, Bounds] = {
    "groq": Bounds(images=5, inline=4 * MB, choices=1),
    "openai": Bounds(images=500, inline=50 * MB),
}
ANY = Bounds()


def wanted(needs: Needs) -> tuple[Feature, ...]:
    """The features a call uses: the same for every deployment it could go to."""
    return tuple(feature for feature in FEATURES if feature.wanted(needs))


def unfit(
    deployment: Deployment, needs: Needs, kind: str = "", features: Sequence[Feature] | None = None
) -> str | None:
    """Why this deployment of a provider of this kind cannot serve these needs; None when it can, as far as is known.

    `features` are those `wanted`, where they are known already.
    """
    if deployment.type != needs.type:
        return f"this model is for {deployment.type}, the call is for {needs.type}"
    for feature in wanted(needs) if features is None else features:
        if feature.missing(deployment):
            return f"the call uses {feature.words}, which this model does not support"
    return _too_much(needs, BOUNDS.get(kind, ANY)) or _too_long(deployment, needs)


def _too_much(needs: Needs, bounds: Bounds) -> str | None:
    if bounds.images is not None and needs.images > bounds.images:
        return f"the call holds {needs.images} images, this provider takes {bounds.images} in one request"
    if bounds.inline is not None and needs.image_bytes > bounds.inline:
        size = needs.image_bytes / MB
        return f"the call holds {size:.1f} MB of images, this provider takes {bounds.inline / MB:.0f} MB in one request"
    if bounds.choices is not None and needs.choices > bounds.choices:
        return f"the call asks for {needs.choices} choices (n), this provider gives {bounds.choices}"
    return None


def _too_long(deployment: Deployment, needs: Needs) -> str | None:
    want = needs.prompt_tokens + (needs.max_output or 0)
    if deployment.context is not None and want > deployment.context:
        return f"the call needs about {want:,} tokens of context, this model has {deployment.context:,}"
    if deployment.max_output is not None and (needs.max_output or 0) > deployment.max_output:
        return f"the call asks for {needs.max_output:,} tokens, this model gives at most {deployment.max_output:,}"
    return None


def refused_feature(feature: str | None, needs: Needs) -> str | None:
    """What was really refused, where a refusal's words fit two forms of a response and the call used the other one."""
    if feature == "json_schema" and needs.json_mode and not needs.json_schema:
        return "json_mode"
    return feature
