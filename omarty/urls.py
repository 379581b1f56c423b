"""Every address of Omarty."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.decorators.cache import cache_control
from django.views.generic import RedirectView
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularSwaggerSplitView

from omarty import health, security_txt
from omarty.accounts.contact_change import contact_change
from omarty.accounts.forgotten import forgotten, forgotten_sent
from omarty.accounts.invitation import invitation
from omarty.api import pages, sessions, sign_in, views

# Tokens come and go at these addresses: no cache keeps an answer of theirs.
not_stored = cache_control(no_store=True)

# The app's addresses, with and without the last slash: a POST cannot be redirected.
api = [
    re_path(r"^Create/?$", views.create, name="create"),
    re_path(r"^Update/?$", views.update, name="update"),
    re_path(r"^Auth/Login/?$", not_stored(sign_in.login), name="login"),
    re_path(r"^Auth/Refresh/?$", not_stored(sign_in.renew), name="renew"),
    re_path(r"^Auth/Sessions/?$", not_stored(sessions.sessions), name="sessions"),
    re_path(r"^Auth/EndSession/?$", not_stored(sessions.end), name="end_session"),
    re_path(r"^Auth/Logout/?$", not_stored(sign_in.logout), name="logout"),
    path("schema/", pages.SchemaView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    re_path("", views.no_such_address),
]

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path(settings.API_PREFIX.strip("/"), views.no_such_address),
    path(settings.API_PREFIX.lstrip("/"), include(api)),
    path("admin/", admin.site.urls),
    path("invitation/<str:secret>/", invitation, name="invitation"),
    path("contact-change/<str:secret>/", contact_change, name="contact_change"),
    path("forgotten/", forgotten, name="forgotten"),
    path("forgotten/<str:sent>/", forgotten_sent, name="forgotten_sent"),
    path("language/", set_language, name="set_language"),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path(".well-known/security.txt", security_txt.security_txt),
]

handler400 = "omarty.error_pages.bad_request"
handler403 = "omarty.error_pages.forbidden"
handler404 = "omarty.error_pages.not_found"
handler500 = "omarty.error_pages.server_error"
