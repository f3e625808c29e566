"""django.contrib apps with ObjectId primary keys; their migrations are in this package (see MIGRATION_MODULES)."""

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
