"""The page on which managers choose how they are told by e-mail of requests for their blocks."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from buildings.models import NoticeChoice
from buildings.request_notices import choice_of, choose_notices
from contacts.models import Kind
from contacts.outbox import reached_by
from omarty.backoffice.base.labels import nothing_changed
from omarty.backoffice.base.scoped_admin import origin_of, scope


class NoticesForm(forms.Form):
    """When they are told."""

    choice = forms.ChoiceField(
        label=gettext_lazy("When somebody asks to belong to a block that you manage"),
        choices=NoticeChoice,
        widget=forms.RadioSelect,
    )


def own_notices(request: Any) -> HttpResponse:
    """The page. Raises PermissionDenied to whoever answers no requests."""
    if not scope(request).changes:
        raise PermissionDenied
    form = NoticesForm(request.POST or None, initial={"choice": choice_of(request.user)})
    if request.method == "POST" and form.is_valid():
        choice = NoticeChoice(form.cleaned_data["choice"])
        new = choose_notices(origin=origin_of(request), user=request.user, choice=choice)
        messages.success(request, _("Saved.") if new else nothing_changed())
        return HttpResponseRedirect(request.path)
    context = {
        **admin.site.each_context(request),
        "title": _("E-mails about requests"),
        "form": form,
        "email": reached_by(request.user, Kind.EMAIL),
    }
    request.current_app = admin.site.name
    return TemplateResponse(request, "backoffice/notices.html", context)
