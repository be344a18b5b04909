"""One way for every page that lists rows: columns and filters are declared, everything else comes from here.

    LISTING = Listing(
        name="clients",  # of the files, and of the element that is renewed
        columns=(
            Column("label", "Name", sort="label", template="dashboard/cells/_client.html"),
            Column("calls", "Calls", numeric=True, cell=lambda row: row.calls),
            Column("created", "Made", sort="created_at"),  # `cell` is the attribute of that name, or of `sort`
        ),
        filters=(
            Text(key="q", label="Search", fields=("label", "prefix"), placeholder="Name or key"),
            Choice(key="state", label="State", choices=(("on", "In use"), ("off", "Revoked")), where=of_state),
            Flag(key="internal", label="With Rotation's own", where=lambda on: Q()),
            Period(key="since", label="Made", field="created_at"),
        ),
        sort="-created",
        empty="No client key yet.",
    )

    @require_safe
    def clients(request):
        return answer(request, LISTING, ClientKey.objects.all(), "dashboard/clients.html", {"more": "context"})

The template says `{% include "dashboard/_filters.html" %}` and `{% include "dashboard/_listing.html" %}`. Then
- `?q=...&state=on&sort=-created&after=<cursor>` is the whole state; what cannot be meant is ignored;
- `?format=csv|json` sends all rows that fit (LIMIT at most) as a file;
- with scripts a changed filter renews the table alone; without, the form has a button.

Rows are a QuerySet, or a list in memory (filters then need `keep`, columns sort by `cell`). `enrich` turns one page of
rows into what columns and templates see, with a fixed number of questions. A cell's template sees `row` and `value`.
Text from anywhere is shown as text, and cut to what a page can bear.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from dashboard.exports import TYPES, export
from dashboard.filters import Choice, Filter, Flag, Period, Text
from dashboard.keyset import Order, memory_page, stored_page

__all__ = ["Choice", "Column", "Filter", "Flag", "Listing", "Period", "Shown", "State", "Text", "answer", "read"]

PAGE, BATCH, LIMIT = 50, 500, 50_000  # rows of a page, of one query of an export, of an export
Rows = QuerySet[Any, Any] | Sequence[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a list is made of. `empty` is said when there is nothing at all, with the next step."""

    name: str
    columns: Sequence[Column]
    filters: Sequence[Filter] = ()
    sort: str = ""
    empty: str = "Nothing here yet."
    empty_template: str = ""
    size: int = PAGE
    enrich: Callable[[list[Any]], Sequence[Any]] | None = None

    def column(self, key: str) -> Column | None:
        return next((column for column in self.columns if column.key == key and column.sortable), None)

    @property
    def on_page(self) -> Sequence[Column]:
        return [column for column in self.columns if column.on_page]

    @property
    def exported(self) -> Sequence[Column]:
        return [column for column in self.columns if column.export]


@dataclass(frozen=True, slots=True)
class Column:
    """`key` names it in addresses and files; `sort` is an ORM path (for lists in memory: any text)."""

    key: str
    label: str
    sort: str = ""
    cell: Callable[[Any], Any] | None = None
    template: str = ""
    numeric: bool = False
    wide: bool = False  # left out where the screen is narrow
    export: bool = True
    on_page: bool = True  # else in files only
    hidden: bool = False  # its heading is only read aloud

    @property
    def sortable(self) -> bool:
        return bool(self.sort)

    def value(self, row: Any) -> Any:
        if self.cell:
            return self.cell(row)
        value = row
        for name in (self.sort or self.key).split("__"):
            value = getattr(value, name, None)
        return value


@dataclass(frozen=True, slots=True)
class State:
    """What the address says, as far as it can be meant. `sort` is "" where nothing was chosen."""

    listing: Listing
    chosen: Mapping[str, Any]
    sort: str
    after: str

    def parameters(self, **changes: str) -> str:
        """`?...` with this state and some changes; an empty value takes a parameter out."""
        written: dict[str, str] = {}
        for each in self.listing.filters:
            if each.key in self.chosen:
                written |= each.written(self.chosen[each.key])
        written |= {"sort": self.sort, **changes}
        return "?" + urlencode({key: text for key, text in written.items() if text})

    @property
    def order(self) -> Order | None:
        name = self.sort or self.listing.sort
        column = self.listing.column(name.removeprefix("-"))
        return Order(column.sort, name.startswith("-"), column.value) if column else None


