"""Whoever installs requirements.txt can import all of the lab: what the tests need on top is hidden here."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import packages_distributions, requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.docs.guide import ROOT

IMPORT_ALL = """
import os, pkgutil, sys
from importlib import import_module

sys.modules.update(dict.fromkeys(sys.argv[1:]))
os.environ["DJANGO_SETTINGS_MODULE"] = "f1site.settings"
import django

django.setup()
for package in map(import_module, ("f1site", "races", "provisioning")):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
            print(module.name)
"""


def needed() -> set[str]:
    """The packages of requirements.txt with all that they need in turn."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    open_ = [Requirement(line) for line in lines if not line.startswith("#")]
    names: set[str] = set()
    seen: set[str] = set()
    while open_:
        one = open_.pop()
        names.add(canonicalize_name(one.name))
        if str(one) not in seen:
            seen.add(str(one))
            open_ += needs_of(one)
    return names


def needs_of(one: Requirement) -> list[Requirement]:
    extras = one.extras or {""}
    needs = map(Requirement, requires(one.name) or ())
    return [
        need
        for need in needs
        if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in extras)
    ]


def test_the_lab_imports_nothing_that_only_its_tests_install() -> None:
    lab = needed()
    hidden = [
        module
        for module, owners in packages_distributions().items()
        if lab.isdisjoint(map(canonicalize_name, owners))
    ]
    assert {"pytest", "uvicorn", "websockets"} <= set(hidden)
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, *hidden],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "f1site.asgi" in done.stdout.split()
