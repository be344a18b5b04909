"""Forms with a file, read while they come: cut anywhere, broken anyhow, and nothing left behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.gateway.envelope import Refusal
from rotation.gateway.forms import Form, clean_file_name, read_form
from tests.gateway.uploading import BOUNDARY, FORM, SPEECH, cut, form


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uploads")


def read(folder: Path, body: bytes, *at: int, content_type: str = FORM) -> tuple[Form, bytes]:
    async def story() -> tuple[Form, bytes]:
        found = await read_form(content_type, cut(body, *at), folder)
        content = b"".join([piece async for piece in found.pieces()])
        assert content == b"".join([piece async for piece in found.pieces()]), "it can be read again"
        found.close()
        return found, content

    return asyncio.run(story())


def refused(folder: Path, body: bytes, *at: int, content_type: str = FORM) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read(folder, body, *at, content_type=content_type)
    assert list(folder.iterdir()) == []
    return caught.value


def test_a_form_is_read(folder):
    found, content = read(folder, form(model="auto", language="de"))
    assert (found.fields, content) == ((("model", "auto"), ("language", "de")), SPEECH)
    assert (found.name, found.type, found.size) == ("speech.mp3", "audio/mpeg", len(SPEECH))
    assert (found.get("model"), found.get("prompt")) == ("auto", None)
    assert list(folder.iterdir()) == []


@given(st.lists(st.integers(0, 2_000), max_size=8), st.binary(max_size=1500))
def test_wherever_it_is_cut_it_is_the_same(folder, places, content):
    if f"\r\n--{BOUNDARY}".encode() in content:
        return
    found, read_content = read(folder, form(content, model="auto"), *places)
    assert (found.fields, read_content) == ((("model", "auto"),), content)


def test_a_file_that_is_nearly_a_boundary_is_a_file(folder):
    near = f"\r\n--{BOUNDARY[:-1]}\r\n--{BOUNDARY[:-1]}x--\r\n\r\n-".encode() * 100
    for step in (1, 7, 4096):
        assert read(folder, form(near), *range(0, len(near) + 200, step))[1] == near


@pytest.mark.parametrize(
    ("content_type", "words"),
    [
        ("", "multipart/form-data"),
        ("application/json", "multipart/form-data"),
        ("multipart/form-data", "boundary"),
        ("multipart/form-data; boundary=", "boundary"),
        ("multipart/mixed; boundary=x", "multipart/form-data"),
        (f"multipart/form-data; boundary={'b' * 71}", "longer than 70"),
    ],
)
def test_what_is_no_form_is_said_to_be_none(folder, content_type, words):
    refusal = refused(folder, form(), content_type=content_type)
    assert (refusal.status, refusal.code) == (400, "invalid_form")
    assert words in refusal.message


def part(head: str, content: bytes = b"x") -> bytes:
    return f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        (b"", "invalid_form", None),
        (b"no form at all", "invalid_form", None),
        (END, "missing_file", "file"),
        (form()[:-10], "invalid_form", None),
        (form()[:200], "invalid_form", None),
        (part('Content-Disposition: form-data; name="model"') + END, "missing_file", "file"),
        (part("Content-Type: text/plain") + END, "invalid_form", None),
        (part('Content-Disposition: form-data; name=""') + END, "invalid_form", None),
        (part(f'Content-Disposition: form-data; name="{"n" * 101}"') + END, "invalid_form", None),
        (part('Content-Disposition: form-data; name="a\tb"') + END, "invalid_form", None),
        (part('Content-Disposition: attachment; name="file"; filename="a"') + END, "invalid_form", None),
        (part('Content-Disposition: form-data; name="prompt"', b"\xff") + END, "invalid_value", "prompt"),
        (part('Content-Disposition: form-data; name="prompt"', b"a\0b") + END, "invalid_value", "prompt"),
        (part('Content-Disposition: form-data; name="prompt"', b"p" * 65_537) + END, "too_long", "prompt"),
        (part('Content-Disposition: form-data; name="image"; filename="a.png"') + END, "too_many_files", "image"),
        (form()[: -len(END)] + form(), "too_many_files", "file"),
        (part("X: " + "h" * 5000) + END, "invalid_form", None),
        (part("\r\n".join(f"X-{i}: y" for i in range(9))) + END, "invalid_form", None),
        (part('Content-Disposition: form-data; name="a"') * 101 + form(), "invalid_form", None),
    ],
)
def test_a_bad_form_is_refused_and_what_is_wrong_is_named(folder, body, code, param):
    refusal = refused(folder, body)
    assert (refusal.status, refusal.code, refusal.param) == (400, code, param)


def status_of(folder: Path, body: bytes, *at: int) -> int:
    try:
        read(folder, body, *at)
    except Refusal as refusal:
        return refusal.status
    return 200


@given(st.binary(max_size=600), st.lists(st.integers(0, 600), max_size=4))
def test_random_bytes_are_refused_or_read_and_nothing_else(folder, body, places):
    assert status_of(folder, body, *places) in (200, 400)
    assert list(folder.iterdir()) == []


@given(st.data())
def test_a_form_with_random_damage_is_refused_or_read_and_nothing_else(folder, data):
    good = bytearray(form(b"sound " * 20, model="auto"))
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(good) - 1))
        good[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    assert status_of(folder, bytes(good), data.draw(st.integers(0, len(good)))) in (200, 400)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("given_", "clean"),
    [
        ("speech.mp3", "speech.mp3"),
        ("C:\\Users\\me\\a b.wav", "a b.wav"),
        ("../../etc/passwd", "passwd"),
        ('x"; name="model', "x__ name=_model"),
        ("a\r\nb.mp3", "a__b.mp3"),
        ("Übung №1.flac", "Übung №1.flac"),
        ("", "audio"),
        ("...", "audio"),
        ("n" * 300 + ".webm", "n" * 83 + ".webm"),
        ("x\u202e3pm.exe", "x_3pm.exe"),
    ],
)
def test_a_file_name_keeps_its_extension_and_nothing_dangerous(given_, clean):
    assert clean_file_name(given_) == clean


@given(st.text(max_size=300))
def test_a_clean_file_name_fits_a_header(name):
    clean = clean_file_name(name)
    assert clean
    assert len(clean) <= 100
    assert clean.isprintable()
    assert not set(clean) & set('"\\/;:\r\n')


def test_a_disk_without_room_is_said_to_be_full(tmp_path):
    nowhere = tmp_path / "file"
    nowhere.write_text("not a folder")
    with pytest.raises(Refusal) as caught:
        read(nowhere / "uploads", form())
    assert (caught.value.status, caught.value.code) == (503, "no_room")
