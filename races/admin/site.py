"""Race history for staff: to look through and export; whole races can be deleted, nothing else changes."""

from __future__ import annotations

import csv
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import pluralize
from django.utils.html import format_html
from django.utils.timezone import localtime

from races.admin.deleting import Admin, DeletesRaces, Inline
from races.lib.csv import escape_cell
from races.models import (
    Alarm,
    Circuit,
    Classroom,
    CommentaryLine,
    ControlMessage,
    Driver,
    InjectedFault,
    Lap,
    Member,
    Race,
    Result,
    Team,
    moment,
)

admin.site.site_header = admin.site.site_title = "F1 streaming lab"
EXPORTED = (
    "position", "grid", "driver_code", "driver_name", "team_name", "laps", "laps_down", "gap_s", "best_lap_s",
    "stints", "stops", "status", "average_speed_kmh",
)  # fmt: skip


def minute(instant: datetime) -> str:
    return f"{localtime(instant):%Y-%m-%d %H:%M}"


class HistoryAdmin(Admin):
    """Readable only: what happened is neither edited nor taken out in pieces."""

    class Media:
        css = {"all": ["races/admin.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class HistoryInline(Inline):
    extra = 0
    can_delete = False
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ResultInline(HistoryInline):
    model = Result
    # the first four are what a phone shows without scrolling
    fields = (
        "position", "driver_code", "gap_s", "status", "grid", "laps", "laps_down", "best_lap_s", "all_stints", "stops",
        "driver_name", "team_name",
    )  # fmt: skip
    readonly_fields = ("all_stints",)


class FaultInline(HistoryInline):
    model = InjectedFault


@admin.register(Race)
class RaceAdmin(DeletesRaces, HistoryAdmin):
    # the first three are what a phone shows without scrolling
    list_display = ("when", "circuit_name", "page", "status", "driver", "laps", "winner", "missing_ticks")
    list_filter = ("status", "circuit_name", "team_name", "anomaly_detection", "incidents", "created_at")
    search_fields = ("id__istartswith", "driver_code", "driver_name", "circuit_name", "seed")
    date_hierarchy = "created_at"
    inlines = (ResultInline, FaultInline)
    fieldsets = (
        (None, {"fields": ("when", "circuit_name", "laps", "pace", "seed", "driver", "team_name")}),
        ("How it went", {"fields": ("status", "status_reason", "ended", "lap", "missing_ticks", "page")}),
        ("How it was set up", {"fields": ("incidents", "anomaly_detection", "model_version")}),
        (
            "Where its publishing stands",
            {
                "classes": ("collapse",),
                "fields": (
                    "waiting_for", "stop_requested", "stop_tick", "started_ms", "waits", "published_tick",
                    "reserved_tick", "published_over", "recorded_tick",
                ),
            },
        ),
    )  # fmt: skip
    actions = ("stop_selected", "delete_selected", "export_results")
    change_list_template = "admin/races/race/list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("frozen").prefetch_related("results")

    @admin.display(description="started (UTC)", ordering="created_at")
    def when(self, race: Race) -> str:
        return minute(race.created_at)

    @admin.display(description="ended (UTC)")
    def ended(self, race: Race) -> str:
        return minute(race.ended_at) if race.ended_at else "–"

    @admin.display(description="driver", ordering="driver_code")
    def driver(self, race: Race) -> str:
        return f"{race.driver_code} {race.driver_name}"

    @admin.display(description="winner")
    def winner(self, race: Race) -> str:
        """A race that was stopped has a leader only."""
        if race.status != Race.Status.FINISHED:
            return "–"
        return next((row.driver_name for row in race.results.all() if row.position == 1), "–")

    @admin.display(description="page")
    def page(self, race: Race) -> str:
        words = "live" if race.is_active else "report"
        return format_html('<a href="{}">{}</a>', race.get_absolute_url(), words)

    @admin.action(description="Stop the selected races", permissions=["delete"])
    def stop_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Shows a red flag in each that runs. Who may delete a race may stop it, as on its page."""
        count = Race.objects.filter(pk__in=queryset.order_by().values("pk")).request_stop()
        messages.success(request, f"{count} race{pluralize(count)} will stop.")

    @admin.action(description="Export the results of the selected races as CSV")
    def export_results(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="results.csv"'
        writer = csv.writer(response)
        writer.writerow(["race", "circuit", "distance_laps", "seed", *EXPORTED])
        for race in queryset:
            for row in race.results.all():
                values = [
                    race.pk,
                    race.circuit_name,
                    race.laps,
                    race.seed,
                    *(row.all_stints if name == "stints" else getattr(row, name) for name in EXPORTED),
                ]
                writer.writerow([escape_cell(value) for value in values])
        return response


class MemberInline(HistoryInline):
    model = Member
    fields = ("name", "driver_code", "seen_at", "removed")


@admin.register(Classroom)
class ClassroomAdmin(HistoryAdmin):
    """Classes are made and led on their own pages. Here an old one is deleted, with the names in it."""

    list_display = ("code", "created_at", "circuit", "is_open", "members_only", "page")
    search_fields = ("code", "members__name")
    inlines = (MemberInline,)
    exclude = ("client",)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.has_perm("races.delete_classroom"))

    @admin.display(description="page")
    def page(self, classroom: Classroom) -> str:
        return format_html('<a href="{}">{}</a>', classroom.get_absolute_url(), "page")


class RaceRowAdmin(HistoryAdmin):
    """Rows of all races, the newest race's first. What tells them apart comes first: a phone shows three columns."""

    list_select_related = ("race",)
    raw_id_fields = ("race",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("race__frozen")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("-race__created_at", *self.model._meta.ordering)

    @admin.display(description="race")
    def of(self, row: Any) -> str:
        return f"{row.race.circuit_name}, {row.race.driver_code}, {minute(row.race.created_at)}"

    @admin.display(description="at (replay)")
    def at(self, row: Any) -> str:
        return moment(row.race.tick_at(row.timestamp))


@admin.register(Result)
class ResultAdmin(RaceRowAdmin):
    list_display = (
        "position",
        "driver_code",
        "of",
        "status",
        "gap_s",
        "all_stints",
        "stops",
        "driver_name",
        "team_name",
    )
    list_filter = ("team_name", "status")
    search_fields = ("driver_code", "driver_name", "race__id")


@admin.register(Lap)
class LapAdmin(RaceRowAdmin):
    list_display = ("lap", "driver_code", "time_s", "position", "of", "tyre", "tyre_age")
    list_filter = ("driver_code", "tyre")
    search_fields = ("race__id", "driver_code")


@admin.register(CommentaryLine)
class CommentaryAdmin(RaceRowAdmin):
    list_display = ("at", "message", "type", "of")
    list_filter = ("type",)
    search_fields = ("message", "race__id")


@admin.register(ControlMessage)
class ControlAdmin(RaceRowAdmin):
    list_display = ("at", "message", "type", "driver_code", "of")
    list_filter = ("type",)
    search_fields = ("message", "driver_code", "race__id")


@admin.register(Alarm)
class AlarmAdmin(RaceRowAdmin):
    list_display = ("driver_code", "kind", "at", "until", "severity", "size_c", "of")
    list_filter = ("severity", "kind")
    search_fields = ("driver_code", "race__id")

    @admin.display(description="at (replay)")
    def at(self, row: Any) -> str:
        return moment(row.race.tick_at(row.start_ms))

    @admin.display(description="until")
    def until(self, row: Any) -> str:
        return "–" if row.end_ms is None else moment(row.race.tick_at(row.end_ms))


@admin.register(Driver)
class DriverAdmin(HistoryAdmin):
    list_display = ("code", "name", "number", "team")
    list_filter = ("team",)
    search_fields = ("code", "name")


@admin.register(Team)
class TeamAdmin(HistoryAdmin):
    list_display = ("name", "engine", "colour")


@admin.register(Circuit)
class CircuitAdmin(HistoryAdmin):
    list_display = ("name", "country", "length_m", "laps", "turns")
    search_fields = ("name", "country")
