"""Terraform's configuration of the lab is the one that the commands' lists give."""

from __future__ import annotations

import re

import pytest

from provisioning.resources.service_account import ROLE
from provisioning.terraform.__main__ import FILE, main, written
from races.flink.statements import statements
from races.streams.topics import DEFAULT_NAMES


def test_file_is_the_written_one() -> None:
    """After a change of topics, schemas or SQL: python -m provisioning.terraform."""
    assert FILE.read_text(encoding="utf-8") == written()
    assert main(["--check"]) == 0


def test_everything_is_in_it() -> None:
    """All topics, as a resource or by a table; the role; both kinds of statement; braces match."""
    text = written()
    for name in DEFAULT_NAMES.values():
        assert f'"{name}"' in text or f"`{name}`" in text
    assert f'role_name   = "{ROLE}"' in text
    for made in statements():
        wanted = made.kind in ("table", "query") and made.group != "commentary"
        assert (f"-{made.name}" in text) == wanted
    assert text.count('resource "confluent_api_key"') == 3
    assert text.count("<<-EOT") == len(re.findall(r"^EOT$", text, re.M))


def test_its_own_parser_reads_it() -> None:
    hcl2 = pytest.importorskip("hcl2")
    found = hcl2.loads(written())
    assert len(found["resource"]) == 24
