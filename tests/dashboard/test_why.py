"""Why, why not, and what would be chosen today, on a request's page: with htmx, without scripts, with hostile names."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from dashboard.story import needs_words
from rotation.models import Cooldown, Deployment
from tests.dashboard.calls import HOSTILE
from tests.why.world import NEEDS, World

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def small(db: None) -> World:
    return World()


class Tags(HTMLParser):
    """What a browser would take for tags, attributes, and scripts within the page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.inline = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script":
            self.inline += data


def text_of(html: str) -> str:
    """What a reader sees, in one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", html)).replace("&#x27;", "'")


def test_the_page_says_what_todays_policy_would_do(page: Client, small: World):
    small.past(small.ada, ["ok"] * 9, hours=2, total=1_700)
    text = text_of(page.get(f"/requests/{small.rotated()}/").text)
    assert "With today’s policy It would go to ada first (it was tried then), expected 1.7" in text
    assert "policy v41, code pool" in text
    assert "tools · 2,060 tokens of context · streaming" in text
    assert "5,400 of 12,000 tokens left this minute, this call needs about 2,060" in text


def test_what_would_be_passed_over_today_says_why(page: Client, small: World):
    until = timezone.now() + timedelta(minutes=2)
    Cooldown.objects.create(scope=f"deployment:{small.ada.pk}", until=until, kind="upstream_busy", reason="busy there")
    text = text_of(page.get(f"/requests/{small.rotated()}/").text)
    assert "It would go to bob first (the same as then); its time is not known yet." in text or "expected 2.1" in text
    assert "–adacoolingbusy there" in text


def test_nobody_could_answer_today(page: Client, small: World):
    uuid = small.rotated()
    small.key.delete()
    assert "Nobody could answer such a call now." in page.get(f"/requests/{uuid}/").text


def test_why_not_without_scripts_is_the_whole_page(page: Client, small: World):
    answer = page.get(f"/requests/{small.rotated()}/why-not/", {"model": "groq/maker/cyd"})
    text = text_of(answer.text)
    assert "<h1>Request" in answer.text
    assert 'value="groq/maker/cyd"' in answer.text
    assert "It stood ready at place 3 of 3, but its turn never came. groq/maker/bob stood before it" in text
    assert 'aria-current="page">Requests' in answer.text


def test_why_not_for_htmx_is_the_answer_alone(page: Client, small: World):
    answer = page.get(f"/requests/{small.rotated()}/why-not/", {"model": "maker/eve"}, headers=HTMX)
    assert text_of(answer.text).strip() == (
        "maker/eveIt was not in the pool code then, so it was never considered. "
        "Under today's policy it is not among those that would be considered."
    )
    assert "HX-Request" in answer["vary"]


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("model", ["", "  ", HOSTILE, "\0", "{{ 7|add:7 }}", "</datalist><script>"])
def test_a_hostile_name_stays_text(page: Client, small: World, model: str, headers: dict[str, str]):
    Deployment.objects.filter(pk=small.cyd.pk).update(model_id=HOSTILE[:200])
    trace = [small.row(small.ada, "tried", HOSTILE), {"target": HOSTILE, "state": HOSTILE, "why": HOSTILE}]
    answer = page.get(f"/requests/{small.rotated(trace=trace)}/why-not/", {"model": model}, headers=headers)
    assert answer.status_code == 200
    read = Tags()
    read.feed(answer.text)
    assert [tag for tag in read.tags if tag == "img"] == []
    assert all(name != "style" and not name.startswith("on") for name in read.attributes)
    assert read.inline == ""
    if model.startswith("{{"):
        assert model in answer.text


def test_an_unknown_request_and_a_stranger(page: Client, client: Client, small: World):
    assert page.get(f"/requests/{uuid4()}/why-not/").status_code == 404
    assert Client().get(f"/requests/{small.rotated()}/why-not/").status_code == 302
    assert page.post(f"/requests/{small.rotated()}/why-not/").status_code == 405


def test_why_not_asks_one_question_more_at_most(
    page: Client, small: World, django_assert_max_num_queries: DjangoAssertNumQueries
):
    uuid = small.rotated()
    with django_assert_max_num_queries(24):
        page.get(f"/requests/{uuid}/why-not/", {"model": "maker/eve"}, headers=HTMX)


def test_the_page_links_to_the_same_as_json(page: Client, small: World):
    uuid = small.rotated()
    found = re.search(r'href="(/api/[^"]+)"', page.get(f"/requests/{uuid}/").text)
    assert found is not None
    assert page.get(found[1]).json()["id"] == str(uuid)


@pytest.mark.parametrize(
    ("needs", "words"),
    [
        (NEEDS, "tools · 2,060 tokens of context · streaming"),
        ({"prompt_tokens": 10, "images": 2}, "images · 10 tokens of context"),
        ({}, ""),
        ({"prompt_tokens": "x"}, "0 tokens of context"),
    ],
)
def test_needs_in_a_few_words(needs: dict[str, object], words: str):
    assert needs_words(needs) == words
