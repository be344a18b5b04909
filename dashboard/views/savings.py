"""What was spent, and what the same traffic would have cost on one paid model."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboard import figures
from dashboard.charts.pairs import Pair, pairs
from dashboard.queries import mode
from dashboard.queries.prices import Yardstick
from dashboard.queries.savings import DEFAULT, RANGES, Savings, Use, chosen, savings, yardsticks
from dashboard.sheets import Sheet, as_csv
from rotation import switches


@require_safe
def savings_page(request: HttpRequest) -> HttpResponse:
    """`?days=` one of RANGES, `?model=provider/model`; `?format=csv|json` for programs."""
    name = request.GET.get("days", DEFAULT)
    days = RANGES.get(name, RANGES[DEFAULT])
    simulated, known = mode.simulated(), yardsticks()
    compared = chosen(request.GET.get("model", ""), switches.value("savings_model"), known)
    found = savings(timezone.now(), days=days, simulated=simulated, compared=compared)
    match request.GET.get("format"):
        case "csv":
            return HttpResponse(as_csv(sheet(found)), content_type="text/csv; charset=utf-8", headers=SAVED)
        case "json":
            return JsonResponse(plain(found, compared), json_dumps_params={"indent": 2})
    context = {
        "found": found,
        "chart": drawn(found, compared, days),
        "compared": compared,
        "known": known,
        "days": str(days),
        "ranges": RANGES,
        "simulated": simulated,
        "share": figures.percent(float(found.whole.saved), float(found.whole.instead)),
    }
    return render(request, "dashboard/savings.html", context)


SAVED = {"Content-Disposition": 'attachment; filename="savings.csv"'}


def drawn(found: Savings, compared: Yardstick, days: int) -> Any:
    spent, instead = figures.money(found.whole.spent), figures.money(found.whole.instead)
    summary = f"The last {days} days: {spent} spent, {instead} on {compared.model}. Also as a table."
    return pairs([Pair(at, use.spent, use.instead) for at, use in found.days], summary=summary)


def sheet(found: Savings) -> Sheet:
    columns = ("Day", "Answered", "Tokens in", "Tokens out", "Spent USD", "Instead USD", "Saved USD")
    return Sheet("savings", "Savings", columns, [[f"{at:%Y-%m-%d}", *cells(use)] for at, use in found.days])


def cells(use: Use) -> list[str]:
    return [*map(str, (use.answered, use.tokens_in, use.tokens_out)), *map(usd, (use.spent, use.instead, use.saved))]


def usd(amount: Decimal) -> str:
    return f"{amount:.6f}"


def plain(found: Savings, compared: Yardstick) -> dict[str, Any]:
    return {
        "compared": {"model": compared.model, "price_in": compared.price_in, "price_out": compared.price_out},
        "whole": flat(found.whole),
        "days": [{"day": at.date(), **flat(use)} for at, use in found.days],
        "models": [{"model": deployment.name, **flat(use)} for deployment, use in found.models],
    }


def flat(use: Use) -> dict[str, Any]:
    counts = {"answered": use.answered, "tokens_in": use.tokens_in, "tokens_out": use.tokens_out}
    return {**counts, "spent": usd(use.spent), "instead": usd(use.instead), "saved": usd(use.saved)}
