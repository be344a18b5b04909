"""What changed in a listing: told facts only, and broken listings not believed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.catalog import Change, ChangeKind, Known, Refused, diff

LLAMA = Known(
    "llama-3.3-70b",
    context=131_072,
    max_output=32_768,
    tools=True,
    json_schema=False,
    price_in=1e-7,
    price_out=4e-7,
)
SILENT = Known("llama-3.3-70b")  # a listing that tells the name and nothing else


def only(known: Known, listed: Known) -> Change:
    changes = diff([known], [listed])
    assert isinstance(changes, list)
    assert len(changes) == 1, changes
    return changes[0]


def models(count: int, start: int = 0) -> list[Known]:
    return [Known(f"model-{n:03}") for n in range(start, start + count)]


def test_nothing_changed():
    assert diff([LLAMA], [LLAMA]) == []
    assert diff([], []) == []


def test_a_new_model_comes_with_what_is_told_of_it():
    assert diff([], [LLAMA]) == [
        Change("llama-3.3-70b", ChangeKind.NEW, None, {
            "context": 131_072, "max_output": 32_768, "tools": True, "json_schema": False,
            "price_in": 1e-7, "price_out": 4e-7, "free": False, "reasoning": False, "input_modalities": ["text"],
        })
    ]  # fmt: skip


def test_a_model_that_is_not_listed_any_more_has_vanished_once():
    other = Known("other")
    changes = diff([LLAMA, other], [other])
    assert isinstance(changes, list)
    assert [(c.model, c.kind, c.after) for c in changes] == [("llama-3.3-70b", ChangeKind.VANISHED, None)]
    assert diff([replace(LLAMA, gone=True), other], [other]) == []


def test_a_model_that_is_listed_again_is_back_and_its_changes_with_it():
    changes = diff([replace(LLAMA, gone=True)], [replace(LLAMA, context=8_192)])
    assert isinstance(changes, list)
    assert [c.kind for c in changes] == [ChangeKind.BACK, ChangeKind.CONTEXT]


def test_a_price_change_holds_only_the_price_that_changed():
    assert only(LLAMA, replace(LLAMA, price_out=5e-7)) == Change(
        "llama-3.3-70b", ChangeKind.PRICE, {"price_out": 4e-7}, {"price_out": 5e-7}
    )
    assert only(replace(LLAMA, price_in=None), LLAMA).before == {"price_in": None}


def test_a_price_that_only_lost_its_last_digits_has_not_changed():
    assert diff([LLAMA], [replace(LLAMA, price_in=1.0000000000001e-7)]) == []
    assert diff([replace(LLAMA, price_in=0.0)], [replace(LLAMA, price_in=0)]) == []
    assert diff([replace(LLAMA, price_in=1)], [replace(LLAMA, price_in=1.0000000001)]) == []


def test_a_price_of_nothing_is_a_price():
    assert only(LLAMA, replace(LLAMA, price_in=0.0)).after == {"price_in": 0.0}


def test_free_is_news_at_once_and_not_free_only_when_a_price_is_told():
    free = replace(SILENT, free=True)
    assert only(SILENT, free) == Change("llama-3.3-70b", ChangeKind.FREE, {"free": False}, {"free": True})
    assert diff([free], [SILENT]) == []
    changes = diff([free], [replace(SILENT, price_in=1e-6)])
    assert isinstance(changes, list)
    assert [c.kind for c in changes] == [ChangeKind.PRICE, ChangeKind.FREE]
    changes = diff([free], [replace(SILENT, price_out=1e-6)])
    assert isinstance(changes, list)
    assert ChangeKind.FREE in [c.kind for c in changes]


def test_context_and_largest_output_are_one_change():
    assert only(LLAMA, replace(LLAMA, context=8_192, max_output=1_024)) == Change(
        "llama-3.3-70b",
        ChangeKind.CONTEXT,
        {"context": 131_072, "max_output": 32_768},
        {"context": 8_192, "max_output": 1_024},
    )


def test_features_that_are_told_change_both_ways():
    assert only(LLAMA, replace(LLAMA, tools=False)).after == {"tools": False}
    assert only(LLAMA, replace(LLAMA, json_schema=True)).kind is ChangeKind.FEATURES


def test_modalities_and_reasoning_are_news_only_when_they_are_more_than_the_bare_default():
    eyes = replace(LLAMA, input_modalities=("text", "image"), reasoning=True)
    assert only(LLAMA, eyes).after == {"input_modalities": ["image", "text"], "reasoning": True}
    assert diff([eyes], [LLAMA]) == []
    assert diff([eyes], [replace(eyes, input_modalities=("image", "text"))]) == []
    assert only(eyes, replace(eyes, input_modalities=("text", "audio"))).before == {
        "input_modalities": ["image", "text"]
    }


def test_a_date_of_expiry_is_told():
    assert only(LLAMA, replace(LLAMA, expires="2027-01-01")) == Change(
        "llama-3.3-70b", ChangeKind.EXPIRES, {"expires": None}, {"expires": "2027-01-01"}
    )


def test_an_announced_end_is_taken_back_only_when_the_listing_says_so():
    doomed = replace(LLAMA, expires="2027-01-01")
    assert diff([doomed], [LLAMA]) == []
    assert only(doomed, replace(LLAMA, expires="")).after == {"expires": None}
    assert diff([LLAMA], [replace(LLAMA, expires="")]) == []


def test_what_never_stood_in_a_listing_is_no_reason_to_doubt_one_without_it():
    hopes = [replace(one, listed=False) for one in models(30, start=100)]
    changes = diff([*models(10), *hopes], models(10))
    assert isinstance(changes, list)
    assert {change.kind for change in changes} == {ChangeKind.VANISHED}
    assert len(changes) == 30


def test_what_a_listing_does_not_tell_is_no_change():
    known = replace(LLAMA, reasoning=True, free=True, expires="2027-01-01", input_modalities=("text", "image"))
    assert diff([known], [SILENT]) == []


def test_an_empty_listing_is_not_believed_even_when_it_says_so_twice():
    for confirmed in (False, True):
        assert diff(models(1), [], confirmed=confirmed) == Refused("the listing is empty, but 1 models are known")
    assert diff([replace(LLAMA, gone=True)], []) == []


def test_a_listing_without_half_of_the_models_is_not_believed_until_it_is_confirmed():
    assert diff(models(10), models(4)) == Refused("only 4 of 10 known models are listed")
    assert diff(models(10), models(10, start=6)) == Refused("only 4 of 10 known models are listed")
    changes = diff(models(10), models(4), confirmed=True)
    assert isinstance(changes, list)
    assert {c.kind for c in changes} == {ChangeKind.VANISHED}


def test_a_listing_with_half_of_the_models_or_of_a_few_is_believed():
    for known, listed, vanished in ((10, 5, 5), (9, 1, 8)):
        changes = diff(models(known), models(listed))
        assert isinstance(changes, list)
        assert len(changes) == vanished


def test_models_known_to_be_gone_do_not_make_a_listing_doubtful():
    gone = [replace(one, gone=True) for one in models(100, start=10)]
    assert diff([*models(10), *gone], models(10)) == []


def test_the_first_of_two_offers_with_one_name_counts_and_a_nameless_one_does_not():
    assert diff([LLAMA], [LLAMA, replace(LLAMA, context=1), Known(""), Known("  ")]) == []
    assert diff(models(1), [Known("")]) == Refused("the listing is empty, but 1 models are known")


def test_changes_come_in_one_order():
    known = [Known("b"), Known("a", gone=True), Known("z")]
    changes = diff(known, [Known("c"), Known("b", expires="x", context=1), Known("a", price_in=1.0)])
    assert isinstance(changes, list)
    assert [(c.model, str(c.kind)) for c in changes] == [
        ("a", "back"), ("a", "price"), ("b", "context"), ("b", "expires"), ("c", "new"), ("z", "vanished"),
    ]  # fmt: skip


NAMES = st.text(alphabet="abc:/\0\ud800", min_size=1, max_size=4).filter(str.strip)
OFFERS = st.builds(
    Known,
    NAMES,
    context=st.none() | st.integers(1, 3),
    max_output=st.none() | st.integers(1, 3),
    input_modalities=st.sampled_from([("text",), ("text", "image"), ("image", "text")]),
    tools=st.none() | st.booleans(),
    json_schema=st.none() | st.booleans(),
    reasoning=st.booleans(),
    price_in=st.none() | st.floats(0, 1),
    price_out=st.none() | st.floats(0, 1),
    free=st.booleans(),
    expires=st.none() | st.sampled_from(["", "2027-01-01", "2028-01-01"]),
    gone=st.booleans(),
    listed=st.booleans(),
)
CATALOGUES = st.lists(OFFERS, max_size=14, unique_by=lambda offer: offer.model)


@given(CATALOGUES, CATALOGUES)
def test_every_difference_is_told_once_and_can_be_kept_as_json(known, listed):
    changes = diff(known, listed, confirmed=True)
    if isinstance(changes, Refused):
        assert not listed
        return
    kinds = [(change.model, change.kind) for change in changes]
    assert len(kinds) == len(set(kinds))
    ours, theirs = {one.model for one in known}, {one.model for one in listed}
    assert {model for model, kind in kinds if kind is ChangeKind.NEW} == theirs - ours
    assert {model for model, kind in kinds if kind is ChangeKind.VANISHED} == {
        o.model for o in known if not o.gone
    } - theirs
    assert {model for model, kind in kinds if kind is ChangeKind.BACK} == {o.model for o in known if o.gone} & theirs
    for change in changes:
        assert change.before != change.after
        json.dumps([change.before, change.after])


@given(CATALOGUES)
def test_taking_every_change_over_leaves_none(listed):
    offers = [replace(one, gone=False) for one in listed]
    assert diff(offers, offers) == []


@given(CATALOGUES, CATALOGUES)
def test_a_change_that_was_taken_over_is_not_told_again(known, listed):
    changes = diff(known, listed, confirmed=True)
    if isinstance(changes, Refused):
        return
    ours = {one.model: one for one in known} | {o.model: replace(o, gone=False) for o in listed if o.model not in
                                                {one.model for one in known}}  # fmt: skip
    for change in changes:
        match change.kind:
            case ChangeKind.VANISHED:
                ours[change.model] = replace(ours[change.model], gone=True)
            case ChangeKind.BACK:
                ours[change.model] = replace(ours[change.model], gone=False)
            case ChangeKind.NEW:
                pass
            case _:
                assert change.after is not None
                ours[change.model] = replace(ours[change.model], **change.after)
    assert diff(ours.values(), listed, confirmed=True) == []


@pytest.mark.parametrize("kind", list(ChangeKind))
def test_the_kinds_are_the_words_that_are_stored(kind):
    assert kind in {"new", "vanished", "back", "price", "free", "context", "features", "expires"}
