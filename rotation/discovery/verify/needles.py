"""A word in a haystack: a long text of plain sentences, with one told early that is asked for at the end."""

from __future__ import annotations

import random
from dataclasses import dataclass

SHARE = 0.5  # of the claimed context
MOST = 12_000  # tokens: where contexts are cut silently they are cut to 2,048, 4,096 or 8,192
LEAST = 300
UNKNOWN = 6_000  # where nothing is claimed
CHARACTERS = 4  # a token, about
SYLLABLES = ("ba", "ko", "ri", "mu", "te", "lo", "sa", "ni", "du", "fe", "gi", "pa", "zo", "ve")
WHO = ("The baker", "A sailor", "The teacher", "My neighbour", "The gardener", "A painter", "The pilot", "The clerk")
DID = ("walked along", "looked at", "wrote about", "waited near", "cleaned", "talked about", "measured", "passed")
WHAT = ("the old bridge", "a quiet street", "the station", "the market", "a stone wall", "the lake", "the long road")
WHEN = ("in the morning", "before lunch", "last week", "after the rain", "at noon", "on a Tuesday", "in winter")


@dataclass(frozen=True, slots=True)
class Needle:
    text: str
    word: str


def size(context: int | None, room: int | None) -> int:
    """Tokens of the text: half of what is claimed, at most `MOST`, and no more than one request has `room` for."""
    wanted = min(int(context * SHARE), MOST) if context else UNKNOWN
    return max(min(wanted, room if room is not None else wanted), LEAST)


def made(rand: random.Random, tokens: int) -> Needle:
    """About so many tokens; the word stands in the first third."""
    word = "".join(rand.choices(SYLLABLES, k=4))
    sentences, length = [], 0
    while length < tokens * CHARACTERS:
        sentence = f"{rand.choice(WHO)} {rand.choice(DID)} {rand.choice(WHAT)} {rand.choice(WHEN)}."
        sentences.append(sentence)
        length += len(sentence) + 1
    sentences.insert(int(len(sentences) * rand.uniform(0.02, 0.33)), f"The secret word is {word}.")
    question = "What is the secret word that was told in this text? Answer with the word only."
    return Needle(f"{' '.join(sentences)}\n\n{question}", word)
