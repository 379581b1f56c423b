"""Who signed in last in a browser: theirs are the forms that stand open in it."""

from django.conf import settings
from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse

from contacts.models import User

A_YEAR = 365 * 24 * 60 * 60
SALT = "omarty.person"


def remember_person(response: HttpResponse, user: User) -> None:
    """Note in a cookie who has just signed in: as that replaces the forms' token, whose the forms are."""
    response.set_signed_cookie(
        settings.PERSON_COOKIE_NAME,
        str(user.pk),
        salt=SALT,
        max_age=A_YEAR,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


def remembered(request: HttpRequest) -> str:
    """The id of the person who signed in last with this browser; empty if that is not known."""
    try:
        return request.get_signed_cookie(settings.PERSON_COOKIE_NAME, default="", salt=SALT) or ""
    except BadSignature:
        return ""
