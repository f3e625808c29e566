"""The console's URLs. Importing this imports the admin, so the root URLconf only names it, as text."""

from django.utils.module_loading import autodiscover_modules

from ticketing.console.site import site

autodiscover_modules("console")

urlpatterns = site.get_urls()
