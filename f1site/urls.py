"""The addresses of the admin, and under them all those of the lab."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("races.urls")),
    path("admin/", admin.site.urls),
]
handler400 = "races.views.pages.bad_request"
handler404 = "races.views.pages.not_found"