def read(request: HttpRequest, listing: Listing) -> State:
    """The state of a list in a request; never an error."""
    query = {key: values[-1] for key, values in request.GET.lists()}
    found = {each.key: each.read(query) for each in listing.filters}
    sort = query.get("sort", "")
    known = listing.column(sort.removeprefix("-")) is not None
    chosen = {key: value for key, value in found.items() if value is not None}
    return State(listing, chosen, sort if known else "", query.get("after", "")[:400])


def narrowed(rows: Rows, state: State) -> Rows:
    """The rows every chosen filter lets through."""
    for each in state.listing.filters:
        if each.key not in state.chosen:
            continue
        value = state.chosen[each.key]
        if isinstance(rows, QuerySet):
            rows = rows.filter(each.condition(value) or Q())
        elif each.keep:
            rows = [row for row in rows if each.keep(row, value)]
    return rows


def page_of(rows: Rows, state: State, after: str, size: int) -> tuple[list[Any], str]:
    """(enriched rows, the cursor of the next page or "")."""
    if isinstance(rows, QuerySet):
        found, more = stored_page(rows, state.order or Order("pk", down=False), after, size)
    else:
        found, more = memory_page(rows, state.order, after, size)
    return list(state.listing.enrich(found) if state.listing.enrich else found), more


@dataclass(frozen=True)
class Shown:
    """One page of a list, for `_listing.html`. Made by `answer`, or by a view that pages in a way of its own."""

    state: State
    rows: Sequence[Any]
    more: str
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def listing(self) -> Listing:
        return self.state.listing

    @cached_property
    def heads(self) -> list[dict[str, Any]]:
        """The columns, with where their headings lead and how they are sorted now."""
        now = self.state.sort or self.listing.sort
        heads = []
        for column in self.listing.on_page:
            up = now == column.key
            sorted_ = {column.key: "ascending", f"-{column.key}": "descending"}.get(now, "")
            turned = f"-{column.key}" if up or (column.numeric and not sorted_) else column.key
            heads.append({"column": column, "sorted": sorted_, "url": self.state.parameters(sort=turned)})
        return heads

    @cached_property
    def lines(self) -> list[tuple[Any, list[tuple[Column, Any]]]]:
        return [(row, [(column, column.value(row)) for column in self.listing.on_page]) for row in self.rows]

    @property
    def narrowed(self) -> bool:
        return bool(self.state.chosen)

    @cached_property
    def chips(self) -> list[tuple[str, str]]:
        """What is chosen, in words, each with the address without it."""
        kept = self.state.chosen
        others = {key: {k: v for k, v in kept.items() if k != key} for key in kept}
        return [
            (each.words(kept[each.key]), State(self.listing, others[each.key], self.state.sort, "").parameters() or "?")
            for each in self.listing.filters
            if each.key in kept
        ]

    @property
    def urls(self) -> dict[str, str]:
        to = self.state.parameters
        return {"more": to(after=self.more), "first": to(), "csv": to(format="csv"), "json": to(format="json")}


def answer(
    request: HttpRequest, listing: Listing, rows: Rows, template: str, context: Mapping[str, Any] | None = None
) -> HttpResponseBase:
    """The page, its table alone (for a script that changed a filter), or a file."""
    state = read(request, listing)
    fitting = narrowed(rows, state)
    if (kind := request.GET.get("format", "")) in TYPES:
        keys = [column.key for column in listing.exported]
        return export(request, kind, listing.name, keys, lambda: batches(fitting, state))
    found, more = page_of(fitting, state, state.after, listing.size)
    return rendered(request, Shown(state, found, more), template, context)


def rendered(
    request: HttpRequest, shown: Shown, template: str, context: Mapping[str, Any] | None = None
) -> HttpResponse:
    """A page with a list, or only the list."""
    alone = request.headers.get("HX-Target") == f"listing-{shown.listing.name}"
    response = render(request, "dashboard/_listing.html" if alone else template, {**(context or {}), "listing": shown})
    if alone:
        response["HX-Push-Url"] = request.path + shown.state.parameters().removesuffix("?")
    patch_vary_headers(response, ["HX-Target"])
    return response


def batches(rows: Rows, state: State) -> Iterator[list[list[Any]]]:
    """All rows that fit as cells, a few hundred at a time, LIMIT at most."""
    after, sent = "", 0
    while sent < LIMIT:
        found, after = page_of(rows, state, after, min(BATCH, LIMIT - sent))
        yield [[column.value(row) for column in state.listing.exported] for row in found]
        sent += len(found)
        if not after:
            return
