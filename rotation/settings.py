"""Every setting, flat, each from an environment variable of the same name (or from `.env`, see `.env.example`).

What an operator changes while Rotation runs (providers, pools, policies) is not here: it lives in the database.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from dotenv import dotenv_values

from rotation import logs
from rotation.environment import database, envbool, envchoice, envint, envlist, kept_secrets, load_env_file

BASE_DIR = Path(__file__).resolve().parent.parent
load_env_file(BASE_DIR)

# --- Where and how this process runs
ROTATION_HOME = Path(os.environ.get("ROTATION_HOME") or BASE_DIR / ".rotation").expanduser().absolute()
ROTATION_MODE = envchoice("ROTATION_MODE", ("development", "production"))
ROTATION_ROLE = envchoice("ROTATION_ROLE", ("all", "gateway", "dashboard"))
DEBUG = envbool("DEBUG")
HOST = os.environ.get("HOST") or "127.0.0.1"
PORT = envint("PORT", 8000)

# While `up` runs it leaves the addresses of its children here, so that any other command finds them.
RUNNING = dotenv_values(ROTATION_HOME / "running.env") if (ROTATION_HOME / "running.env").exists() else {}


def told(name: str, default: str = "") -> str:
    return os.environ.get(name) or RUNNING.get(name) or default


# --- Secrets: kept in ROTATION_HOME in development, always given in production
SECRET_NAMES = ("SECRET_KEY", "ROTATION_SECRETS_KEY", "ROTATION_PEPPER")
missing = [name for name in SECRET_NAMES if not os.environ.get(name)]
if missing and ROTATION_MODE == "production":
    raise ImproperlyConfigured(
        f"{', '.join(missing)} must be set in production. Make each with: "
        'python3 -c "import os, base64; print(base64.urlsafe_b64encode(os.urandom(32)).decode())"'
    )
kept = kept_secrets(ROTATION_HOME / "secrets.env", SECRET_NAMES) if missing else {}
SECRET_KEY = os.environ.get("SECRET_KEY") or kept["SECRET_KEY"]
ROTATION_SECRETS_KEY = (
    os.environ.get("ROTATION_SECRETS_KEY") or kept["ROTATION_SECRETS_KEY"]
)  # first encrypts, all read
ROTATION_PEPPER = os.environ.get("ROTATION_PEPPER") or kept["ROTATION_PEPPER"]

# --- The engine
ROTATION_SIMULATOR_URL = told("ROTATION_SIMULATOR_URL")
near = "127.0.0.1" if HOST in {"0.0.0.0", "::"} else HOST  # noqa: S104 - compared, not bound
ROTATION_GATEWAY_URL = told("ROTATION_GATEWAY_URL", f"http://{near}:{PORT}")  # where jobs call the gateway
ROTATION_JOURNAL_DIR = Path(os.environ.get("ROTATION_JOURNAL_DIR") or ROTATION_HOME / "journal").absolute()
ROTATION_DASHBOARD_SOCKET = told("ROTATION_DASHBOARD_SOCKET", str(ROTATION_HOME / "dashboard.sock"))
ROTATION_MAX_BODY = envint("ROTATION_MAX_BODY", 32 * 1024 * 1024)  # bytes
ROTATION_MAX_AUDIO = envint("ROTATION_MAX_AUDIO", 100 * 1024 * 1024)  # bytes of a whole upload
ROTATION_DRAIN_SECONDS = envint("ROTATION_DRAIN_SECONDS", 30)  # how long running streams may finish at a stop

# --- Postgres and Valkey
DATABASE_URL = told("DATABASE_URL", f"postgresql:///postgres?host={ROTATION_HOME / 'postgres'}&user=postgres")
REDIS_URL = told("REDIS_URL", f"redis+socket://{ROTATION_HOME / 'valkey.sock'}")
ROTATION_STATEMENT_TIMEOUT_MS = envint("ROTATION_STATEMENT_TIMEOUT_MS", 0)  # 0: none; `up` sets one for pages
DATABASES = {"default": database(DATABASE_URL)}
if ROTATION_STATEMENT_TIMEOUT_MS:
    DATABASES["default"]["OPTIONS"]["options"] = f"-c statement_timeout={ROTATION_STATEMENT_TIMEOUT_MS}"
DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = envbool("DISABLE_SERVER_SIDE_CURSORS")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Django
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "rotation"]
if ROTATION_ROLE != "gateway":  # without what only pages need, it starts in half the time and memory
    INSTALLED_APPS = [
        "django.contrib.admin",
        *INSTALLED_APPS,
        "django.contrib.sessions",
        "django.contrib.messages",
        "django.contrib.staticfiles",
        "django_htmx",
        "django_celery_beat",
        "csp",
        "ninja",
        "dashboard",
    ]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "rotation.login_wall.LoginWall",  # every page asks for a login unless its view is @login_not_required
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "dashboard.frame.LocalTime",
]
ROOT_URLCONF = "rotation.urls"
ASGI_APPLICATION = "rotation.asgi.application"
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
                "dashboard.frame.frame",
            ],
        },
    },
]
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
DATA_UPLOAD_MAX_MEMORY_SIZE = ROTATION_MAX_BODY

# --- Static files: hashed names once collected; tests run without collecting
STATIC_URL = "/static/"
STATIC_ROOT = Path(os.environ.get("STATIC_ROOT") or ROTATION_HOME / "static").absolute()
STATICFILES_DIRS = [BASE_DIR / "static"]
hashed = envbool("ROTATION_HASHED_STATIC", True)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "servestatic.storage.CompressedManifestStaticFilesStorage"
        if hashed
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# --- Who may come in
local_names = ["localhost", "127.0.0.1", "[::1]", socket.gethostname().lower()]
local_names += [] if HOST in {"0.0.0.0", "::"} else [HOST]  # noqa: S104 - compared, not bound
ALLOWED_HOSTS = [*envlist("ALLOWED_HOSTS", local_names), "localhost", "127.0.0.1"]  # health checks come from here
CSRF_TRUSTED_ORIGINS = envlist("CSRF_TRUSTED_ORIGINS")
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login/"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
https = envbool("HTTPS_ONLY")  # behind a proxy that ends TLS: secure cookies and HSTS
SESSION_COOKIE_NAME = "__Host-rotation" if https else "rotation"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = https
SESSION_COOKIE_AGE = 12 * 3600
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if https else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- Jobs
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600, "unacked_restore_throttle": 1}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULER = "rotation.beat:Scheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True  # a killed worker's job runs again: every job is idempotent
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"

# --- How long what was measured is kept, in days; whole days' roll-ups stay for good
ROTATION_KEEP_DAYS = envint("ROTATION_KEEP_DAYS", 30)  # every call and attempt
ROTATION_KEEP_MINUTES_DAYS = envint("ROTATION_KEEP_MINUTES_DAYS", 3)  # their sums per minute
ROTATION_KEEP_HOURS_DAYS = envint("ROTATION_KEEP_HOURS_DAYS", 90)  # and per hour
ROTATION_STORE_BYTES = envint("ROTATION_STORE_BYTES", 0)  # calls and attempts may take so much; 0: no bound

# --- Logs
LOG_LEVEL = (os.environ.get("LOG_LEVEL") or "INFO").upper()
LOG_JSON = envbool("LOG_JSON")
LOGGING = logs.config(LOG_LEVEL, as_json=LOG_JSON)
