"""Known vulnerabilities among the packages of requirements.txt, where they can be looked up.

Exits with 1 when one is found, and only then: a network without the service, or an index in between that knows
none of the packages, is said in a line and holds nothing up.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

REQUIREMENTS = Path(__file__).resolve().parents[1] / "requirements.txt"
SERVICES = ("pypi", "osv")  # pip-audit's own names; the second is asked when the first knows nothing
ANSWER_S, WHOLE_S = 5, 60
Packages = list[dict[str, Any]]


def ask(service: str) -> Packages:
    """What the service says of each package; nothing where it did not answer."""
    command = [sys.executable, "-m", "pip_audit", "-r", str(REQUIREMENTS), "-s", service]
    options = ["-f", "json", "--progress-spinner", "off", "--timeout", str(ANSWER_S)]
    try:
        done = subprocess.run([*command, *options], capture_output=True, timeout=WHOLE_S, check=False)
        return list(json.loads(done.stdout)["dependencies"])
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        return []


def verdict(ask: Callable[[str], Packages]) -> tuple[int, list[str]]:
    """The exit code and what to say."""
    for service in SERVICES:
        packages = ask(service)
        known = [package for package in packages if "skip_reason" not in package]
        if known:
            found = [line for package in known for line in flaws(package)]
            unknown = f", {len(packages) - len(known)} unknown to {service}" * (len(packages) > len(known))
            return int(bool(found)), [*found, f"audit: {len(known)} packages, {len(found)} flaws{unknown}"]
    return 0, ["audit: not done, no service for known vulnerabilities answered from here"]


def flaws(package: dict[str, Any]) -> list[str]:
    name = f"{package['name']} {package['version']}"
    return [
        f"{name}: {flaw['id']}, mended in {', '.join(flaw['fix_versions']) or 'no version yet'}"
        for flaw in package["vulns"]
    ]


if __name__ == "__main__":
    code, lines = verdict(ask)
    print("\n".join(lines))
    sys.exit(code)
