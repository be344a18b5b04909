"""People and their roles."""

from __future__ import annotations

from typing import Annotated, Any

from django.contrib.auth.models import User
from django.http import HttpRequest
from ninja import Query, Router, Schema
from ninja.responses import Status
from pydantic import Field, StringConstraints

from rotation.api.keyset import Listing, Paging, page
from rotation.api.shapes import Id, Moment, Strict, one
from rotation.api.who import by, caller
from rotation.control import people as control
from rotation.models import Role
from rotation.roles import role_of

router = Router(tags=["people"])
PLACE = "/v1/people/{int:person_id}"
Name = Annotated[str, StringConstraints(max_length=150)]
Password = Annotated[str, StringConstraints(max_length=1000)]


class PersonShown(Schema):
    """An account. Who is not active is locked."""

    id: int
    username: str
    email: str
    first_name: str
    last_name: str
    role: str | None = Field(examples=list(Role.values))
    is_active: bool
    date_joined: Moment
    last_login: Moment | None

    @staticmethod
    def resolve_role(user: User) -> str | None:
        role = role_of(user)
        return role.value if role else None


class PersonChange(Strict):
    username: Name = Field("", min_length=1)
    email: Annotated[str, StringConstraints(max_length=254)] = ""
    first_name: Name = ""
    last_name: Name = ""


class PersonNew(PersonChange):
    username: Name = Field(min_length=1, examples=["olga"])
    role: Role = Role.VIEWER
    password: Password | None = Field(None, description="Write-only. Without one, make a link.")


class RoleGiven(Strict):
    role: Role


class PasswordGiven(Strict):
    password: Password = Field(description="Write-only.")


class LinkShown(Schema):
    path: str = Field(description="Whoever opens it within three days chooses the password, once.")


def who(person_id: int) -> User:
    return one(User.objects.all(), person_id, "person")


@router.get("/v1/me", response=PersonShown, tags=["people"])
def get_me(request: HttpRequest) -> Any:
    """Whose cookie or token this is."""
    return caller(request).user


@router.get("/v1/people", response=Listing[PersonShown])
def list_people(request: HttpRequest, at: Query[Paging]) -> Any:
    """Every account."""
    return page(request, User.objects.prefetch_related("groups"), ("username", "id"), at)


@router.post("/v1/people", response={201: PersonShown})
def add_person(request: HttpRequest, body: PersonNew) -> Any:
    """Add an account with a role."""
    return Status(201, control.add(by(request), **{"role": body.role, **body.given()}))


@router.get(PLACE, response=PersonShown)
def get_person(request: HttpRequest, person_id: Id) -> Any:
    """One account."""
    return who(person_id)


@router.patch(PLACE, response=PersonShown)
def change_person(request: HttpRequest, person_id: Id, body: PersonChange) -> Any:
    """Names and address."""
    return control.change(by(request), who(person_id), **body.given())


@router.delete(PLACE, response={204: None})
def remove_person(request: HttpRequest, person_id: Id) -> Any:
    """Remove the account and its tokens; what it did stays in the audit. Never the last admin."""
    if found := User.objects.filter(pk=person_id).first():
        control.remove(by(request), found)
    return Status(204, None)


@router.put(f"{PLACE}/role", response=PersonShown)
def give_role(request: HttpRequest, person_id: Id, body: RoleGiven) -> Any:
    """This role and no other, at once."""
    return control.give_role(by(request), who(person_id), body.role)


@router.put(f"{PLACE}/password", response=PersonShown)
def set_password(request: HttpRequest, person_id: Id, body: PasswordGiven) -> Any:
    """Set the password; other sessions of theirs end."""
    return control.set_password(by(request), who(person_id), body.password)


@router.post(f"{PLACE}/lock", response=PersonShown)
def lock_person(request: HttpRequest, person_id: Id) -> Any:
    """They are out at once, with their sessions and tokens."""
    return control.lock(by(request), who(person_id))


@router.post(f"{PLACE}/unlock", response=PersonShown)
def unlock_person(request: HttpRequest, person_id: Id) -> Any:
    """They may come in again."""
    return control.unlock(by(request), who(person_id))


@router.post(f"{PLACE}/link", response={201: LinkShown})
def link_person(request: HttpRequest, person_id: Id) -> Any:
    """A one-time link to choose a password with."""
    return Status(201, {"path": control.link(by(request), who(person_id))})
