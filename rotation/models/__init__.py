"""Every table, by its name."""

from __future__ import annotations

from rotation.models.audit import AuditEvent, ConfigVersion, Door, StarterMark
from rotation.models.catalog import Deployment, DeploymentStatus, PriceSource, Provider
from rotation.models.clients import ClientKey
from rotation.models.discovery import (
    CatalogueChange,
    Change,
    DiscoveryRun,
    LifeStep,
    Step,
    StepState,
    TaskState,
    Verdict,
    Verification,
    VerificationRun,
    VerificationTask,
)
from rotation.models.editions import RegistryEdition
from rotation.models.health import Breaker, BreakerState, Cooldown, LearnedLimit, Trip
from rotation.models.keys import Account, Key, KeySource, KeyState
from rotation.models.laboratory import RegretReport, Replay, ReplayState, Trace
from rotation.models.ledger import Attempt, CallOutcome, Request
from rotation.models.office import ApiToken, KeptPrompt, Role, Switch
from rotation.models.pools import Mode, Placement, Pool, Preset, Strategy
from rotation.models.runs import JobRun, JournalFile, Reordering, ReorderingState, RunState
from rotation.models.stats import (
    AttemptStat,
    CallDay,
    CallHour,
    CallMinute,
    CallStat,
    ClientDay,
    DayStat,
    HourStat,
    KindDay,
    MinuteStat,
)

__all__ = [
    "Account",
    "ApiToken",
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
    "ClientDay",
    "ClientKey",
    "ConfigVersion",
    "Cooldown",
    "DayStat",
    "Deployment",
    "DeploymentStatus",
    "DiscoveryRun",
    "Door",
    "HourStat",
    "JobRun",
    "JournalFile",
    "KeptPrompt",
    "Key",
    "KeySource",
    "KeyState",
    "KindDay",
    "LearnedLimit",
    "LifeStep",
    "MinuteStat",
    "Mode",
    "Placement",
    "Pool",
    "Preset",
    "PriceSource",
    "Provider",
    "RegistryEdition",
    "RegretReport",
    "Reordering",
    "ReorderingState",
    "Replay",
    "ReplayState",
    "Request",
    "Role",
    "RunState",
    "StarterMark",
    "Step",
    "StepState",
    "Strategy",
    "Switch",
    "TaskState",
    "Trace",
    "Trip",
    "Verdict",
    "Verification",
    "VerificationRun",
    "VerificationTask",
]
