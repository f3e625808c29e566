"""The one settings file. Every knob is an environment variable with a safe default (docs/operators.md lists them)."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy

from ticketing import env
from ticketing.logs import CLIENTS_FAULTS, console_of_logs, tone_down

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("DATA_DIR", str(BASE_DIR / ".data")))

# --- Core -----------------------------------------------------------------------------------------------------------
DEBUG = env.boolean("DEBUG", False)
SECRET_KEY = env.text("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ["localhost", ".localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
# Below each of these a tenant answers at <slug>.<domain>, beside the host names of its own.
PLATFORM_DOMAINS = env.words("PLATFORM_DOMAINS", ["localhost"])
ROOT_URLCONF = "ticketing.urls"
WSGI_APPLICATION = "ticketing.wsgi.application"
APPEND_SLASH = False
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "ticketing" / "locale"]

INSTALLED_APPS = [
    "ticketing.contrib_migrations.apps.UnfoldConfig",
    "ticketing.contrib_migrations.apps.AdminConfig",
    "ticketing.contrib_migrations.apps.AuthConfig",
    "ticketing.contrib_migrations.apps.ContentTypesConfig",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "ticketing.apps.TicketingConfig",
    "tenants.apps.TenantsConfig",
    "accounts.apps.AccountsConfig",
    "tickets.apps.TicketsConfig",
]
MIDDLEWARE = [
    "ticketing.observability.middleware.RequestMiddleware",
    "tenants.usage.middleware.UsageMiddleware",
    "ticketing.middleware.ScopeMiddleware",
    "ticketing.middleware.StorageErrorMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "ticketing.static_files.StaticFilesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "ticketing.middleware.HostMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "accounts.middleware.ScopedAuthenticationMiddleware",
    "ticketing.middleware.BodySizeMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"  # so that templates of ours come before unfold's
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "ticketing" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- MongoDB --------------------------------------------------------------------------------------------------------
DATABASES = {
    "default": {
        "ENGINE": "ticketing.mongo.engine",
        "HOST": env.text("MONGODB_URI", "mongodb://127.0.0.1:27017/?replicaSet=rs0"),
        "NAME": env.text("MONGODB_DATABASE", "ticketing"),
        "OPTIONS": {
            "serverSelectionTimeoutMS": env.integer("MONGODB_SELECTION_TIMEOUT_MS", 5000, 100),
            "connectTimeoutMS": env.integer("MONGODB_CONNECT_TIMEOUT_MS", 5000, 100),
            "socketTimeoutMS": env.integer("MONGODB_SOCKET_TIMEOUT_MS", 30_000, 1000),
            "maxPoolSize": env.integer("MONGODB_POOL_SIZE", 20, 1),
            "retryWrites": True,
            "w": "majority",
        },
    }
}
DATABASE_ROUTERS = ["django_mongodb_backend.routers.MongoRouter"]
DEFAULT_AUTO_FIELD = "django_mongodb_backend.fields.ObjectIdAutoField"
MIGRATION_MODULES = {
    "admin": "ticketing.contrib_migrations.admin",
    "auth": "ticketing.contrib_migrations.auth",
    "contenttypes": "ticketing.contrib_migrations.contenttypes",
}

# --- Accounts -------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
SILENCED_SYSTEM_CHECKS = ["auth.W004"]  # an e-mail address is unique within its tenant
AUTHENTICATION_BACKENDS = ["accounts.backends.TenantBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = reverse_lazy("console:login")
LOGIN_REDIRECT_URL = reverse_lazy("console:index")
ACCESS_TOKEN_MINUTES = env.integer("ACCESS_TOKEN_MINUTES", 10, 1)
REFRESH_TOKEN_DAYS = env.integer("REFRESH_TOKEN_DAYS", 14, 1)
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=ACCESS_TOKEN_MINUTES),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=REFRESH_TOKEN_DAYS),
    "SIGNING_KEY": env.text("JWT_SIGNING_KEY", SECRET_KEY),
    "ALGORITHM": "HS256",
    "USER_ID_CLAIM": "sub",
    "ISSUER": env.text("JWT_ISSUER", "ticketing"),
    "AUTH_HEADER_TYPES": ("Bearer",),
}
JWT_FALLBACK_KEYS = env.words("JWT_FALLBACK_KEYS", SECRET_KEY_FALLBACKS)
SIGN_IN_FAILURES_PER_ACCOUNT = env.integer("SIGN_IN_FAILURES_PER_ACCOUNT", 5, 1)
SIGN_IN_FAILURES_PER_ADDRESS = env.integer("SIGN_IN_FAILURES_PER_ADDRESS", 50, 1)
SIGN_IN_LOCKOUT_MINUTES = env.integer("SIGN_IN_LOCKOUT_MINUTES", 15, 1)

# --- API ------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.AccessTokenAuthentication",
        "accounts.api.authentication.ApiKeyAuthentication",
        "accounts.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["ticketing.api.permissions.SignedIn"],
    "DEFAULT_RENDERER_CLASSES": ["ticketing.api.renderers.JSONRenderer", "ticketing.api.renderers.BrowsableRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "ticketing.api.parsers.JSONParser",
        "ticketing.api.parsers.FormParser",
        "ticketing.api.parsers.MultiPartParser",
    ],
    "DEFAULT_FILTER_BACKENDS": [],
    "DEFAULT_SCHEMA_CLASS": "ticketing.api.openapi.Schema",
    "EXCEPTION_HANDLER": "ticketing.api.errors.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_VERSIONING_CLASS": None,
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
MAX_BODY_BYTES = env.integer("MAX_BODY_BYTES", 1024 * 1024, 1024)
MAX_FILE_BYTES = env.integer("MAX_FILE_BYTES", 20 * 1024 * 1024, 1024)
# Of files that are sent to an address of their own: on S3 to the bucket, which takes 5 GiB at once at most.
MAX_UPLOAD_BYTES = env.integer("MAX_UPLOAD_BYTES", 100 * 1024 * 1024, 1024)
UPLOAD_MINUTES = env.integer("UPLOAD_MINUTES", 60, 1)
MAX_FORM_BYTES = 5 * MAX_FILE_BYTES  # a staff form with its files
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES
FILE_UPLOAD_MAX_MEMORY_SIZE = 512 * 1024
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "ticketing.uploaded_files.NamelessFileUploadHandler",
]
IDEMPOTENCY_HOURS = env.integer("IDEMPOTENCY_HOURS", 24, 1)
RATE_LIMIT_USER_PER_MINUTE = env.integer("RATE_LIMIT_USER_PER_MINUTE", 600, 1)
RATE_LIMIT_ADDRESS_PER_MINUTE = env.integer("RATE_LIMIT_ADDRESS_PER_MINUTE", 1200, 1)
RATE_LIMIT_TENANT_PER_MINUTE = env.integer("RATE_LIMIT_TENANT_PER_MINUTE", 12_000, 1)
RATE_LIMIT_SIGN_IN_PER_MINUTE = env.integer("RATE_LIMIT_SIGN_IN_PER_MINUTE", 30, 1)
# How many proxies in front of us append to X-Forwarded-For; 0 believes the socket's address only.
TRUSTED_PROXIES = env.integer("TRUSTED_PROXIES", 0)

# Whose name and colour a page shows before anybody has signed in.
FIND_NAMED_TENANT = "tenants.requests.find_named_tenant"

# --- Files ----------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(DATA_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "ticketing" / "static"]
ATTACHMENTS_BUCKET = env.text("ATTACHMENTS_BUCKET", "")
MEDIA_ROOT = Path(env.text("MEDIA_ROOT", str(DATA_DIR / "files")))
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": MEDIA_ROOT}},
    "staticfiles": {"BACKEND": "ticketing.static_files.StaticFilesStorage"},
}
if ATTACHMENTS_BUCKET:
    STORAGES["default"] = {
        "BACKEND": "tickets.attachments.bucket.Bucket",
        "OPTIONS": {"bucket_name": ATTACHMENTS_BUCKET, "default_acl": None, "file_overwrite": False},
    }

# --- Tickets --------------------------------------------------------------------------------------------------------
COMMENT_EDIT_MINUTES = env.integer("COMMENT_EDIT_MINUTES", 15)
EXPORT_DAYS = env.integer("EXPORT_DAYS", 7, 1)  # how long an export that was asked for can be downloaded
# How long tickets may be counted one by one for statistics that no counted cell answers.
STATS_MAX_MILLISECONDS = env.integer("STATS_MAX_MILLISECONDS", 5000, 100)

# --- Browser security -----------------------------------------------------------------------------------------------
# TLS ends at a proxy or the gateway; production sets HTTPS=true.
HTTPS = env.boolean("HTTPS", False)
SECURE_SSL_REDIRECT = HTTPS
# Load balancers and orchestrators probe by address, without TLS; so does Prometheus, which asks each server.
PROBES = r"^((api/v1/)?(healthz|readyz)|metrics)$"
SECURE_REDIRECT_EXEMPT = [PROBES]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = env.integer("SESSION_HOURS", 12, 1) * 3600
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "ticketing.api.errors.csrf_failure_view"

# --- Logs, metrics, usage -------------------------------------------------------------------------------------------
STAGE = env.text("STAGE", "local")
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "failures": {"()": "django.utils.log.CallbackFilter", "callback": lambda record: bool(record.exc_info)},
        "clients_faults": {"()": "django.utils.log.CallbackFilter", "callback": tone_down},
    },
    **console_of_logs(),
    # Libraries tell at finer levels what they send and receive, secrets included: only our own loggers go there.
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "ticketing": {"level": env.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), "INFO")},
        "django": {"level": "WARNING"},
        "django.request": {"filters": ["failures"]},  # an answer of 400 and more has a line of ours
        **{f"django.security.{name}": {"filters": ["clients_faults"]} for name in CLIENTS_FAULTS},
        "django.server": {"level": "WARNING", "propagate": True},
    },
}
SLOW_QUERY_MILLISECONDS = env.integer("SLOW_QUERY_MILLISECONDS", 200, 1)
METRICS_TOKEN = env.text("METRICS_TOKEN", "")
METRICS_SINK = env.choice(
    "METRICS_SINK",
    ("prometheus", "emf", "none"),
    "emf" if "AWS_LAMBDA_FUNCTION_NAME" in os.environ else "prometheus" if METRICS_TOKEN else "none",
)
# How long a process keeps what tenants have used before it adds it up in the database; 0 does not count at all.
USAGE_FLUSH_SECONDS = env.integer("USAGE_FLUSH_SECONDS", 10)

# --- OpenAPI --------------------------------------------------------------------------------------------------------
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Ticketing API",
    "ENUM_NAME_OVERRIDES": {
        "Status": "tickets.models.Status",
        "Priority": "tickets.models.Priority",
        "Type": "tickets.models.Type",
        "Channel": "tickets.models.Channel",
        "Visibility": "tickets.conversation.models.Visibility",
    },
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": [],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "SORT_OPERATIONS": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "ticketing.api.openapi.complete_document",
    ],
}

# --- Console --------------------------------------------------------------------------------------------------------
UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Ticketing",
    "SITE_HEADER": "Ticketing",
    "SITE_URL": None,
    "SITE_SYMBOL": "confirmation_number",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("console/favicon.svg")}],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": [lambda _request: static("console/console.css")],
    "SCRIPTS": [
        lambda _request: static("console/fetch.js"),
        lambda _request: static("console/console.js"),
        lambda _request: static("console/keyboard.js"),
    ],
    "GLOBAL_CALLBACK": "accounts.console.branding.console_context",
}
