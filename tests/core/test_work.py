"""Times at equal work: what was asked makes no model slow or quick."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.work import FLAT, Shape, Try, Work, at_common_work, common_work, shapes, slope


def answers(n: int, *, base: float, per_out: float, out: tuple[int, int], seed: int = 1, per_in: float = 0.0,
            read: tuple[int, int] = (100, 100)) -> list[Try]:  # fmt: skip
    """Answers of sizes in a range, their times scattered by a tenth."""
    chance, found = random.Random(seed), []
    for n_ in range(n):
        wrote, read_ = chance.randint(*out), chance.randint(*read)
        ms = (base + per_out * wrote + per_in * read_) * chance.gauss(1.0, 0.1)
        found.append(Try(float(n_), ms, True, read_, wrote))
    return found


def standardised(tries: dict[int, list[Try]]) -> dict[int, float]:
    work = common_work(tries)
    shaped = shapes(tries, work)
    return {
        one: sum(at_common_work(t, shaped[one], work) for t in many) / len(many) for one, many in tries.items()
    }  # fmt: skip


def test_whoever_got_the_long_answers_to_write_is_not_the_slower_one():
    """The same model twice; one was asked for answers ten times as long."""
    tries = {
        1: answers(200, base=300, per_out=10, out=(20, 400)),
        2: answers(200, base=300, per_out=10, out=(300, 1500), seed=2),
    }
    raw = [sum(t.ms for t in many) / len(many) for many in tries.values()]
    assert raw[1] > 3 * raw[0]
    found = standardised(tries)
    assert found[1] == pytest.approx(found[2], rel=0.1)


def test_long_prompts_are_allowed_for_too():
    tries = {
        1: answers(200, base=500, per_out=0, out=(100, 100), per_in=0.5, read=(50, 2000)),
        2: answers(200, base=500, per_out=0, out=(100, 100), per_in=0.5, read=(1000, 9000), seed=2),
    }
    found = standardised(tries)
    assert found[1] == pytest.approx(found[2], rel=0.1)


def test_a_really_slower_one_stays_slower():
    tries = {
        1: answers(200, base=300, per_out=10, out=(300, 1500)),
        2: answers(200, base=900, per_out=20, out=(20, 400), seed=2),
    }
    found = standardised(tries)
    assert found[2] > 1.5 * found[1]


def test_a_quarter_of_wild_times_moves_no_slope():
    points = [(float(n), 10.0 * n) for n in range(100)]
    wild = [(x, y if n % 5 else 1e6) for n, (x, y) in enumerate(points)]
    assert slope(points) == pytest.approx(10.0)
    assert slope(wild) == pytest.approx(10.0, rel=0.2)
    assert slope([(1.0, 5.0), (2.0, 1.0)]) == 0.0, "more work takes no less time"
    assert slope([]) == slope([(1.0, 1.0)]) == slope([(1.0, 1.0), (1.0, 9.0)]) == 0.0


def test_few_answers_take_the_shape_of_the_others():
    many = answers(400, base=100, per_out=10, out=(20, 800))
    few = answers(4, base=100, per_out=10, out=(20, 800), seed=3)
    work = common_work({1: many, 2: few})
    found = shapes({1: many, 2: few}, work)
    assert found[2].writing == pytest.approx(found[1].writing, rel=0.1)
    assert found[2].writing > 0.8


def test_without_sizes_times_are_left_as_they_are():
    audio = [Try(float(n), 1000.0 + n, True) for n in range(50)]
    work = common_work({1: audio})
    assert work == Work()
    assert shapes({1: audio, 2: []}, work) == {1: FLAT, 2: FLAT}
    assert at_common_work(audio[3], FLAT, work) == 1003.0
    assert common_work({}) == common_work({1: [Try(0.0, 1.0, False, 5, 5)]}) == Work()


SIZES = st.integers(0, 10**7)


@given(SIZES, SIZES, st.floats(0, 1), st.floats(0.001, 1e7), st.floats(0, 1e6), st.floats(0, 1e6))
def test_no_time_is_scaled_out_of_reason(tokens_in, tokens_out, writing, ms, common_in, common_out):
    found = at_common_work(Try(0.0, ms, True, tokens_in, tokens_out), Shape(writing, 1 - writing),
                           Work(common_in, common_out))  # fmt: skip
    assert ms / 20.001 <= found <= ms * 20.001


def test_who_never_tells_its_tokens_is_neither_slow_nor_quick_for_that():
    """The same model twice, the tokens of the second's answers untold: it is taken at its word, its time."""
    told = answers(100, base=300, per_out=10, out=(50, 450))
    untold = [
        replace(one, tokens_in=0, tokens_out=0) for one in answers(100, base=300, per_out=10, out=(50, 450), seed=2)
    ]
    found = standardised({1: told, 2: untold})
    assert found[2] == pytest.approx(sum(one.ms for one in untold) / len(untold))
    assert found[2] == pytest.approx(found[1], rel=0.1)
    assert common_work({1: told, 2: untold}) == common_work({1: told})
