"""Every address of Omarty."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

from omarty import health, security_txt
from omarty.api import sign_in, views

# The app's addresses, with and without the last slash: a POST cannot be redirected.
api = [
    re_path(r"^Create/?$", views.create, name="create"),
    re_path(r"^Update/?$", views.update, name="update"),
    re_path(r"^Auth/Login/?$", sign_in.login, name="login"),
    re_path(r"^Auth/Refresh/?$", sign_in.renew, name="renew"),
    re_path(r"^Auth/Logout/?$", sign_in.logout, name="logout"),
    path("schema/", SpectacularJSONAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    re_path("", views.no_such_address),
]

urlpatterns = [
    path("omartyapis", views.no_such_address),
    path("omartyapis/", include(api)),
    path("admin/", admin.site.urls),
    path("language/", set_language, name="set_language"),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path(".well-known/security.txt", security_txt.security_txt),
]

handler400 = "omarty.api.views.bad_request"
handler500 = "omarty.api.views.server_error"
