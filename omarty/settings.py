"""Settings of Omarty: one file, read from the environment and from `.env` beside `manage.py`.

Each variable is explained where it is read. A missing or malformed one stops the start with a
sentence that names it.
"""

import os
import re
from datetime import timedelta
from pathlib import Path

import phonenumbers
from django.core.exceptions import ImproperlyConfigured

from omarty import setting_values as read
from omarty.owner_only import keep_settings, malformed_line

BASE_DIR = Path(__file__).resolve().parent.parent

# Its keys open everything, and a plain `cp` lets everybody read them.
keep_settings(BASE_DIR / ".env")
try:
    if line := malformed_line(BASE_DIR / ".env"):
        raise ImproperlyConfigured(
            f"Line {line} of {BASE_DIR / '.env'} is no NAME=value: nothing stands before the name"
            " or the # of a comment, and no space before the =."
        )
    # Some editors write a mark before the first line.
    read.env.read_env(BASE_DIR / ".env", encoding="utf-8-sig")
except UnicodeDecodeError as error:
    raise ImproperlyConfigured(
        f"{BASE_DIR / '.env'} is not UTF-8 from byte {error.start} on: save it as UTF-8. The keys in it"
        " stay as they are."
    ) from error


# --- What every installation sets ---------------------------------------------------------------

# Signs back-office sessions and forms. Random, at least 32 bytes, its own for each installation.
SECRET_KEY = read.secret("SECRET_KEY")

# Signs the app's tokens. Random, at least 32 bytes, another one than SECRET_KEY.
JWT_SIGNING_KEY = read.secret("JWT_SIGNING_KEY")
if JWT_SIGNING_KEY == SECRET_KEY:
    raise ImproperlyConfigured("JWT_SIGNING_KEY must be another text than SECRET_KEY.")

# Former signing keys, comma-separated: still read, never signed with. Move the old key here when
# you change JWT_SIGNING_KEY, and drop it after REFRESH_TOKEN_DAYS: nobody is signed out.
JWT_FORMER_KEYS = read.names("JWT_FORMER_KEYS")
if any(len(key.encode()) < 32 for key in JWT_FORMER_KEYS):
    raise ImproperlyConfigured("JWT_FORMER_KEYS must hold keys of at least 32 bytes each.")

# Error pages with inner detail, and permission for `manage.py demo`. Never true on the internet.
DEBUG = read.boolean("DEBUG", default=False)

# The host names that this server answers to, comma-separated.
ALLOWED_HOSTS = read.names("ALLOWED_HOSTS", default="localhost,127.0.0.1,[::1]" if DEBUG else "")
if not ALLOWED_HOSTS or any(re.search(r"/|[^\]:]:\d+$", host) for host in ALLOWED_HOSTS):
    raise ImproperlyConfigured(
        "ALLOWED_HOSTS must name the hosts that this server answers to, like omarty.example,"
        " without http:// and without a port."
    )

# The database: sqlite:///file, or mysql://user:password@host:3306/name for MariaDB and MySQL.
# A relative SQLite file lies beside manage.py.
DATABASES = {"default": read.database("DATABASE_URL", default="sqlite:///omarty.sqlite3")}

# Whether people reach this server over HTTPS. If so, plain HTTP is redirected and sends no cookies.
HTTPS = read.boolean("HTTPS", default=not DEBUG)

# How many reverse proxies of yours stand in front. The client's address is taken from
# X-Forwarded-For only that many steps from its end; with 0 the header is not believed.
PROXIES = read.number("PROXIES", default=0, lowest=0, highest=10)

# --- What a community may choose ----------------------------------------------------------------

# How many secondary e-mails, and how many secondary phones, one person may hold.
SECONDARY_CONTACTS_LIMIT = read.number("SECONDARY_CONTACTS_LIMIT", default=20)

# How often a day one user of the back-office is told that a contact is somebody else's, or hidden:
# so often they learn that it is known here.
CONTACT_REFUSALS_A_DAY = read.number("CONTACT_REFUSALS_A_DAY", default=10)

# The country in which a phone number without a country code is read: two letters.
PHONE_REGION = read.text("PHONE_REGION", default="EG")
if PHONE_REGION not in phonenumbers.SUPPORTED_REGIONS:
    raise ImproperlyConfigured("PHONE_REGION must be a country's two letters, like EG.")

# How long a token serves before the app must renew it, and how long a sign-in lasts unused.
ACCESS_TOKEN_MINUTES = read.number("ACCESS_TOKEN_MINUTES", default=60, highest=60 * 24 * 366)
REFRESH_TOKEN_DAYS = read.number("REFRESH_TOKEN_DAYS", default=30, highest=3660)

# How long a sign-in to the back-office lasts unused: each use renews it.
SESSION_IDLE_DAYS = read.number("SESSION_IDLE_DAYS", default=14, highest=3660)

