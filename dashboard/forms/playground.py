"""The Playground's form: one question, for one or two sides."""

from __future__ import annotations

from typing import Any

from django import forms

from dashboard.forms import Form, lines, plain
from dashboard.play import HISTORY, Asked, Upload

MIB = 2**20
PICTURE, AUDIO = 8 * MIB, 25 * MIB
PICTURES = ("image/png", "image/jpeg", "image/webp", "image/gif")


class Question(Form):
    """`a` and `b` name pools or models; without `b` there is one side."""

    a = forms.CharField(label="Ask", max_length=300, initial="auto", widget=plain(list="targets"))
    b = forms.CharField(
        label="And beside it", max_length=300, required=False, widget=plain(list="targets", placeholder="nobody")
    )
    message = forms.CharField(label="Message", max_length=200_000, required=False, widget=lines(4))
    system = forms.CharField(label="System text", max_length=20_000, required=False, widget=lines(2))
    picture = forms.FileField(
        label="Picture", required=False, widget=forms.FileInput(attrs={"accept": ",".join(PICTURES)})
    )
    audio = forms.FileField(
        label="Audio",
        required=False,
        widget=forms.FileInput(attrs={"accept": "audio/*,video/mp4,video/webm"}),
        help_text="Is transcribed: ask transcription, or a model for audio.",
    )
    max_tokens = forms.IntegerField(label="Longest answer (tokens)", required=False, min_value=1, max_value=1_000_000)
    temperature = forms.FloatField(label="Temperature", required=False, min_value=0, max_value=2)
    history_a = forms.CharField(required=False, max_length=HISTORY, widget=forms.HiddenInput())
    history_b = forms.CharField(required=False, max_length=HISTORY, widget=forms.HiddenInput())

    def clean_picture(self) -> Any:
        given = self.cleaned_data.get("picture")
        if given and given.content_type not in PICTURES:
            raise forms.ValidationError("Choose a PNG, JPEG, WebP or GIF picture.")
        return _small(given, PICTURE)

    def clean_audio(self) -> Any:
        return _small(self.cleaned_data.get("audio"), AUDIO)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not cleaned.get("message") and not cleaned.get("audio") and "audio" not in self.errors:
            self.add_error("message", "Write something to ask, or choose an audio file.")
        return cleaned

    def asked(self) -> Asked:
        """What was typed, once the form is valid."""
        read = self.cleaned_data
        return Asked(
            message=read["message"],
            system=read["system"],
            picture=_upload(read["picture"]),
            audio=_upload(read["audio"]),
            max_tokens=read["max_tokens"],
            temperature=read["temperature"],
        )


def _small(given: Any, most: int) -> Any:
    if given and given.size > most:
        raise forms.ValidationError(f"This file has {given.size / MIB:.1f} MiB; at most {most // MIB} MiB fit here.")
    return given


def _upload(given: Any) -> Upload | None:
    return Upload(str(given.name), str(given.content_type or ""), given.read()) if given else None
