from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("races.urls")),
    path("admin/", admin.site.urls),
]
handler404 = "races.views.not_found"
