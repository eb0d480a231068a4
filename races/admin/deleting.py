"""Deleting races in the admin: it asks first and shows what goes; races that run stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.db.models import Max, Min, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import pluralize
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from races.models import Race, RaceQuerySet
from races.models.retention import delete_each, old_races, rows_to_delete

KEPT, SHOWN = 50, 20  # races: kept unless another number is asked for; named before they are deleted
MOST = 900  # a form's fields are limited, and each selected race is one

if TYPE_CHECKING:  # generic in the types only
    Admin = admin.ModelAdmin[Any]
    Inline = admin.TabularInline[Any, Any]
else:
    Admin, Inline = admin.ModelAdmin, admin.TabularInline


class KeepForm(forms.Form):
    keep = forms.IntegerField(label="How many of the newest races stay?", min_value=0, max_value=1_000_000)


class DeletesRaces(Admin):
    def get_urls(self) -> list[URLPattern]:
        old = path("old/", self.admin_site.admin_view(self.old_view), name="races_race_old")
        return [old, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may = {"has_delete_permission": self.has_delete_permission(request)}
        try:
            return super().changelist_view(request, {**may, **(extra_context or {})})
        except ValidationError as error:  # selected by an id that is none; Django's own admin answers 500
            raise BadRequest("a selection that the list did not offer") from error

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Asks for the right to delete races only, not for each kind of row. A running race is stopped first, on its
        page.
        """
        running = isinstance(obj, Race) and obj.is_active
        return not running and bool(request.user.has_perm("races.delete_race"))

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """Counts what goes with one race, for its page.

        Django's own method loads every row, stored frames too, and asks for the right to delete each.
        """
        races = list(objs)
        counts = rows_to_delete(Race.objects.filter(pk__in=[race.pk for race in races]))
        return [str(race) for race in races], counts, set(), []

    @admin.action(description="Delete the selected races", permissions=["delete"])
    def delete_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        selected = Race.objects.filter(pk__in=queryset.order_by().values("pk"))
        chosen, running = selected.ended(), selected.active().count()
        if running:
            words = f"Still running and left out: {running}. A race is stopped on its page first."
            messages.warning(request, words)
        if chosen.count() > MOST:
            words = f"More than {MOST} races at once: use “Delete old races” above the list."
            messages.error(request, words)
            return None
        if not chosen.exists():
            return None
        if request.POST.get("post"):
            self._delete(request, chosen)
            return None
        hidden = [(ACTION_CHECKBOX_NAME, pk) for pk in chosen.values_list("pk", flat=True)]
        return self._ask(request, chosen, [("action", "delete_selected"), *hidden])

    def old_view(self, request: HttpRequest) -> HttpResponse:
        """All but the newest `keep`: asks how many first, then whether."""
        if not self.has_delete_permission(request):
            raise PermissionDenied
        form = KeepForm(request.POST or request.GET or {"keep": KEPT})
        if not form.is_valid():
            return self._ask(request, Race.objects.none(), [], form)
        keep = form.cleaned_data["keep"]
        if request.method == "POST":
            self._delete(request, old_races(keep))
            return redirect("admin:races_race_changelist")
        return self._ask(request, old_races(keep), [("keep", keep)], form)

    def _ask(
        self, request: HttpRequest, races: RaceQuerySet, hidden: list[tuple[str, Any]], form: Any = None
    ) -> HttpResponse:
        ends = races.aggregate(first=Min("created_at"), last=Max("created_at"))
        context = {
            **self.admin_site.each_context(request),
            "title": "Delete races" if form is None else "Delete old races",
            "opts": self.opts,
            "counts": rows_to_delete(races),
            "shown": races[:SHOWN],
            "more": max(races.count() - SHOWN, 0),
            "hidden": hidden,
            "form": form,
            **ends,
        }
        return TemplateResponse(request, "admin/races/race/delete.html", context)

    def _delete(self, request: HttpRequest, races: RaceQuerySet) -> None:
        self.log_deletions(request, races)
        count = delete_each(races)
        messages.success(
            request, f"{count} race{pluralize(count)} deleted, with all that was stored of them."
        )
