"""What is out of reach from the start: keys that cannot be used, deployments that are out, cooldowns that still run."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rotation import sealing
from rotation.core.failures import FailureKind
from rotation.core.selection import NEVER
from rotation.gateway.snapshot import Block

RECHECK = 900.0  # seconds an invalid key is left alone before a call may try it again

Row = Any  # one row as a plain dictionary: names to values
Rows = dict[str, list[Row]]


def secrets_of(keys: list[dict[str, Any]]) -> tuple[dict[int, sealing.Secret], list[Block]]:
    """Secrets by key id, and what benches the keys that cannot be used: one that cannot be opened, one refused."""
    secrets: dict[int, sealing.Secret] = {}
    blocks: list[Block] = []
    for row in keys:
        try:
            secrets[row["id"]] = sealing.Secret(sealing.unseal(row["sealed"]))
        except sealing.Locked as locked:
            secrets[row["id"]] = sealing.Secret("")
            blocks.append(Block(f"key:{row['id']}", NEVER, FailureKind.BAD_CREDENTIAL, str(locked)))
            continue
        if row["state"] == "invalid":
            asked = max(epoch(row["checked_at"]) or 0.0, epoch(row["state_since"]) or 0.0)
            why = "the provider refused this key"
            blocks.append(Block(f"key:{row['id']}", asked + RECHECK, FailureKind.BAD_CREDENTIAL, why))
    return secrets, blocks


def blocks_of(rows: Rows) -> list[Block]:
    """What is out of reach: deployments that are gone or do not fit, cooldowns that run."""
    out = {
        "gone": FailureKind.MODEL_GONE, "archived": FailureKind.MODEL_GONE, "incompatible": FailureKind.LACKS_FEATURE,
    }  # fmt: skip
    found = [
        Block(f"deployment:{r['id']}", NEVER, out[r["status"]], f"{r['status']}: {r['status_reason']}".rstrip(": "))
        for r in rows["deployments"]
        if r["status"] in out
    ]
    kinds = {kind.value: kind for kind in FailureKind}
    over = _over(rows)
    for row in rows["cooldowns"]:
        kind = kinds.get(row["kind"], FailureKind.RATE_LIMITED)
        if (row["scope"], kind) in over:
            continue
        found.append(Block(row["scope"], epoch(row["until"]) or 0.0, kind, row["reason"]))
    return found


def _over(rows: Rows) -> set[tuple[str, FailureKind]]:
    """Cooldowns that have lost their reason: of a key that is ready again, of an account none of whose keys is without
    credit, of a deployment that is listed again."""
    kinds = (FailureKind.BAD_CREDENTIAL, FailureKind.OUT_OF_CREDIT)
    keys = {(f"key:{r['id']}", kind) for r in rows["keys"] if r["state"] == "ready" for kind in kinds}
    spent = {r["account_id"] for r in rows["keys"] if r["state"] == "exhausted"}
    accounts = {(f"account:{r['id']}", FailureKind.OUT_OF_CREDIT) for r in rows["accounts"] if r["id"] not in spent}
    return (
        keys
        | accounts
        | {(f"deployment:{r['id']}", FailureKind.MODEL_GONE) for r in rows["deployments"] if r["status"] != "gone"}
    )


def epoch(moment: Any) -> float | None:
    """Epoch seconds of a datetime, or of the ISO text it becomes in the kept file."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return float(moment.timestamp()) if moment is not None else None
