"""What is put to a model: a payload, and how its answer is graded. A different one for every trial.

Everything is drawn from a `Random` the caller seeds, so a question can be made again and none can be learnt by heart.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rotation.discovery.verify import grading, needles, pictures, programs
from rotation.discovery.verify.marks import Grade
from rotation.discovery.verify.replies import Answer

BRIEF = 400  # tokens for an answer of a few words: some models talk first
THINKING = 2_048  # for a model that thinks before it answers
PATIENCE = 60.0  # seconds for a short answer
LONG_PATIENCE = 120.0
CLOSE = 0.85  # of the room for a long text: tokens are counted by others, and not the same everywhere

CITIES = ("Paris", "Oslo", "Lima", "Cairo", "Osaka", "Turin", "Quito", "Dakar", "Perth", "Malmö", "Davao", "Salta")
NAMES = ("Mira", "Tomas", "Ines", "Bruno", "Keiko", "Amara", "Pavel", "Nadia", "Oscar", "Lena", "Hugo", "Zora")
WORDS = ("river", "stone", "cloud", "lantern", "meadow", "copper", "violet", "harbour", "maple", "thunder", "silver")
COMPARED = (("taller", "tallest", "shortest"), ("older", "oldest", "youngest"), ("faster", "fastest", "slowest"))


@dataclass(frozen=True, slots=True)
class Facts:
    """What is claimed of a model; None is not known. `room` is the most tokens one request may take, None for any."""

    context: int | None = None
    max_output: int | None = None
    tools: bool | None = None
    parallel_tools: bool | None = None
    json_schema: bool | None = None
    images: bool | None = None
    reasoning: bool = False
    room: int | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """`payload` lacks the model. `seconds` is how long an answer may take. `grade` never raises."""

    payload: Mapping[str, Any]
    grade: Callable[[Answer], Grade] = field(repr=False)
    seconds: float = PATIENCE

    @property
    def stream(self) -> bool:
        return bool(self.payload.get("stream"))


Maker = Callable[[random.Random, Facts], Question]


def _asking(
    text: str | Sequence[Mapping[str, Any]],
    grade: Callable[[Answer], Grade],
    facts: Facts,
    *,
    tokens: int = BRIEF,
    system: str = "",
    seconds: float = PATIENCE,
    **more: Any,
) -> Question:
    messages: list[dict[str, Any]] = [{"role": "system", "content": system}] if system else []
    messages.append({"role": "user", "content": text})
    payload = {"messages": messages, "max_tokens": _output(facts, tokens), **more}
    return Question(payload, grade, seconds * (2 if facts.reasoning else 1))


def _output(facts: Facts, tokens: int) -> int:
    """Tokens an answer may take: what is asked counts together with them, so they get at most half of the room."""
    wanted = THINKING if facts.reasoning else tokens
    return max(min(wanted, facts.max_output or wanted, wanted if facts.room is None else facts.room // 2), 16)


def short_answer(rand: random.Random, facts: Facts) -> Question:
    """A sum of two or three numbers."""
    a, b = rand.randint(12, 89), rand.randint(12, 89)
    text = f"What is {a} + {b}? Answer with the number only."
    return _asking(text, grading.number(a + b, f"{a} + {b}"), facts)


def reasoning(rand: random.Random, facts: Facts) -> Question:
    """Four or five people in a row, told out of order."""
    people = rand.sample(NAMES, rand.choice((4, 5)))
    more, most, least = rand.choice(COMPARED)
    said = [f"{high} is {more} than {low}." for high, low in itertools.pairwise(people)]
    rand.shuffle(said)
    wanted, right = (most, people[0]) if rand.random() < 0.5 else (least, people[-1])
    text = f"{' '.join(said)} Who is the {wanted}? Answer with the name only."
    return _asking(text, grading.name(right, people, wanted), facts, tokens=BRIEF * 2)


def code(rand: random.Random, facts: Facts) -> Question:
    """A small function under a name of its own."""
    program = rand.choice(programs.PROGRAMS)
    called = f"{program.stem}_{rand.choice(WORDS)}"
    text = f"Write a Python function called `{called}` that {program.task}. Answer with the code only."
    return _asking(text, lambda answer: programs.graded(answer, called, program), facts, tokens=BRIEF * 2)


def _function(name: str, about: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "description": about, "parameters": parameters}}


WEATHER = _function("get_weather", "The weather in a city now", {"city": {"type": "string"}})
TICKET = _function(
    "book_train", "Book one train ticket", {"city": {"type": "string"}, "passengers": {"type": "integer"}}
)


def tools(rand: random.Random, facts: Facts) -> Question:
    """One of two tools fits, and its arguments stand in the question."""
    city, offered = rand.choice(CITIES), [WEATHER, TICKET]
    rand.shuffle(offered)
    text = f"What is the weather in {city} right now?"
    return _asking(text, grading.tool("get_weather", "city", [city]), facts, tools=offered)


def parallel_tools(rand: random.Random, facts: Facts) -> Question:
    """The same tool for three cities at once."""
    first, second, third = rand.sample(CITIES, 3)
    text = f"Tell me the weather in {first}, in {second} and in {third}. Look up all three at once."
    return _asking(text, grading.tool("get_weather", "city", [first, second, third]), facts, tools=[WEATHER])


def json_schema(rand: random.Random, facts: Facts) -> Question:
    """Four values out of a sentence, in a strict schema."""
    right = {
        "customer": rand.choice(NAMES),
        "city": rand.choice(CITIES),
        "item": f"{rand.choice(WORDS)} tea",
        "quantity": rand.randint(2, 40),
    }
    properties = {name: {"type": "integer" if name == "quantity" else "string"} for name in right}
    schema = {"type": "object", "properties": properties, "required": list(right), "additionalProperties": False}
    text = (
        f'The customer "{right["customer"]}" in "{right["city"]}" orders "{right["item"]}", '
        f"{right['quantity']} boxes of it. Give the order as JSON."
    )
    form = {"type": "json_schema", "json_schema": {"name": "order", "strict": True, "schema": schema}}
    return _asking(text, grading.document(right), facts, response_format=form)


def streaming(rand: random.Random, facts: Facts) -> Question:
    """A text in many pieces, and the count of its tokens at the end."""
    said = " ".join(rand.choices(WORDS, k=14))
    text = f'Repeat exactly: "{said}"'
    options = {"include_usage": True}
    return _asking(text, grading.streamed(said), facts, stream=True, stream_options=options)


def long_context(rand: random.Random, facts: Facts) -> Question:
    """A word told early in a long text."""
    room = None if facts.room is None else int((facts.room - _output(facts, BRIEF)) * CLOSE)
    tokens = needles.size(facts.context, room)
    needle = needles.made(rand, tokens)
    return _asking(
        needle.text, grading.found(needle.word, tokens, facts.context), facts, tokens=BRIEF, seconds=LONG_PATIENCE
    )


def images(rand: random.Random, facts: Facts) -> Question:
    """A picture of two colours, made here."""
    left, right = rand.sample(sorted(pictures.COLOURS), 2)
    url = pictures.data_url(left, right)
    text = (
        "The left half of this picture has one colour, the right half another. Which are they? "
        "Answer with the two words only, left first."
    )
    parts: list[Mapping[str, Any]] = [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": url}}]
    return _asking(parts, grading.in_order([left, right], pictures.COLOURS), facts)


def stop(rand: random.Random, facts: Facts) -> Question:
    """A word at which the answer has to end."""
    before, halt, after = rand.sample(WORDS, 3)
    text = f'Repeat exactly: "{before} {halt.upper()} {after}"'
    return _asking(text, grading.stopped(before, halt.upper(), after), facts, stop=[halt.upper()])


def system_prompt(rand: random.Random, facts: Facts) -> Question:
    """An order that only the system prompt gives."""
    word = rand.choice(WORDS).upper()
    a, b = rand.randint(2, 9), rand.randint(2, 9)
    text = f"What is {a} + {b}?"
    return _asking(text, grading.opened(word), facts, system=f'Begin every answer with "{word}".')