# After so many wrong passwords for one sign-in name, sign-in by it waits so many minutes; from an address
# that its holder has signed in from before, only after so many from there. A person's e-mail and phone count
# apart, so that a pause does not tell whose they are. One address (of IPv6 one /64) has so many for all other
# accounts together.
SIGN_IN_ATTEMPTS = read.number("SIGN_IN_ATTEMPTS", default=10)
SIGN_IN_ATTEMPTS_PER_ADDRESS = read.number("SIGN_IN_ATTEMPTS_PER_ADDRESS", default=50)
SIGN_IN_PAUSE_MINUTES = read.number("SIGN_IN_PAUSE_MINUTES", default=15, highest=60 * 24)

# The seal file of the audit log (docs/audit-proof.md). A relative one lies beside manage.py. Best on
# another machine's disk: who can write the database and this file can forge the log.
AUDIT_SEAL_FILE = BASE_DIR / read.text("AUDIT_SEAL_FILE", default="audit-seals.jsonl")

# How e-mails are sent: smtp+tls://user:password@host:587, smtp+ssl://…:465 or smtp://…:25; % and other
# signs of a password are written as in addresses (%25). Empty: none are.
EMAIL_URL = read.text("EMAIL_URL")
vars().update(read.email("EMAIL_URL", EMAIL_URL))
EMAIL_TIMEOUT = 20
# From whom they come: an address, or Name <address>.
DEFAULT_FROM_EMAIL = read.text("EMAIL_FROM", default="Omarty <omarty@localhost>")

# How text messages are sent: the address of a gateway, to which fields are posted as a form. In them {to} is
# the number with its country's code and without "+", {text} the text, {language} ar or en:
# SMS_FIELDS=username=…&password=…&sender=…&mobile={to}&message={text}. Empty: none are.
SMS_URL = read.text("SMS_URL")
SMS_FIELDS = os.environ.get("SMS_FIELDS", "").strip()
if SMS_URL and not (
    "{to}" in SMS_FIELDS and "{text}" in SMS_FIELDS and read.is_web_address(SMS_URL)
):
    raise ImproperlyConfigured(
        "SMS_URL must be an address of https:// or http://, and SMS_FIELDS the fields posted to it, with"
        " {to} and {text}: username=…&mobile={to}&message={text}."
    )
# What a gateway's answer has in it when it took the message, of one that answers 200 to everything.
SMS_SUCCESS = read.text("SMS_SUCCESS")
# To which countries text messages go, by their two letters, and how many a day to each: EG:400,SA:20.
# A country without a number has what SMS_A_DAY allows all of them together.
SMS_A_DAY = read.number("SMS_A_DAY", default=200, highest=1_000_000)
SMS_COUNTRIES = read.countries("SMS_COUNTRIES", default=PHONE_REGION, most=SMS_A_DAY)

# Where backups of the database are put, by whatever makes them: `check --deploy` looks there for a fresh one.
# Best on another disk. Empty: nowhere. A relative one lies beside manage.py.
BACKUP_DIRECTORY = read.text("BACKUP_DIRECTORY")

# Who is told of a security fault: addresses of https:// or mailto:, comma-separated. They stand in
# /.well-known/security.txt; without any there is no such page.
SECURITY_CONTACT = read.names("SECURITY_CONTACT")
if not all(
    re.fullmatch(r"https://[!-~]+|mailto:[!-?A-~]+@[!-?A-~]+", each) for each in SECURITY_CONTACT
):
    raise ImproperlyConfigured(
        "SECURITY_CONTACT must be addresses like mailto:security@omarty.example or"
        " https://omarty.example/security, comma-separated."
    )

# --- The house ----------------------------------------------------------------------------------

INSTALLED_APPS = [
    "audit",
    "contacts",
    "buildings",
    "omarty",
    "omarty.legacy",
    "omarty.backoffice.apps.BackofficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rangefilter",
]

