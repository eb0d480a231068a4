"""Every address of the site, of the API and of the health checks, and the view behind each."""

from django.urls import URLPattern, URLResolver, path

from races.health import metrics
from races.health import views as health
from races.views import api, classes, guide, pages, registry, report, sql, standings, stream

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.index, name="index"),
    path("j/<slug:code>/", pages.join, name="join"),
    path("races/", pages.races, name="races"),
    path("races/<uuid:race_id>/", pages.race, name="race"),
    path("races/<uuid:race_id>/stop/", pages.stop, name="stop"),
    path("races/<uuid:race_id>/report.json", report.download_json, name="report-json"),
    path("races/<uuid:race_id>/preview.png", report.preview, name="report-preview"),
    path("races/<uuid:race_id>/<slug:what>.csv", report.download_csv, name="report-csv"),
    path("races/<uuid:race_id>/<slug:what>.parquet", report.download_parquet, name="report-parquet"),
    path("races/<slug:what>.csv", report.download_all, {"form": "csv"}, name="all-csv"),
    path("races/<slug:what>.parquet", report.download_all, {"form": "parquet"}, name="all-parquet"),
    path("races/<uuid:race_id>/replay/", report.replay_page, name="replay"),
    path("races/<uuid:race_id>/replay/<int:tick>/", report.replay_tick, name="replay-tick"),
    path("races/<uuid:race_id>/replay/<int:tick>/on/", report.replay_on, name="replay-on"),
    path("class/", classes.classes, name="classes"),
    path("class/<slug:code>/", classes.page, name="class"),
    path("class/<slug:code>/now/", classes.now, name="class-now"),
    path("class/<slug:code>/join/", classes.join_class, name="class-join"),
    path("class/<slug:code>/teach/", classes.teach, name="class-teach"),
    path("standings/", standings.page, name="standings"),
    path("races/<uuid:race_id>/stream/", stream.stream_page, name="stream"),
    path("races/<uuid:race_id>/stream/now/", stream.stream_now, name="stream-now"),
    path("races/<uuid:race_id>/stream/drill/", stream.drill, name="drill"),
    path("races/<uuid:race_id>/record/", stream.record_behind, name="record-behind"),
    path(
        "races/<uuid:race_id>/record/<slug:role>/<int:partition>/<int:offset>/", stream.record, name="record"
    ),
    path("api/", api.api.urls),
    path("lab/", guide.page, name="guide"),
    path("lab/<slug:name>/", guide.page, name="guide-page"),
    path("lab/<slug:name>/work/", guide.work, name="guide-work"),
    path("sql/", sql.page, name="sql"),
    path("sql/run/", sql.run, name="sql-run"),
    path("sql/changes/", sql.changes, name="sql-changes"),
    path("sql/<int:statement_id>/stop/", sql.stop, name="sql-stop"),
    path("sql/<int:statement_id>/forget/", sql.forget, name="sql-forget"),
    path("livez", health.livez, name="livez"),
    path("healthz", health.healthz, name="healthz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("registry/", registry.registry, {"path": ""}, name="registry"),
    path("registry/<path:path>", registry.registry),
]
