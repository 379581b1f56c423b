"""People of the user's blocks: their names, contacts and memberships."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from buildings.models import Membership
from buildings.permissions import Blocks, changeable_people, members_within
from contacts.contact_operations import Contact, contacts_of
from contacts.invitations import has_signed_in
from contacts.masking import shown_contact
from contacts.models import Kind, User
from contacts.operations import lock_contacts
from contacts.second_factor import second_factor_of
from omarty.backoffice.base import history
from omarty.backoffice.base.export import ExportingAdmin, local_time
from omarty.backoffice.base.filters import BlockFilter, SignedInFilter
from omarty.backoffice.base.labels import listed_phrases, unit_in_block, with_standing
from omarty.backoffice.base.row_actions import RowActionsAdmin
from omarty.backoffice.base.scoped_admin import scope, titled
from omarty.backoffice.base.search import people_matching
from omarty.backoffice.invitation_actions import EndInvitation, Invite
from omarty.backoffice.invitation_sending import SendInvitation
from omarty.backoffice.person_actions import (
    Activate,
    AddContact,
    ContactAction,
    CorrectName,
    EditContact,
    EndSessions,
    HideContact,
    ReadmitPerson,
    RemoveContact,
    ResetSecondFactor,
    RevealContacts,
    ShowContact,
    Suspend,
    Unlock,
    UseForSignIn,
)
from omarty.tables.columns import ContactColumn, ExportColumn


@admin.register(User)
class PersonAdmin(ExportingAdmin, RowActionsAdmin):
    """People with a current or former membership in the user's blocks."""

    block_path = "memberships__block_id"
    when_empty = _(
        "People who belong to one of your blocks will be listed here; move somebody in on a unit's page."
    )
    export_name = "people"
    export_columns = [
        ExportColumn[User](_("id"), attrgetter("pk")),
        ExportColumn[User](_("name"), attrgetter("name")),
        ContactColumn[User](_("email"), lambda user: [Contact(user, Kind.EMAIL)]),
        ContactColumn[User](_("phone"), lambda user: [Contact(user, Kind.PHONE)]),
        ExportColumn[User](_("status"), User.get_status_display),
        ExportColumn[User](_("registered"), lambda user: local_time(user.created_at)),
    ]

    row_actions = {
        "name": CorrectName,
        "add-contact": AddContact,
        "invite": Invite,
        "send-invitation": SendInvitation,
        "end-invitation": EndInvitation,
        "end-sessions": EndSessions,
        "activate": Activate,
        "suspend": Suspend,
        "readmit": ReadmitPerson,
        "unlock": Unlock,
        "reset-second-factor": ResetSecondFactor,
        "reveal": RevealContacts,
        "edit": EditContact,
        "hide": HideContact,
        "show": ShowContact,
        "promote": UseForSignIn,
        "remove": RemoveContact,
    }
    bulk = ("invite", "send-invitation")
    list_display = ("person", "phone_shown", "email_shown", "units")
    list_filter = (BlockFilter, SignedInFilter)
    search_fields = ("name",)
    search_help_text = _("Words of a name, a phone or four digits of it, or e-mail")
    sortable_by = ()
    readonly_fields = ("contacts", "sign_in", "memberships_shown", "entries")

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        return [
            (None, {"fields": ["name", "user_name", "status"]}),
            titled(_("Contacts"), "contacts"),
            titled(_("Sign-in"), "sign_in"),
            titled(_("Memberships in your blocks"), "memberships_shown"),
            titled(_("Entries"), "entries"),
        ]

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        # By name where the list is that of some blocks; all people are too many to sort each time.
        return ("-pk",) if scope(request).sees.ids is None else ("name", "pk")

    def within(self, blocks: Blocks, rows: QuerySet[Any]) -> QuerySet[Any]:
        if blocks.ids is None:
            return rows
        members = blocks.only(Membership.objects.all(), "block_id")
        return rows.filter(pk__in=members.values("user_id"))

    def choosable(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Those whom the user may move into a unit: members of the blocks that the user changes."""
        people, changes = rows.filter(erased_at=None), scope(request).changes
        if changes.ids is None:
            return people
        return people.filter(pk__in=members_within(changes).values("user_id"))

    def block_ids(self, row: User) -> list[int]:
        return list(row.memberships.values_list("block_id", flat=True))

    def may_change(self, request: HttpRequest, row: User | None = None) -> bool:
        """Name and contacts are changed by managers of a block where the person is a member.

        Not while the person merely asks to belong, or after they have left; a superuser's only by
        superusers.
        """
        changes = scope(request).changes
        if row is None:
            return bool(changes)
        return changeable_people(changes).filter(pk=row.pk).exists()

    def lock(self, rows: Sequence[User]) -> None:
        for row in sorted(rows, key=attrgetter("pk")):
            lock_contacts(row)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        seen = scope(request).sees.only(Membership.objects.current(), "block_id")
        seen = seen.select_related("block", "apartment").order_by("pk")
        return (
            super()
            .get_queryset(request)
            .prefetch_related(Prefetch("memberships", queryset=seen, to_attr="current"))
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        # An anonymised person is only a number, reached by their former memberships.
        people, term = queryset.filter(erased_at=None), search_term.strip()
        found = people_matching(term, scope(request).sees) if term else Q()
        return people.filter(found), False

    def phone_lines(self, row: User) -> tuple[str, str]:
        below = [self.phone_shown(row) if row.phone else "", capfirst(self.units(row))]
        return "", format_html_join(gettext("; "), "{}", ([part] for part in below if part))

    @admin.display(description=pgettext_lazy("heading", "person"))
    def person(self, row: User) -> str:
        return str(row)

    @admin.display(description=_("phone"))
    def phone_shown(self, row: User) -> SafeString:
        return _shown(Contact(row, Kind.PHONE))

    @admin.display(description=_("e-mail"))
    def email_shown(self, row: User) -> SafeString:
        return _shown(Contact(row, Kind.EMAIL))

    @admin.display(description=_("units"))
    def units(self, row: Any) -> str:
        units = (
            with_standing(unit_in_block(each.block, each.apartment), each) for each in row.current
        )
        return listed_phrases(dict.fromkeys(units))

    @admin.display(description=_("Contacts"))
    def contacts(self, row: Any) -> SafeString:
        actions = {
            name: action
            for name, action in self.row_actions.items()
            if issubclass(action, ContactAction)
        }
        contacts = [
            (
                contact,
                _shown(contact),
                [
                    (f"{self.address(name, row.pk)}?contact={contact.key}", action.title)
                    for name, action in actions.items()
                    if row.changeable and action.suits(contact)
                ],
            )
            for contact in contacts_of(row)
        ]
        return render_to_string("backoffice/contacts.html", {"contacts": contacts})

    def choice_label(self, row: Any) -> str:
        """The person in a chooser: with their units, or a phone that they show, for namesakes."""
        phone = shown_contact(Contact(row, Kind.PHONE), in_full=False)
        phone = "" if row.phone_hidden else phone
        more = self.units(row) or phone
        return f"{row} ({more})" if more else str(row)

    @admin.display(description=_("Sign-in"))
    def sign_in(self, row: Any) -> SafeString | str:
        if row.sees.ids is not None and not members_within(row.sees).filter(user=row).exists():
            # Who merely asks to belong is not theirs yet.
            return history.NOTHING
        context = {
            "last": row.last_login,
            "never": not has_signed_in(row),
            "invitations": row.invitations.select_related("made_by").order_by("-pk")[:5],
            "now": timezone.now(),
            "second_factor": second_factor_of(row) if row.sees.ids is None else None,
        }
        return render_to_string("backoffice/sign_in_of_person.html", context)

    @admin.display(description=_("Memberships in your blocks"))
    def memberships_shown(self, row: Any) -> SafeString:
        context = {"memberships": row.seen, "units": True, "ended": True}
        return render_to_string("backoffice/people.html", context)

    @admin.display(description=_("Entries"))
    def entries(self, row: Any) -> SafeString:
        return history.table(history.of_person(row, row.sees))

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """The person, with what their page shows to this user."""
        row: Any = super().get_object(request, object_id, from_field)
        if row is not None:
            row.sees = scope(request).sees
            seen = row.sees.only(row.memberships.all(), "block_id")
            row.seen = list(seen.select_related("user", "block", "apartment").order_by("-pk"))
            row.changeable = self.may_change(request, row)
        return row


def _shown(contact: Contact) -> SafeString:
    return format_html('<bdi dir="ltr">{}</bdi>', shown_contact(contact, in_full=True))
