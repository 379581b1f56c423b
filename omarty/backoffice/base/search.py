"""Searching for people by name or contact; a hidden contact finds nobody."""

from django.db.models import Exists, OuterRef, Q

from buildings.models import Membership
from contacts.models import SECONDARY, Claim, Kind, User


def people_matching(term: str) -> Q:
    """Over users: name, e-mail, or phone in any spelling."""
    matches = Q(name__icontains=term) | Q(user_name__icontains=term)
    matches |= Q(email_hidden=False, email__icontains=term)
    emails = SECONDARY[Kind.EMAIL].objects.filter(
        user=OuterRef("pk"), hidden=False, typed__icontains=term
    )
    return matches | Q(Exists(emails)) | _holders(term)


def residents_matching(term: str) -> Exists:
    """Over units: those to which somebody found by `people_matching()` belongs."""
    people = User.objects.filter(people_matching(term))
    return Exists(Membership.objects.current().filter(apartment=OuterRef("pk"), user__in=people))


def _holders(term: str) -> Q:
    """Over users: those with a visible contact whose canonical form is that of the term."""
    holders = Q()
    for kind in Kind:
        try:
            value = kind.canonical(term)
        except ValueError:
            continue
        secondary = SECONDARY[kind].__name__.lower()
        visible = Q(**{f"{secondary}__hidden": False}) | Q(
            **{f"{secondary}__isnull": True, f"user__{kind}_hidden": False}
        )
        claims = Claim.objects.filter(visible, user=OuterRef("pk"), kind=kind, value=value)
        holders |= Q(Exists(claims))
    return holders