MIDDLEWARE = [
    "omarty.middleware.request_id",
    "omarty.middleware.content_security_policy",
    "omarty.middleware.explained_405",
    "django.middleware.security.SecurityMiddleware",
    # Reads nothing, and neither does what stands above it.
    "omarty.middleware.limited_body",
    "omarty.middleware.Compression",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "omarty.middleware.renewed_session",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "omarty.middleware.limited_upload",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "omarty.urls"
WSGI_APPLICATION = "omarty.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
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

# --- Database -----------------------------------------------------------------------------------

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
_database_settings = DATABASES["default"]
_options = _database_settings.setdefault("OPTIONS", {})
_database_settings["CONN_MAX_AGE"] = 60
_database_settings["CONN_HEALTH_CHECKS"] = True
if _database_settings["ENGINE"] == "django.db.backends.sqlite3":
    _database_settings["NAME"] = str(BASE_DIR / _database_settings["NAME"])
    # Readers never wait; writers queue up for at most 20 seconds instead of failing at once.
    _options |= {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
    }
    # Tests with concurrent connections need a file too.
    _database_settings["TEST"] = {"NAME": str(BASE_DIR / "build" / "test.sqlite3")}
else:
    # Strict: what does not fit is an error, never silently cut. Read committed: a statement locks
    # the rows that it names and no gaps between them, so nobody waits on another person's request.
    _options |= {
        "charset": "utf8mb4",
        "isolation_level": "read committed",
        # Nobody waits longer on another's lock than on SQLite.
        "init_command": (
            "SET sql_mode='STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', innodb_lock_wait_timeout=20"
        ),
        # A server that is unreachable, or stopped, holds no worker for long; waiting for a lock takes 20 s.
        "connect_timeout": 5,
        "read_timeout": 30,
        "write_timeout": 30,
    }

# --- People, sign-in, tokens --------------------------------------------------------------------

AUTH_USER_MODEL = "contacts.User"
# Where sign-in leads to if the address to go back to is not ours.
LOGIN_REDIRECT_URL = "admin:index"
# For Django a user's name is the e-mail, which should be unique: contacts.Claim makes it so. Subdomains and
# the preload list are not ours to decide.
SILENCED_SYSTEM_CHECKS = ["auth.W004", "security.W005", "security.W021"]
# Of DEBUG, and of what HTTPS decides, omarty/deployment/ speaks itself, in the names that .env has.
SILENCED_SYSTEM_CHECKS += [f"security.W{each}" for each in ("004", "008", "012", "016", "018")]
AUTHENTICATION_BACKENDS = ["contacts.authentication.PrimaryContactBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
    "contacts.hashers.PHPBcryptHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("name", "user_name", "email", "phone")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    "SIGNING_KEY": JWT_SIGNING_KEY,
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=ACCESS_TOKEN_MINUTES),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=REFRESH_TOKEN_DAYS),
    # As the legacy server named it.
    "USER_ID_CLAIM": "id",
}

# Sessions know whose they are, so that they can be listed and ended.
SESSION_ENGINE = "contacts.session_store"
SESSION_COOKIE_AGE = SESSION_IDLE_DAYS * 24 * 60 * 60

# --- The API ------------------------------------------------------------------------------------

# Where the app's addresses begin.
API_PREFIX = "/omartyapis/"

# A request's body, files included, at any address (contract/answers.md, Bodies).
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
# Of those who have signed in, a file may be larger here: a small table under a photograph.
LARGE_UPLOADS = {"/admin/buildings/apartment/import/": 5 * 1024 * 1024}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["omarty.api.tokens.BearerToken"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": [
        "rest_framework.parsers.FormParser",
        "omarty.api.envelopes.AnyCaseMultiPartParser",
        "omarty.api.envelopes.JSONObjectParser",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "omarty.api.envelopes.AlwaysJSON",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "omarty.api.envelopes.answer_exception",
    "UNAUTHENTICATED_USER": None,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Omarty",
    "VERSION": "1.0.0",
    "DESCRIPTION": (
        "The register of a residential community. The app posts a form to Create or Update; "
        "the field `api` names the method, a Bearer token says who asks. Sign in first, copy "
        "`Token` from the answer, and give it to *Authorize*."
    ),
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # JavaScript, for it names the plugin of static/omarty/api_pages.js.
    "SWAGGER_UI_SETTINGS": (
        "{deepLinking: true, persistAuthorization: true, plugins: [keepFieldsAcrossTypes]}"
    ),
    # As in urls.py, so that who tries one after the other signs out last.
    "SORT_OPERATIONS": False,
    "POSTPROCESSING_HOOKS": [
        "omarty.api.schema.name_parts",
        "omarty.api.schema.name_this_server",
        "omarty.api.schema.link_sessions",
    ],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
}

# --- Language and time --------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ar", "العربية")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["omarty.formats"]
USE_TZ = True
TIME_ZONE = "Africa/Cairo"

# --- Static files, security, logs ---------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
# A browser takes a cookie of such a name from this host alone, over HTTPS: no subdomain can plant one.
_prefix = "__Host-" if HTTPS else ""
SESSION_COOKIE_NAME = f"{_prefix}sessionid"
CSRF_COOKIE_NAME = f"{_prefix}csrftoken"
LANGUAGE_COOKIE_NAME = f"{_prefix}language"
# Who signed in last with this browser, signed: whose a form is that comes after the session's end.
PERSON_COOKIE_NAME = f"{_prefix}person"
CSRF_FAILURE_VIEW = "omarty.backoffice.kept_forms.csrf_failure"
# Not in a cookie of their own.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SECURE_SSL_REDIRECT = HTTPS
# Load balancers ask these over plain HTTP from inside.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365 if HTTPS else 0
# Subdomains may be somebody else's, and a browser's preload list is left again only after months: who wants
# them sets the header at the proxy.
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = False
if PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    # The id stands in X-Request-ID of the answer and in the audit log; "-" outside of a request.
    "filters": {
        "request_id": {"()": "omarty.logs.RequestIdFilter"},
        "refusals": {"()": "omarty.logs.RefusalFilter"},
        "secrets": {"()": "omarty.logs.SecretFilter"},
    },
    "formatters": {
        "plain": {"format": "%(asctime)s %(levelname)s %(request_id)s %(name)s: %(message)s"}
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "plain",
            "filters": ["request_id", "refusals", "secrets"],
        }
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        # Its own console handler would write everything twice.
        "django": {"handlers": [], "level": "INFO"},
        "django.server": {"level": "WARNING"},
    },
}
