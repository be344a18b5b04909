"""Selection is remembered only where it would say the same again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rotation.core.cooldown import Cooldown
from rotation.core.failures import FailureKind
from rotation.core.selection import select
from rotation.core.targets import Needs
from rotation.replay.stage import Stage
from tests.replay.parts import NOON, scenario, target

needs = st.builds(
    Needs,
    prompt_tokens=st.integers(0, 9000),
    max_output=st.none() | st.integers(1, 5000),
    tools=st.booleans(),
    images=st.integers(0, 2),
    stream=st.booleans(),
    json_schema=st.booleans(),
    type=st.sampled_from(["chat", "embedding"]),
)
scopes = st.sampled_from(["account:1", "deployment:2", "key:3", "provider:9"])


@given(st.lists(st.tuples(needs, st.none() | scopes), min_size=1, max_size=12))
def test_candidates_are_always_those_of_select(asks):
    play = scenario(
        [target(1, context=8000), target(2, tools=False, max_output=2000), target(3, images=False, context=4000)]
    )
    stage = Stage(play, start=NOON, seed=1)
    for wanted, trouble in asks:
        if trouble:
            stage.health.cooldowns[trouble] = Cooldown(NOON + 60, FailureKind.OVERLOADED, "", 1, guessed=True)
        everybody = [t for found in play.targets.values() for t in found]
        assert stage.candidates(wanted) == select(everybody, wanted, play.policy, stage.health.standing)
