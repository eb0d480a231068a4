"""Text under uvicorn that is no text: it would log a traceback for each, and another where its sender has closed
meanwhile. It is handed over as bytes, which this application takes from nobody.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module
from typing import Any

from races.live.wire import UVICORN


def install() -> None:
    """Where uvicorn runs; it loads its protocol with the first socket only."""
    module, name = UVICORN
    if "uvicorn" in sys.modules:
        with suppress(ImportError):  # it runs with another one
            _check_text(getattr(import_module(module), name))


def _check_text(protocol_class: Any) -> None:
    hand_over = protocol_class.send_receive_event_to_app

    def checked(protocol: Any) -> None:
        if protocol.curr_msg_data_type == "text" and not _is_text(b"".join(protocol.frames)):
            protocol.curr_msg_data_type = "bytes"
        hand_over(protocol)

    protocol_class.send_receive_event_to_app = checked


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
