"""The lab guide in the running site: Markdown of our own repository, rendered once."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import markdown
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from races.lab.guide_work import all_boxes, answer, boxes_of
from races.middleware.allowed_methods import allow_methods
from races.models.classes import saw
from races.streams import connection
from races.streams.errors import StreamError

PRINTED = "http://127.0.0.1:8000"  # as the files name the lab
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
    for name in ("pre", "table"):  # what scrolls sideways can be reached with the keyboard
        text = text.replace(f"<{name}>", f'<{name} tabindex="0">')
    text = text.replace("<th></th>", "<td></td>")  # a corner without words heads nothing
    return mark_safe(text)  # noqa: S308  (our own files)


def _address(link: re.Match[str]) -> str:
    page = "" if link[1] == "README" else f"{link[1]}/"
    return f'href="/lab/{page}{link[2] or ""}"'


@allow_methods("GET")
def page(request: HttpRequest, name: str = "") -> HttpResponse:
    return _page(request, name)


def _page(
    request: HttpRequest, name: str, trouble: str = "", words: str = "", status: int = 200
) -> HttpResponse:
    """trouble: the box that could not be checked; words: why."""
    known = documents()
    if name not in known:
        raise Http404
    client: str = request.client_id  # type: ignore[attr-defined]  # ClientMiddleware adds it
    saw(client, name)
    parts = [(stem, _title(path)) for stem, path in known.items() if PAGE.fullmatch(stem)]
    order = [("", _title(known[""])), *parts]
    at = next((place for place, (stem, _) in enumerate(order) if stem == name), None)
    context = {
        "name": name,
        "title": _title(known[name]),
        "text": with_address(rendered(known[name]), request.build_absolute_uri("/").rstrip("/")),
        "parts": parts,
        "before": order[at - 1] if at else None,
        "after": order[at + 1] if at is not None and at + 1 < len(order) else None,
        "boxes": boxes_of(client, name),
        "trouble": trouble,
        "words": words,
    }
    return render(request, "races/guide.html", context, status=status)


@allow_methods("POST")
def work(request: HttpRequest, name: str) -> HttpResponse:
    """Checks what a learner wrote into a box: POST exercise, answer."""
    box = next(
        (one for one in all_boxes() if (one.part, one.name) == (name, request.POST.get("exercise"))), None
    )
    if box is None:
        raise Http404
    client: str = request.client_id  # type: ignore[attr-defined]  # ClientMiddleware adds it
    try:
        answer(client, box, request.POST.get("answer", ""))
    except (StreamError, connection.NoKafka) as error:
        return _page(request, name, box.name, f"This cannot be checked just now: {error}", 503)
    response = redirect(f"{reverse('guide-page', args=[name])}#work-{box.name}")
    response.status_code = 303
    return response


def with_address(text: SafeString, address: str) -> SafeString:
    """The guide as it is for who reads it here: its commands name this lab's own address."""
    return mark_safe(text.replace(PRINTED, escape(address)))  # noqa: S308  (our own files)


@cache
def _title(path: Path) -> str:
    return path.read_text(encoding="utf-8").split("\n", 1)[0].lstrip("# ")
