"""Race history for staff: to look through, export and delete; what happened is not edited."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html

from races.models import (
    Alarm,
    Circuit,
    CommentaryLine,
    ControlMessage,
    Driver,
    InjectedFault,
    Lap,
    Race,
    Result,
    Team,
)

admin.site.site_header = admin.site.site_title = "F1 streaming lab"
CELL_ESCAPES = ("=", "+", "-", "@", "\t", "\r")


if TYPE_CHECKING:  # generic in the types only
    Admin = admin.ModelAdmin[Any]
    Inline = admin.TabularInline[Any, Any]
else:
    Admin, Inline = admin.ModelAdmin, admin.TabularInline


class HistoryAdmin(Admin):
    """Readable and deletable, never writable."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
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
    fields = (
        "position",
        "grid",
        "driver_code",
        "driver_name",
        "team_name",
        "gap_s",
        "best_lap_s",
        "stops",
        "status",
    )


class FaultInline(HistoryInline):
    model = InjectedFault


def cell(value: Any) -> Any:
    """A value for a spreadsheet, which must not take a name for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(CELL_ESCAPES) else value


@admin.register(Race)
class RaceAdmin(HistoryAdmin):
    list_display = (
        "created_at",
        "circuit_name",
        "laps",
        "driver",
        "status",
        "winner",
        "missing_ticks",
        "page",
    )
    list_filter = ("status", "circuit_name", "team_name", "anomaly_detection", "incidents", "created_at")
    search_fields = ("id", "driver_code", "driver_name", "circuit_name", "seed")
    date_hierarchy = "created_at"
    inlines = (ResultInline, FaultInline)
    exclude = ("frozen", "client", "lease_owner", "lease_counter")
    actions = ("export_results",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("results")

    @admin.display(description="driver", ordering="driver_code")
    def driver(self, race: Race) -> str:
        return f"{race.driver_code} {race.driver_name}"

    @admin.display(description="winner")
    def winner(self, race: Race) -> str:
        return next((row.driver_name for row in race.results.all() if row.position == 1), "–")

    @admin.display(description="report")
    def page(self, race: Race) -> str:
        return format_html('<a href="{}">open</a>', race.get_absolute_url())

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A race that runs is stopped first, on its page."""
        if isinstance(obj, Race) and obj.is_active:
            return False
        return super().has_delete_permission(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        running = queryset.filter(status__in=("queued", "running")).count()
        if running:
            messages.warning(
                request, f"{running} races are still running and stay; stop them on their pages first."
            )
        for race_id in list(queryset.exclude(status__in=("queued", "running")).values_list("pk", flat=True)):
            Race.objects.filter(pk=race_id).delete()

    @admin.action(description="Export the results of the selected races as CSV")
    def export_results(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="results.csv"'
        writer = csv.writer(response)
        columns = (*ResultInline.fields, "average_speed_kmh")
        writer.writerow(["race", "circuit", "laps", "seed", *columns])
        for race in queryset:
            for row in race.results.all():
                values = [
                    race.pk,
                    race.circuit_name,
                    race.laps,
                    race.seed,
                    *(getattr(row, name) for name in columns),
                ]
                writer.writerow([cell(value) for value in values])
        return response


class RaceRowAdmin(HistoryAdmin):
    list_select_related = ("race",)
    raw_id_fields = ("race",)


@admin.register(Result)
class ResultAdmin(RaceRowAdmin):
    list_display = ("race", "position", "driver_code", "driver_name", "team_name", "gap_s", "stops", "status")
    list_filter = ("team_name", "status")
    search_fields = ("driver_code", "driver_name", "race__id")


@admin.register(Lap)
class LapAdmin(RaceRowAdmin):
    list_display = ("race", "driver_code", "lap", "time_s", "position", "tyre", "tyre_age")
    list_filter = ("driver_code", "tyre")
    search_fields = ("race__id", "driver_code")


@admin.register(CommentaryLine)
class CommentaryAdmin(RaceRowAdmin):
    list_display = ("race", "timestamp", "type", "message")
    list_filter = ("type",)
    search_fields = ("message", "race__id")


@admin.register(ControlMessage)
class ControlAdmin(RaceRowAdmin):
    list_display = ("race", "tick", "type", "driver_code", "message")
    list_filter = ("type",)
    search_fields = ("message", "driver_code", "race__id")


@admin.register(Alarm)
class AlarmAdmin(RaceRowAdmin):
    list_display = ("race", "driver_code", "kind", "severity", "start_ms", "end_ms", "size_c")
    list_filter = ("severity", "kind")
    search_fields = ("driver_code", "race__id")


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
