"""How each kind lists a model: the entries of GET /models."""

from __future__ import annotations

from typing import Any

from rotation.simulator.catalogue import Model


def openrouter(model: Model) -> dict[str, Any]:
    top = {"context_length": model.context, "max_completion_tokens": model.max_output, "is_moderated": model.moderated}
    return {
        "id": model.id,
        "canonical_slug": model.id.partition(":")[0],
        "hugging_face_id": "",
        "name": model.name,
        "created": model.created,
        "description": f"{model.name}, simulated.",
        "context_length": model.context,
        "architecture": _architecture(model),
        "pricing": {
            "prompt": _price(model.price_in),
            "completion": _price(model.price_out),
            "request": "0",
            "image": "0",
            "web_search": "0",
            "internal_reasoning": "0",
        },
        "top_provider": top,
        "per_request_limits": None,
        "supported_parameters": _parameters(model),
        "default_parameters": {},
        "expiration_date": model.expires,
    }


def _architecture(model: Model) -> dict[str, Any]:
    inputs = ["text", "image"] if model.images else ["text"]
    modality = f"{'+'.join(inputs)}->text"
    shape = {"modality": modality, "input_modalities": inputs, "output_modalities": ["text"]}
    return {**shape, "tokenizer": "Other", "instruct_type": None}


def _price(per_million: float) -> str:
    """USD per token, as a string; "-1" for a price that varies."""
    if per_million < 0:
        return "-1"
    return f"{per_million / 1e6:.12f}".rstrip("0").rstrip(".")


def _parameters(model: Model) -> list[str]:
    names = ["frequency_penalty", "max_tokens", "presence_penalty", "seed", "stop", "temperature", "top_p"]
    if model.tools:
        names += ["tool_choice", "tools"]
    if model.json_schema:
        names += ["response_format", "structured_outputs"]
    if model.reasoning:
        names += ["include_reasoning", "reasoning"]
    return sorted(names)


def groq(model: Model) -> dict[str, Any]:
    return {
        "id": model.id,
        "object": "model",
        "created": model.created,
        "owned_by": model.owner,
        "active": True,
        "context_window": model.context,
        "public_apps": None,
        "max_completion_tokens": model.max_output or model.context,
    }


def openai(model: Model) -> dict[str, Any]:
    return {"id": model.id, "object": "model", "created": model.created, "owned_by": model.owner}


def together(model: Model) -> dict[str, Any]:
    type_ = {"transcription": "transcribe", "speech": "audio"}.get(model.type, model.type)
    pricing: dict[str, Any] = {
        "hourly": 0,
        "input": model.price_in,
        "output": model.price_out,
        "base": 0,
        "finetune": 0,
    }
    if type_ == "transcribe":
        pricing["transcribe"] = {"price_per_minute": 0.0015}
    return {
        "id": model.id,
        "object": "model",
        "created": model.created,
        "type": type_,
        "running": False,
        "display_name": model.name,
        "organization": model.owner,
        "link": f"https://huggingface.co/{model.id}",
        "license": "other",
        "context_length": model.context or None,
        "config": {"chat_template": None, "stop": [], "bos_token": None, "eos_token": None},
        "pricing": pricing,
    }


def generic(model: Model) -> dict[str, Any]:
    return {
        "id": model.id,
        "aliases": [model.id],
        "tags": [],
        "object": "model",
        "created": model.created,
        "owned_by": model.owner,
        "meta": {"vocab_type": 2, "n_ctx": model.context, "n_ctx_train": model.context * 4, "n_params": 3_000_000_000},
    }
