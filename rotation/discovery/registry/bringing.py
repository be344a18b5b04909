"""Bringing a registry file in: all of it or nothing, every change signed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction

from rotation.control.by import By
from rotation.discovery.alone import alone
from rotation.discovery.registry import editions, fields
from rotation.discovery.registry.compare import Difference, Sign, differences, left_alone
from rotation.discovery.registry.document import Document, Pool, Values
from rotation.discovery.registry.fields import Field
from rotation.discovery.registry.nodes import Problem, Refused
from rotation.discovery.registry.reading import nearest, read
from rotation.discovery.registry.stored import stored
from rotation.discovery.steps import REGISTRY
from rotation.models import Deployment, LifeStep, Placement, Provider, RegistryEdition, Verification
from rotation.models import Pool as PoolRow

LOCK = 7_301_021  # advisory: one import at a time


@dataclass(frozen=True, slots=True)
class Compared:
    """What a file would change. `older`: the registry has had a later version than the one it was written from."""

    document: Document
    differences: list[Difference]
    left_alone: int
    older: bool


def compare(text: str) -> Compared:
    """Without changing anything. Raises Refused with everything that is wrong."""
    return _compare(read(text))


def _compare(document: Document) -> Compared:
    now = stored(list(document.models))
    _all_known(document, now)
    latest = RegistryEdition.objects.first()
    older = latest is not None and document.version < latest.version
    return Compared(document, differences(now, document), left_alone(now, document), older)


def bring_in(by: By, text: str) -> Compared:
    """Makes the tables say what the file says. Raises Refused, and then nothing has changed."""
    document = read(text)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        alone()
        compared = _compare(document)
        _Import(by, compared).run()
        if compared.differences:
            edition = editions.note(by, at_least=document.version)
            by.noted("import registry", edition, changes=len(compared.differences))
    return compared


def _all_known(document: Document, now: Document) -> None:
    """Providers exist, and members are models of the file or of the tables."""
    problems = []
    names = list(Provider.objects.values_list("name", flat=True))
    for provider in document.models:
        if provider not in names:
            words = f"There is no provider {provider!r}{nearest(provider, names) or '.'} Add it first."
            problems.append(Problem(document.line("models", provider), words))
    named = {f"{provider}/{model}" for provider, models in document.models.items() for model in models}
    others = {member for pool in document.pools.values() for member in pool.members} - named
    known = named | _known(others)
    for name, pool in document.pools.items():
        for member in pool.members.keys() - known:
            line = document.line("pools", name, "members", member)
            problems.append(Problem(line, f"There is no model {member!r}{nearest(member, known) or '.'}"))
    if problems:
        raise Refused(problems)


def _known(members: Iterable[str]) -> set[str]:
    pairs = {tuple(member.split("/", 1)) for member in members}
    rows = Deployment.objects.filter(provider__name__in={p for p, _ in pairs}, model_id__in={m for _, m in pairs})
    return {f"{provider}/{model}" for provider, model in rows.values_list("provider__name", "model_id")}


class _Import:
    """One import under way. What the tables refuse is collected with its line, and refuses the whole."""

    def __init__(self, by: By, compared: Compared) -> None:
        self.by, self.document, self.found = by, compared.document, compared.differences
        self.problems: list[Problem] = []
        self.providers = {row.name: row for row in Provider.objects.all()}
        self.touched = {difference.path[:3] for difference in self.found}

    def run(self) -> None:
        for provider, models in self.document.models.items():
            rows = {row.model_id: row for row in self.providers[provider].deployments.select_related("provider")}
            for name in models:
                if ("models", provider, name) in self.touched:
                    self.model(provider, name, rows.get(name))
        for name, pool in self.document.pools.items():
            if any(path[:2] == ("pools", name) for path in self.touched):
                self.pool(name, pool)
        if self.problems:
            raise Refused(self.problems)

    def model(self, provider: str, name: str, row: Deployment | None) -> None:
        wanted = self.document.models[provider][name]
        new = row is None
        row = row or Deployment(provider=self.providers[provider], model_id=name)
        before = row.status
        if new:  # not signed as an operator's own word: listings may go on correcting what came with a file
            self.saved(row, wanted.fields, fields.MODEL, ("models", provider, name))
            self.by.added(row, "import")
        else:
            with self.by.changing(row):
                self.saved(row, wanted.fields, fields.MODEL, ("models", provider, name))
        if row.pk and (new or row.status != before):
            reason = row.status_reason or f"registry file, version {self.document.version}"
            told = {REGISTRY: self.document.version} if new else {}
            LifeStep.objects.create(deployment=row, step=row.status, reason=reason, by=self.by.actor, evidence=told)
        if row.pk:
            self.verdicts(row, wanted.verdicts)

    def verdicts(self, row: Deployment, wanted: dict[str, Values]) -> None:
        path = ("models", row.provider.name, row.model_id)
        changed = {one.path[-1] for one in self.found if one.path[:3] == path and len(one.path) == 5}
        rows = [Verification(deployment=row, capability=name, **wanted[name]) for name in wanted if name in changed]
        Verification.objects.bulk_create(rows)
        latest = max((one.at for one in rows), default=None)
        if latest and (row.verified_at is None or row.verified_at < latest):
            row.verified_at = latest
            row.save(update_fields=["verified_at"])

    def pool(self, name: str, wanted: Pool) -> None:
        row = PoolRow.objects.select_for_update().filter(name=name).first()
        path = ("pools", name)
        if row is None:
            row = PoolRow(name=name)
            if self.saved(row, wanted.fields, fields.POOL, path):
                self.by.added(row, "import")
        else:
            with self.by.changing(row):
                self.saved(row, wanted.fields, fields.POOL, path)
        if row.pk:
            self.members(row, wanted, path)
            row.touch()

    def members(self, pool: PoolRow, wanted: Pool, path: tuple[str, str]) -> None:
        standing = {p.deployment.name: p for p in pool.placements.select_related("deployment__provider", "pool")}
        for one in self.found:
            if one.path[:2] == path and one.sign is Sign.REMOVED:
                self.by.removed(standing[one.path[-1]], "take away")
                standing[one.path[-1]].delete()
        changed = {one.path[3] for one in self.found if one.path[:2] == path and len(one.path) > 3}
        for name in (name for name, _ in wanted.in_order() if name in changed):
            provider, _, model = name.partition("/")
            row = standing.get(name)
            if row is not None:
                with self.by.changing(row):
                    self.saved(row, wanted.members[name], fields.MEMBER, (*path, "members", name))
                continue
            deployment = Deployment.objects.filter(provider__name=provider, model_id=model).first()
            if deployment is not None:  # None: it was refused itself
                row = Placement(pool=pool, deployment=deployment)
                if self.saved(row, wanted.members[name], fields.MEMBER, (*path, "members", name)):
                    self.by.added(row, "place")

    def saved(self, row: Any, values: Values, table: Sequence[Field], path: tuple[str, ...]) -> bool:
        """Puts the file's values on the row and stores it, unless the tables' own rules refuse them."""
        columns = {one.stored: one.name for one in table}
        for column, name in columns.items():
            setattr(row, column, values[name])
        try:
            row.clean_fields(exclude={one.name for one in row._meta.fields} - {"name", *columns})
            row.clean()
        except ValidationError as wrong:
            for column, messages in wrong.message_dict.items():
                name = columns.get(column, "")
                line = self.document.line(*path, *([name] if name else []))
                self.problems += [Problem(line, f"{name or path[-1]}: {message}") for message in messages]
            return False
        row.save()
        return True
