"""What the parts of a model's id say: maker, line, version, size, role, variant. Guesses, for comparing ids.

`meta-llama/llama-3.3-70b-instruct:free` is of the line llama, version 3.3, 70 billion parameters, variant free.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

LONGEST = 300  # characters of an id that are looked at

#: How a model was tuned or served, not which model it is.
TUNING = frozenset(
    {
        "instruct", "chat", "it", "turbo", "instant", "versatile", "preview", "latest", "exp", "experimental", "beta",
        "free", "online", "base", "hf", "gguf", "fp4", "fp8", "fp16", "bf16", "int8", "int4", "awq", "gptq", "tput",
        "reference", "tee", "tuned", "lora", "exacto", "nitro", "floor", "extended",
    }
)  # fmt: skip
_GLUED = re.compile(r"(llama|gemma|phi|granite)(\d)")  # Ollama writes llama3.2, everybody else llama-3.2
_LOOSE = re.compile(r"(qwen|lfm|grok)-(\d)")  # and only OpenRouter qwen-2.5
_SIZE = re.compile(r"(?:(\d+)x)?e?(\d+(?:\.\d+)?)([mbt])\Z")
_SKIPPED = re.compile(r"a\d+(?:\.\d+)?b\Z|\d+e\Z|q\d\w*\Z")  # active parameters, experts, quantisations
_DATE = re.compile(r"0\d\Z|\d{4}\Z|\d{6}\Z|\d{8}\Z")
_DASHED_DATE = re.compile(r"-20\d\d-\d\d-\d\d\b")
_VERSION = re.compile(r"([a-z]{0,12}?)(\d+(?:\.\d+)*)([a-z]?)\Z")
_PARTS = re.compile(r"[-_\s]+")
_BILLIONS = {"m": 0.001, "b": 1.0, "t": 1000.0}

#: First word of a line -> who makes it, for ids without a maker. `whisper` is everybody's.
MAKERS = {
    "llama": "meta-llama", "gpt": "openai", "chatgpt": "openai", "o": "openai", "dall": "openai", "tts": "openai",
    "text": "openai", "davinci": "openai", "babbage": "openai", "sora": "openai", "omni": "openai", "codex": "openai",
    "gemma": "google", "gemini": "google", "palm": "google", "qwen": "qwen", "qwq": "qwen", "deepseek": "deepseek",
    "mistral": "mistralai", "mixtral": "mistralai", "ministral": "mistralai", "codestral": "mistralai",
    "devstral": "mistralai", "magistral": "mistralai", "phi": "microsoft", "claude": "anthropic", "grok": "x-ai",
    "kimi": "moonshotai", "glm": "z-ai", "command": "cohere", "granite": "ibm-granite", "nemotron": "nvidia",
    "hermes": "nousresearch", "minimax": "minimax", "smollm": "huggingfacetb", "olmo": "allenai", "lfm": "liquid",
}  # fmt: skip
#: Other spellings of makers -> the one used here.
ALIASES = {
    "deepseek-ai": "deepseek", "zai-org": "z-ai", "zai": "z-ai", "thudm": "z-ai", "meta": "meta-llama",
    "meta-models": "meta-llama", "mistral": "mistralai", "minimaxai": "minimax", "liquidai": "liquid",
    "xai": "x-ai", "ibm": "ibm-granite", "coherelabs": "cohere", "amazon-bedrock": "amazon", "moonshot": "moonshotai",
}  # fmt: skip
_HOSTS = frozenset({"nim", "togethercomputer", "models", "accounts", "fireworks", "library", "workers-ai", "hf"})


@dataclass(frozen=True, slots=True)
class Anatomy:
    """`name` is the id's last part in lower case, without variant; `stem` is it without sizes, dates and tunings.

    `size` is in billions of parameters.

    `roles` are the words that make it another model of its line (coder, vl, mini, maverick); `variant` what follows a
    colon (free, batch), but for what only Ollama says there.
    """

    maker: str
    name: str
    stem: str
    line: str
    version: tuple[int, ...]
    size: float | None
    roles: frozenset[str]
    variant: str


@lru_cache(maxsize=8192)
def anatomy(model: str) -> Anatomy:
    """Of any text; never raises."""
    path, _, variant = model[:LONGEST].lower().rstrip("/").partition(":")
    *before, name = path.split("/")
    name = name.split("@", 1)[0].removesuffix(".gguf")
    parts = _parts(_DASHED_DATE.sub("", name))
    if variant in {"", "latest"}:
        tag: list[str] = []
    else:  # Ollama's tags are sizes and tunings: gemma3:1b, qwen2.5:7b-instruct
        tag = [part for part in _PARTS.split(variant) if part]
        parts += tag if _sized(tag) else []
    stem, line, version, size, roles = _read(parts)
    named = "" if _sized(tag) or variant == "latest" else variant
    return Anatomy(_maker(before, line), name, stem or name, line or name, version, size, roles, named)


def family(model: str) -> str:
    """Who makes it, spelt the same at every provider: meta-llama, qwen, openai. `whisper` is a family of its own."""
    return anatomy(model).maker


def _parts(name: str) -> list[str]:
    parts = [part for part in _PARTS.split(_LOOSE.sub(r"\1\2", _GLUED.sub(r"\1-\2", name))) if part]
    return parts[1:] if parts[:2] == ["meta", "llama"] else parts


def _sized(parts: list[str]) -> bool:
    return any(_SIZE.match(part) for part in parts)


def _read(parts: list[str]) -> tuple[str, str, tuple[int, ...], float | None, frozenset[str]]:
    """Stem, line, version, size and roles."""
    stem: list[str] = []
    line: list[str] = []
    roles: set[str] = set()
    version: tuple[int, ...] = ()
    size: float | None = None
    for part in parts:
        if sized := _SIZE.match(part):
            size = size or _billions(sized)
            continue
        if _SKIPPED.match(part) or (line and (part in TUNING or _DATE.match(part))):
            continue
        stem.append(part)
        if not version and (found := _VERSION.match(part)):
            version = tuple(int(number[:9]) for number in found[2].split("."))
            line += [found[1]] if found[1] not in {"", "v"} else []
            roles |= {found[3]} - {""}
        elif version or size:
            roles.add(part)
        else:
            line.append(part)
    return "-".join(stem), "-".join(line), version, size, frozenset(roles)


def _billions(sized: re.Match[str]) -> float:
    return int((sized[1] or "1")[:6]) * float(sized[2][:9]) * _BILLIONS[sized[3]]


def _maker(before: list[str], line: str) -> str:
    if line.startswith("whisper"):
        return "whisper"
    named = [part.removeprefix("~") for part in before if part and part not in _HOSTS]
    if named:
        return ALIASES.get(named[-1], named[-1])[:120]
    first = line.partition("-")[0]
    return (MAKERS.get(first) or MAKERS.get(first.rstrip("0123456789.")) or first)[:120]
