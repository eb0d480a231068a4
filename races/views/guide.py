"""The lab guide in the running site: Markdown of our own repository, rendered once."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import markdown
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString, mark_safe

from races.middleware.allowed_methods import allow_methods

PAGE = re.compile(r"[0-9]{2}-[a-z-]+")
# Another page of the docs, from the guide or from beside it, with or without a heading's id
LINKS = re.compile(r'href="(?:\./|\.\./|lab/)?([0-9]{2}-[a-z-]+|[a-z]+|README)\.md(#[^"]*)?"')


def _folder() -> Path:
    return Path(settings.BASE_DIR) / "docs"


def documents() -> dict[str, Path]:
    """The guide's parts and the pages it leads to, by the last part of their address."""
    guide = {path.stem: path for path in sorted((_folder() / "lab").glob("[0-9]*.md"))}
    return (
        {"": _folder() / "lab" / "README.md"} | guide | {path.stem: path for path in _folder().glob("*.md")}
    )


@cache
def rendered(path: Path) -> SafeString:
    text = markdown.markdown(
        path.read_text(encoding="utf-8"),
        extensions=["fenced_code", "tables", "md_in_html", "toc"],  # toc gives each heading its id
    )
    text = LINKS.sub(_address, text)
    text = text.replace(' style="text-align: right;"', "")  # tables' alignment is the style sheet's
    text = text.replace(
        "<pre>", '<pre tabindex="0">'
    )  # what scrolls sideways can be reached with the keyboard
    text = text.replace("<th></th>", "<td></td>")  # a corner without words heads nothing
    return mark_safe(text)  # noqa: S308  (our own files)


def _address(link: re.Match[str]) -> str:
    page = "" if link[1] == "README" else f"{link[1]}/"
    return f'href="/lab/{page}{link[2] or ""}"'


@allow_methods("GET")
def page(request: HttpRequest, name: str = "") -> HttpResponse:
    known = documents()
    if name not in known:
        raise Http404
    parts = [(stem, _title(path)) for stem, path in known.items() if PAGE.fullmatch(stem)]
    context = {"name": name, "title": _title(known[name]), "text": rendered(known[name]), "parts": parts}
    return render(request, "races/guide.html", context)


@cache
def _title(path: Path) -> str:
    return path.read_text(encoding="utf-8").split("\n", 1)[0].lstrip("# ")
