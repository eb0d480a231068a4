"""Whatever is posted to the site's forms: an answer in words, no race begun or lost, and what was typed as text."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from itertools import product
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.test import Client, override_settings
from django.utils import timezone
from hypothesis import strategies as st

from races.middleware.visitors import COOKIE
from races.models import Race
from races.models.creation import Choice, create_race
from races.sim import circuit_slugs, load_season
from tests.fakes.fuzzing import FEW, MANY, MARKUP, UNESCAPED, Counted, shapes, sweep

pytestmark = pytest.mark.django_db
GOOD = {"driver": "NOR", "circuit": "monza", "laps": "3", "pace": "12", "seed": "1", "incidents_asked": "1"}
CODES = {driver.code for driver in load_season().drivers}
NUMBER = re.compile(r"[+-]?[\d_]+(\.0*)?")
SHOWN = 40  # characters of what was typed

ODD = (
    st.sampled_from(MARKUP)
    | st.text(max_size=60)
    | st.builds("{}{}".format, st.text(), st.sampled_from(MARKUP))
)
NO_NUMBER = st.one_of(
    st.sampled_from(["1e3", "0x10", "9" * 5000, "NaN", "-inf", "1,5", "½", "1 2", "null", "\0"]),
    (st.integers(max_value=-1) | st.integers(min_value=2**31)).map(str),
    ODD.filter(lambda text: text.strip() and not NUMBER.fullmatch(text.strip())),
)
WRONG = {
    "driver": ODD.filter(lambda text: text.strip().upper() not in CODES),
    "circuit": ODD.filter(lambda text: text.strip() and text.strip() not in circuit_slugs()),
    "laps": NO_NUMBER,
    "pace": NO_NUMBER,
    "seed": NO_NUMBER,
}
OTHERS = st.dictionaries(
    st.sampled_from(["next", "race_id", "incidents", "client", "status"]) | ODD, ODD, max_size=3
)


@dataclass(frozen=True, slots=True)
class Post:
    """kind: who is expected to answer how. body: the fields, or all of it with its content type."""

    kind: str
    body: dict[str, Any] | bytes
    content_type: str = ""
    cookie: str = ""


def one_wrong_at_least(draw: st.DrawFn) -> dict[str, Any]:
    wrong = draw(st.lists(st.sampled_from(list(WRONG)), min_size=1, unique=True))
    fields: dict[str, Any] = {name: draw(WRONG[name]) for name in wrong}
    if draw(st.booleans()):  # of several values the last one counts
        fields[wrong[0]] = [GOOD[wrong[0]], draw(ODD), fields[wrong[0]]]
    return draw(OTHERS) | GOOD | fields


@st.composite
def choices(draw: st.DrawFn) -> Post:
    return Post("choice", one_wrong_at_least(draw))


@st.composite
def bodies(draw: st.DrawFn) -> Post:
    """Anything but a form, or a form in pieces."""
    kind = draw(
        st.sampled_from(
            [
                "application/x-www-form-urlencoded",
                "application/x-www-form-urlencoded; charset=utf-7",
                "multipart/form-data; boundary=zq",
                "multipart/form-data",
                "application/json",
                "text/html",
            ]
        )
        | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
    )
    data = draw(st.binary(max_size=200).filter(lambda data: b"driver" not in data))
    parts = (
        data,
        b"driver=" + quote_from_bytes(data).encode() + b"&laps=%00%ff",
        b"&".join(b"a=1" for _ in range(1001)),
        b'--zq\r\nContent-Disposition: form-data; name="driver"; filename="'
        + data
        + b'"\r\n\r\nzq\r\n--zq--\r\n',
        b'--zq\r\nContent-Disposition: form-data; name="seed"\r\n\r\n' + data + b"\r\n--zq--",
    )
    return Post("body", draw(st.sampled_from(parts)), kind)


LOGINS = st.fixed_dictionaries({"username": ODD, "password": ODD, "next": ODD}).map(
    lambda said: Post("login", said)
)
FORGED = st.fixed_dictionaries({"csrfmiddlewaretoken": ODD}).map(lambda said: Post("forged", GOOD | said))
STOPS = st.builds(
    lambda fields, cookie: Post("stop", fields, cookie=cookie),
    OTHERS,
    st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='";,\\'), max_size=80),
)
KEEPS = NO_NUMBER.map(lambda keep: Post("keep", {"keep": keep}))
ACTIONS = st.builds(
    lambda action, picked, others: Post("action", others | {"action": action, "_selected_action": picked}),
    st.sampled_from(["delete_selected", "export_results", ""]) | ODD,
    st.lists(ODD, min_size=1, max_size=3),
    st.dictionaries(st.sampled_from(["post", "index", "keep"]), ODD),  # select_across rightly means all races
)
POSTS = choices() | choices() | bodies() | LOGINS | FORGED | STOPS | KEEPS | ACTIONS
ADDRESSES = {
    "choice": "/races/", "body": "/races/", "forged": "/races/", "login": "/admin/login/",
    "keep": "/admin/races/race/old/", "action": "/admin/races/race/",
}  # fmt: skip
STATUS = {
    "choice": {422}, "body": {400, 413, 422}, "forged": {403}, "stop": {403}, "login": {200}, "keep": {200},
    "action": {200, 302, 400},
}  # fmt: skip


class Site:
    """A site with one race that has ended, which the posting visitor has not started."""

    def __init__(self) -> None:
        self.race = create_race(Choice("NOR"), "somebody")
        Race.objects.update(status=Race.Status.FINISHED, ended_at=timezone.now())
        self.visitor, self.staff, self.strict = Client(), Client(), Client(enforce_csrf_checks=True)
        self.staff.force_login(User.objects.create_superuser("marshal"))
        self.known = self._harmless()

    def _harmless(self) -> set[str]:
        """The tags of every page that may answer."""
        every, found = dict.fromkeys(WRONG, "?"), set()
        for choice in (GOOD, GOOD | every, every, GOOD | {"driver": ""}, {"incidents": "on"}):
            found |= shapes(self.visitor.get("/", choice).content.decode())
            if choice != GOOD:
                found |= shapes(self.visitor.post("/races/", choice).content.decode())
        for name, password in product(("", "?", "\0"), repeat=2):
            fields = {"username": name, "password": password}
            found |= shapes(self.visitor.post("/admin/login/", fields).content.decode())
        for keep in ("?", "-1", "9999999"):
            found |= shapes(self.staff.post(ADDRESSES["keep"], {"keep": keep}).content.decode())
        for action in ("", "?", "delete_selected"):
            picked = {"action": action, "_selected_action": [str(self.race.pk)]}
            answer = self.staff.post(ADDRESSES["action"], picked, follow=True)
            found |= shapes(answer.content.decode())
        return found | shapes(self.strict.post("/races/", GOOD).content.decode())

    def answer(self, post: Post) -> Any:
        client = {"keep": self.staff, "action": self.staff, "forged": self.strict}.get(
            post.kind, self.visitor
        )
        address = ADDRESSES.get(post.kind, f"/races/{self.race.pk}/stop/")
        more: Any = {"HTTP_COOKIE": f"{COOKIE}={post.cookie}"} if post.cookie else {}
        if isinstance(post.body, bytes):
            return client.generic("POST", address, post.body, post.content_type, **more)
        return client.post(address, post.body, **more)


def kept(page: str, post: Post) -> bool:
    """Whether what was typed into the fields that show it stands there, as text."""
    names = {"choice": ("laps", "pace", "seed"), "login": ("username",), "keep": ("keep",)}.get(post.kind, ())
    fields = post.body if isinstance(post.body, dict) else {}
    for name in names:
        tag = re.search(rf'<input[^<>]*? name="{name}"[^<>]*? value="([^"]*)"', page)
        said = fields[name]
        typed = said[-1] if isinstance(said, list) else said
        shown = html.unescape(tag[1]) if tag else ""
        if shown != (typed[:SHOWN] if post.kind == "choice" else typed):
            return False
    return True


def check(site: Site, post: Post) -> int:
    answer = site.answer(post)
    page = answer.content.decode()
    assert answer.status_code in STATUS[post.kind], page[:2000]
    assert not UNESCAPED.search(page)
    if page.startswith("<!"):
        assert shapes(page) <= site.known
        assert kept(page, post)
    assert "//" not in answer.headers.get("Location", "")
    assert not site.visitor.cookies.get(django_settings.SESSION_COOKIE_NAME), "logged in"
    assert list(Race.objects.values_list("pk", "stop_requested")) == [(site.race.pk, False)]
    return 1


QUICK = "django.contrib.auth.hashers.MD5PasswordHasher"  # each login would take a tenth of a second


def posts(counted: Counted, at_least: int) -> None:
    site = Site()
    with override_settings(AXES_ENABLED=False, PASSWORD_HASHERS=[QUICK], F1_MAX_RACES_PER_CLIENT=0):
        sweep(counted, "hostile form posts", at_least, POSTS, lambda post: check(site, post))


def test_hostile_posts_do_nothing(counted: Counted) -> None:
    posts(counted, FEW)


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_many_hostile_posts_do_nothing(counted: Counted) -> None:
    posts(counted, MANY)
