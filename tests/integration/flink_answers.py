"""What a dashboard says of everything it knows."""

from __future__ import annotations

import requests


def all_answers(rest_url: str) -> str:
    """Every answer about jobs, configuration and logs, as one text."""
    with requests.Session() as http:

        def ask(path: str) -> str:
            return http.get(rest_url + path, timeout=10).text

        jobs = [job["jid"] for job in http.get(f"{rest_url}/jobs/overview", timeout=10).json()["jobs"]]
        of_jobs = [
            "",
            "/config",
            "/plan",
            "/exceptions",
            "/checkpoints",
            "/checkpoints/config",
            "/accumulators",
        ]
        everywhere = [
            "/config",
            "/jobmanager/config",
            "/jobmanager/environment",
            "/jobmanager/log",
            "/taskmanagers",
        ]
        return "\n".join(
            [*map(ask, everywhere), *(ask(f"/jobs/{job}{what}") for job in jobs for what in of_jobs)]
        )
