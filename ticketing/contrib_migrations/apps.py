"""django.contrib apps with ObjectId primary keys; their migrations are in this package (see MIGRATION_MODULES)."""

from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.auth.apps import AuthConfig as BaseAuthConfig
from django.contrib.contenttypes.apps import ContentTypesConfig as BaseContentTypesConfig

OBJECT_ID = "django_mongodb_backend.fields.ObjectIdAutoField"


class AdminConfig(SimpleAdminConfig):
    default_auto_field = OBJECT_ID


class AuthConfig(BaseAuthConfig):
    default_auto_field = OBJECT_ID


class ContentTypesConfig(BaseContentTypesConfig):
    default_auto_field = OBJECT_ID


class UnfoldConfig(AppConfig):
    """The theme's own configuration makes its site Django's default as soon as it starts; the console has one."""

    name = "unfold"
