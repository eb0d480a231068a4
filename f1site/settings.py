"""Django's settings: wiring only. The person's own choices are in config.yaml and the environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from f1site.config import default_lab, read_lab
from f1site.config.problems import Problems
from f1site.environment import Environment, database, own_folder, read_environment, read_variables, secret_key
from f1site.logging import logging_config
from f1site.sqlite import SQLITE_TIMEOUT_S
from races.lib.http import spare_loopback

spare_loopback()
BASE_DIR = Path(__file__).resolve().parent.parent

# What is wrong is collected here, and f1site.apps ends the start with the first of it.
CONFIGURATION_PROBLEMS = Problems()
_read = CONFIGURATION_PROBLEMS.read
# The environment with .env and /run/secrets behind it
VARIABLES: Mapping[str, str] = _read(lambda: read_variables(BASE_DIR), os.environ)
ENVIRONMENT = _read(lambda: read_environment(VARIABLES), Environment())
VAR_DIR = _read(lambda: own_folder(ENVIRONMENT.f1_var_dir, BASE_DIR / "var"), BASE_DIR / "var")
LAB = _read(lambda: read_lab(BASE_DIR, VARIABLES), default_lab(BASE_DIR))

DEBUG = ENVIRONMENT.django_debug
HTTPS = ENVIRONMENT.django_https
SECRET_KEY = _read(
    lambda: secret_key(ENVIRONMENT.django_secret_key, VAR_DIR / "secret_key"), "not to be used"
)
LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]
# f1site.hosts adds the addresses of this machine as they are used.
ALLOWED_HOSTS = [*LOOPBACK, *ENVIRONMENT.django_allowed_hosts]
ROOM_ADDRESSES: list[
    str
] = []  # where other machines find this lab; runlab fills it in for a HOST beyond loopback
CSRF_TRUSTED_ORIGINS = [*ENVIRONMENT.django_csrf_trusted_origins]  # for sockets too
CSRF_FAILURE_VIEW = "races.views.pages.csrf_failure"

INSTALLED_APPS = [
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "servestatic.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "axes",
    "django_htmx",
    "ninja",
    "f1site",
    "races",
    "provisioning",
]

MIDDLEWARE = [
    "races.middleware.security_headers.security_headers",
    "django.middleware.security.SecurityMiddleware",
    "races.middleware.static_files.CompressedStaticMiddleware",
    # Behind the static files: it makes each 8 KB of an async stream a gzip member of its own, and browsers read one.
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "races.middleware.allowed_methods.AllowedMethodsMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "races.middleware.visitors.ClientMiddleware",
    "axes.middleware.AxesMiddleware",
    "races.middleware.visitors.DatabaseAwayMiddleware",
]

ROOT_URLCONF = "f1site.urls"
ASGI_APPLICATION = "f1site.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

POSTGRESQL_CONNECTIONS = 30  # of one process at most; a server takes 100 by default
# Immediate transactions wait for the lock at their start instead of failing half-way. f1site.sqlite turns WAL on.
SQLITE_OPTIONS = {"timeout": SQLITE_TIMEOUT_S, "transaction_mode": "IMMEDIATE"}
SQLITE_FILE = VAR_DIR / "db.sqlite3"
DATABASES = {
    "default": _read(lambda: database(ENVIRONMENT.database_url, SQLITE_FILE), database("", SQLITE_FILE))
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
    # Tests run worker and recorder in threads, which an in-memory database would make one connection of.
    DATABASES["default"]["TEST"] = {"NAME": VAR_DIR / "test.sqlite3"}
if DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    # A server that is away is noticed in seconds, not after TCP's two minutes; what the address says wins.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 3,
        "tcp_user_timeout": 10_000,
        **DATABASES["default"]["OPTIONS"],
    }
    # What serves for long keeps its connections. A command of a moment has one, whose error names the cause.
    if Path(sys.argv[0]).name != "manage.py" or sys.argv[1:2] in (["runlab"], ["run_worker"]):
        POOL = {"min_size": 0, "max_size": POSTGRESQL_CONNECTIONS, "timeout": 3}
        DATABASES["default"]["OPTIONS"]["pool"] = POOL
        DATABASES["default"]["CONN_HEALTH_CHECKS"] = (
            True  # a server that starts anew closes what the pool holds
        )
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours
# An address alone would lock a whole class out behind its one address.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_HANDLER = "f1site.login_throttling.LockoutByName"  # and a name at many addresses
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True  # who logged in, from where and with what browser: nobody here needs to know
AXES_VERBOSE = False

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
# No collectstatic step between a fresh clone and a page; ServeStatic reads the finders' files itself.
SERVESTATIC_USE_FINDERS = True
SERVESTATIC_AUTOREFRESH = DEBUG
SERVESTATIC_ALLOW_ALL_ORIGINS = False  # no other site's page needs them
SERVESTATIC_MAX_AGE = 0 if DEBUG else 60  # short: an updated lab must not meet yesterday's script

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_THOUSAND_SEPARATOR = False

SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
# Cookies know no ports: two labs on one machine would take each other's for forged, and log their people out.
_mark = sha256(SECRET_KEY.encode()).hexdigest()[:8]
SESSION_COOKIE_NAME, VISITOR_COOKIE_NAME = f"sessionid_{_mark}", f"f1_client_{_mark}"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Asked by probes on the machine itself, which speak to the process and not to the proxy.
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^healthz$", r"^metrics$"]
if HTTPS:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

CONTENT_SECURITY_POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
SECURITY_HEADERS = {
    "Content-Security-Policy": "; ".join(
        f"{what} {whence}" for what, whence in CONTENT_SECURITY_POLICY.items()
    ),
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "X-Frame-Options": X_FRAME_OPTIONS,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": SECURE_REFERRER_POLICY,
    "Cross-Origin-Opener-Policy": SECURE_CROSS_ORIGIN_OPENER_POLICY,
}

LOGGING = logging_config(ENVIRONMENT.f1_log_json)

F1_MAX_RACES = ENVIRONMENT.f1_max_races
F1_MAX_RACES_PER_CLIENT = ENVIRONMENT.f1_max_races_per_client
F1_MAX_SOCKETS_PER_CLIENT = ENVIRONMENT.f1_max_sockets_per_client
REGISTRY_PATH = VAR_DIR / "registry.sqlite3"

# check --deploy is part of the gate with DJANGO_HTTPS=1. A lab on http://127.0.0.1 cannot have what only HTTPS gives.
SILENCED_SYSTEM_CHECKS: list[str] = []
