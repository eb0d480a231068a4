from django.urls import path

from races.live.sockets import RaceSocket, UnknownSocket

websocket_urlpatterns = [
    path("ws/races/<uuid:race_id>/", RaceSocket.as_asgi()),
    path("ws/<path:anything>", UnknownSocket.as_asgi()),
]
