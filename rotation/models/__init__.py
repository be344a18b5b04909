"""Every table, by its name."""

from __future__ import annotations

from rotation.models.audit import AuditEvent, ConfigVersion, StarterMark
from rotation.models.catalog import Deployment, DeploymentStatus, PriceSource, Provider
from rotation.models.clients import ClientKey
from rotation.models.health import Breaker, BreakerState, Cooldown, LearnedLimit, Trip
from rotation.models.keys import Account, Key, KeySource, KeyState
from rotation.models.ledger import Attempt, CallOutcome, Request
from rotation.models.pools import Placement, Pool, Preset, Strategy
from rotation.models.runs import (
    CatalogueChange,
    Change,
    DiscoveryRun,
    JobRun,
    JournalFile,
    Reordering,
    RunState,
    Verdict,
    Verification,
)
from rotation.models.stats import AttemptStat, CallDay, CallHour, CallMinute, CallStat, DayStat, HourStat, MinuteStat

__all__ = [
    "Account",
    "Attempt",
    "AttemptStat",
    "AuditEvent",
    "Breaker",
    "BreakerState",
    "CallDay",
    "CallHour",
    "CallMinute",
    "CallOutcome",
    "CallStat",
    "CatalogueChange",
    "Change",
    "ClientKey",
    "ConfigVersion",
    "Cooldown",
    "DayStat",
    "Deployment",
    "DeploymentStatus",
    "DiscoveryRun",
    "HourStat",
    "JobRun",
    "JournalFile",
    "Key",
    "KeySource",
    "KeyState",
    "LearnedLimit",
    "MinuteStat",
    "Placement",
    "Pool",
    "Preset",
    "PriceSource",
    "Provider",
    "Reordering",
    "Request",
    "RunState",
    "StarterMark",
    "Strategy",
    "Trip",
    "Verdict",
    "Verification",
]
