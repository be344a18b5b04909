"""Forms and the way of views that change something."""

from __future__ import annotations

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.test import Client, RequestFactory

from dashboard.acting import acted, gone_to, safe_next
from dashboard.forms import Form, Json


class Small(Form):
    sets = (("Framed", ("size", "missing"), "why"),)
    name = forms.CharField(label="Name")
    size = forms.IntegerField(label="Size", required=False)


def sent(**typed: str) -> Small:
    form = Small(typed, initial={"name": "old", "size": 3})
    form.is_valid()
    return form


def test_what_a_control_function_refuses_stands_beside_its_field_and_the_rest_above():
    form = sent(name="x")
    form.take(ValidationError({"size": "too large", "colour": "unknown", "__all__": "and that"}))
    assert form.errors["size"] == ["too large"]
    assert set(form.non_field_errors()) == {"colour: unknown", "and that"}
    form.take(ValidationError("as a whole"))
    assert "as a whole" in form.non_field_errors()


def test_only_what_was_changed_is_a_change():
    assert sent(name="old", size="3").changes == {}
    assert sent(name="new", size="3").changes == {"name": "new"}


def test_fields_stand_in_their_frames_and_the_others_first():
    frames = [(frame.legend, [field.name for field in frame.fields], frame.hint) for frame in sent(name="x").framed()]
    assert frames == [("", ["name"], ""), ("Framed", ["size"], "why")]


def test_text_that_cannot_be_stored_is_refused_at_its_field():
    assert "name" in sent(name="half \ud800 a character").errors
    assert "name" in sent(name="a\0b").errors


def refuse() -> None:
    raise ValidationError({"name": "taken"})


@pytest.mark.parametrize("typed", ["[" * 100_000, "9" * 5000, "{"], ids=["without an end", "endless", "broken"])
def test_json_that_cannot_be_read_is_said_so_and_stays(typed: str):
    class Typed(Form):
        more = Json(label="More")

    form = Typed({"more": typed})
    assert not form.is_valid()
    assert typed in form.as_p().replace("&quot;", '"')


def test_nothing_is_done_before_the_form_is_in_order_and_a_refusal_shows_it_again():
    done: list[int] = []
    get, post = RequestFactory().get("/"), RequestFactory().post("/")
    assert acted(get, sent(name="x"), lambda: done.append(1)) is None
    assert acted(post, sent(name=""), lambda: done.append(1)) is None
    assert done == []
    form = sent(name="x")
    assert acted(post, form, refuse) is None
    assert form.errors["name"] == ["taken"]
    again = acted(post, sent(name="x"), lambda: 7)
    assert again is not None
    assert again.value == 7


def test_a_form_never_leads_to_somebody_elses_page():
    for elsewhere in ("https://evil.example/", "//evil.example", "javascript:alert(1)", ""):
        assert safe_next(RequestFactory().post("/", {"next": elsewhere})) == ""
    assert safe_next(RequestFactory().post("/", {"next": "/providers/"})) == "/providers/"


def test_a_script_is_told_where_to_go_a_browser_is_sent():
    assert gone_to(RequestFactory().post("/"), "/there/").status_code == 302
    told = gone_to(RequestFactory().post("/", headers={"HX-Request": "true"}), "/there/")
    assert told.headers["HX-Redirect"] == "/there/"


def test_the_style_page_shows_every_kind_of_field_and_its_form_says_what_is_wrong(page: Client):
    text = page.get("/style/").text
    for piece in ("<select", "<textarea", 'type="password"', 'type="checkbox"', 'type="datetime-local"', "<dialog"):
        assert piece in text
    assert page.post("/style/form/", {"name": ""}).status_code == 422
    good = {"name": "n", "address": "a", "strategy": "ordered"}
    assert "Nothing was changed" in page.post("/style/form/", good, follow=True).text
