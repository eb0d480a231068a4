from django.urls import path, re_path

from races.live.consumers import RaceSocket, UnknownSocket

websocket_urlpatterns = [
    path("ws/races/<uuid:race_id>/", RaceSocket.as_asgi()),
    re_path("", UnknownSocket.as_asgi()),  # every other address, or the router ends with a traceback
]
