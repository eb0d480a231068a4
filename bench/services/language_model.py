"""A language model behind an OpenAI-compatible address: it says again what it is asked, late or never if need be."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from bench.services.http_server import serving


@dataclass
class SpokenModel:
    """asked: the prompts. keys: the Authorization headers. broken: it answers 500. takes_s: so late it answers."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    broken: bool = False
    takes_s: float = 0.0


@contextmanager
def serve_model(takes_s: float = 0.0) -> Iterator[SpokenModel]:
    """Its answer to a prompt is SAID and the prompt."""
    model = SpokenModel(takes_s=takes_s)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            prompt = body["messages"][-1]["content"]
            prompt = prompt if isinstance(prompt, str) else prompt[0]["text"]
            model.asked.append(prompt)
            model.keys.add(self.headers.get("Authorization", ""))
            time.sleep(model.takes_s)
            answer = {
                "id": "1",
                "object": "chat.completion",
                "created": 1,
                "model": body["model"],
                "choices": [
                    {
                        "index": 0,
                        "message": {"role": "assistant", "content": f"SAID {prompt}"},
                        "finish_reason": "stop",
                    }
                ],
            }
            data = json.dumps({"error": {"message": "broken"}} if model.broken else answer).encode()
            self.send_response(500 if model.broken else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with serving(Handler) as address:
        model.url = f"{address}/v1"
        yield model
