"""People, and the contacts that they hold."""

import secrets
from typing import Any, ClassVar

from django.contrib.auth.hashers import check_password, identify_hasher, make_password
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models, transaction
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from contacts.constraints import CompositeForeignKey
from contacts.emails import EMAIL_LENGTH, canonical_email, tidy_email
from contacts.folding import FoldedField, FoldedModel, FoldedRows
from contacts.hashers import PHPBcryptHasher
from contacts.phones import PHONE_LENGTH, canonical_phone, claimed_phone, shown_phone, tidy_phone

# Shown instead of a contact that its holder hides.
HIDDEN = "•••••"


class Status(TextChoices):
    """Where a person, a block or a membership stands. "Binding" is the wire's word for pending."""

    PENDING = "pending", _("Pending")
    ACTIVE = "active", _("Active")
    BANNED = "banned", _("Banned")


class Kind(TextChoices):
    """A way to reach a person."""

    EMAIL = "email", _("E-mail")
    PHONE = "phone", _("Phone")

    def canonical(self, typed: str) -> str:
        """The form that all spellings of one value share. Raises ContactProblem if it is not of this kind."""
        return canonical_email(typed) if self is Kind.EMAIL else canonical_phone(typed)

    def claimed(self, typed: str) -> str:
        """As `canonical()`, for looking up who holds it: some hold what is refused to whoever comes now."""
        return canonical_email(typed) if self is Kind.EMAIL else claimed_phone(typed)

    def tidy(self, typed: str) -> str:
        """The value as it is stored: as typed, trimmed, nothing invisible, a phone with Western digits."""
        return tidy_email(typed) if self is Kind.EMAIL else tidy_phone(typed)

    def shown(self, typed: str) -> str:
        """The value in the one spelling that pages show."""
        return typed if self is Kind.EMAIL else shown_phone(typed)


def new_session_stamp() -> str:
    """A fresh value for `User.session_stamp`."""
    return secrets.token_hex(16)


class UserManager(BaseUserManager["User"]):
    """Creates people together with the claims on their phone and e-mail."""

    def get_queryset(self) -> "FoldedRows[User]":
        return FoldedRows(self.model, using=self._db)

    @transaction.atomic
    def create_user(
        self,
        *,
        email: str | None = None,
        phone: str | None = None,
        password: str | None = None,
        set_by: "User | None" = None,
        **fields: Any,
    ) -> "User":
        """Create a person with this e-mail and phone, which `set_by` says are theirs.

        Raises ValueError if one is not valid, IntegrityError if somebody else has claimed it.
        """
        primary = {Kind.EMAIL: email, Kind.PHONE: phone}
        tidy = {kind.value: kind.tidy(typed) for kind, typed in primary.items() if typed}
        user = self.model(**tidy, password=make_password(password), **fields)
        user.save(force_insert=True)
        for kind, typed in primary.items():
            if typed:
                value = kind.canonical(typed)
                Claim.objects.create(user=user, kind=kind, value=value, set_by=set_by)
        return user


class User(FoldedModel, AbstractBaseUser):
    """A person who signs in, by primary e-mail or phone.

    `email` and `phone` are stored as typed; the `Claim` on each says who holds it. Rights come from
    memberships (buildings), except for superusers.
    """

    name = models.CharField(_("name"), max_length=255, blank=True)
    user_name = models.CharField(
        _("name in the app"), max_length=100, blank=True, help_text=_("Empty: the name is shown.")
    )
    folded = FoldedField(
        _("names for searching"), max_length=400, derived_from=("name", "user_name")
    )
    # NULL, not an empty text, for no e-mail.
    email = models.EmailField(  # noqa: DJ001
        _("e-mail"), max_length=EMAIL_LENGTH, null=True, blank=True
    )
    phone = models.CharField(  # noqa: DJ001
        _("phone"), max_length=PHONE_LENGTH, null=True, blank=True
    )
    email_hidden = models.BooleanField(_("e-mail hidden"), default=False)
    phone_hidden = models.BooleanField(_("phone hidden"), default=False)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.ACTIVE)
    is_superuser = models.BooleanField(_("superuser"), default=False)
    # Every token and back-office session carries it: a new stamp ends them all at once.
    session_stamp = models.CharField(max_length=32, default=new_session_stamp, editable=False)
    created_at = models.DateTimeField(_("registered"), default=timezone.now, editable=False)
    # Since then the person is only a number, and no operation changes them any more.
    erased_at = models.DateTimeField(_("anonymised"), null=True, blank=True, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        # Read from end to end in place of the table, which is many times larger.
        indexes = [models.Index(fields=["folded"], name="user_folded")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=Status.values), name="user_status_known"
            ),
        ]

    def __str__(self) -> str:
        """A name for lists, labels and log lines."""
        return person_label(self.pk, self.name, self.user_name)

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        """Whether the person may sign in."""
        return self.status == Status.ACTIVE

    @property
    def is_staff(self) -> bool:
        """For Django's admin only: Omarty's back-office asks for memberships as well."""
        return self.is_active and self.is_superuser

    def get_username(self) -> str:
        return self.email or self.phone or f"#{self.pk}"

    def set_password(self, raw_password: str | None) -> None:
        """Take a new password and end every session. Does not save."""
        super().set_password(raw_password)
        self.session_stamp = new_session_stamp()

    def check_password(self, raw_password: str) -> bool:
        """Whether this is the person's password; renews a hash of an older kind."""

        def renew(raw: str) -> None:
            # Same password, new hash: sessions continue. Not over a password that was changed meanwhile.
            checked, self.password = self.password, make_password(raw)
            User.objects.filter(pk=self.pk, password=checked).update(password=self.password)

        try:
            return check_password(raw_password, PHPBcryptHasher.adopt(self.password), renew)
        except ValueError:
            # A damaged hash matches no password.
            return False

    def has_usable_hash(self) -> bool:
        """Whether a password was set whose hash is of a known kind."""
        try:
            identify_hasher(PHPBcryptHasher.adopt(self.password))
        except ValueError:
            return False
        return True

    def get_session_auth_hash(self) -> str:
        """A back-office session is bound to this: it ends with the session stamp, as tokens do."""
        return salted_hmac(
            "contacts.User.session", self.session_stamp, algorithm="sha256"
        ).hexdigest()

    def get_session_auth_fallback_hash(self) -> Any:
        return iter(())

    def has_perm(self, perm: str, obj: models.Model | None = None) -> bool:
        return self.is_active and self.is_superuser

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and self.is_superuser


def person_label(pk: int | None, name: str, user_name: str) -> str:
    """The label of a person: never a contact, which may become hidden later."""
    return name or user_name or f"#{pk}"


class Claim(models.Model):
    """A person's hold on a phone or e-mail in canonical form: one holder each, primary or secondary.

    The value is ASCII, so that every database compares it in the same way. A primary one recovers a forgotten
    password from `recovers_from` on: never, if somebody else set it, and its holder could not be told and has
    not signed in by it.
    """

    user = models.ForeignKey(User, models.PROTECT, related_name="claims")
    kind = models.CharField(max_length=5, choices=Kind)
    value = models.CharField(max_length=EMAIL_LENGTH)
    recovers_from = models.DateTimeField(null=True, default=timezone.now)
    # The manager who said that it is theirs: till they first sign in it recovers only while a link of that
    # manager's would serve. None: themselves, or who may everything.
    set_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("claim")
        verbose_name_plural = _("claims")
        constraints = [
            models.UniqueConstraint(fields=["kind", "value"], name="claim_one_holder"),
            models.UniqueConstraint(fields=["id", "user"], name="claim_of_user"),
            models.CheckConstraint(
                condition=models.Q(kind__in=Kind.values), name="claim_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return self.value

    @property
    def is_known(self) -> bool:
        """Whether its holder knows of it: they set it, signed in by it, or were told and left it."""
        return self.recovers_from is not None and self.recovers_from <= timezone.now()

    @property
    def secondary(self) -> "SecondaryContact | None":
        """The secondary contact of this claim; None for a primary one. Runs a query unless joined."""
        return getattr(self, SECONDARY[Kind(self.kind)].__name__.lower(), None)


class SecondaryContact(models.Model):
    """A further e-mail or phone of a person, as typed."""

    kind: ClassVar[Kind]

    user = models.ForeignKey(User, models.PROTECT, verbose_name=pgettext_lazy("heading", "person"))
    claim = models.OneToOneField(Claim, models.PROTECT, editable=False)
    typed = models.CharField(max_length=EMAIL_LENGTH)
    hidden = models.BooleanField(_("hidden"), default=False)
    created_at = models.DateTimeField(_("added"), default=timezone.now, editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        """For labels and log lines, so a hidden contact does not show its value."""
        return HIDDEN if self.hidden else self.typed


class SecondaryEmail(SecondaryContact):
    """A further e-mail of a person."""

    kind = Kind.EMAIL

    class Meta:
        verbose_name = _("secondary e-mail")
        verbose_name_plural = _("secondary e-mails")
        constraints = [
            CompositeForeignKey(
                fields=["claim", "user"], to_fields=["id", "user"], name="secondary_email_own_claim"
            ),
        ]


class SecondaryPhone(SecondaryContact):
    """A further phone of a person."""

    kind = Kind.PHONE

    class Meta:
        verbose_name = _("secondary phone")
        verbose_name_plural = _("secondary phones")
        constraints = [
            CompositeForeignKey(
                fields=["claim", "user"], to_fields=["id", "user"], name="secondary_phone_own_claim"
            ),
        ]


SECONDARY: dict[Kind, type[SecondaryEmail] | type[SecondaryPhone]] = {
    Kind.EMAIL: SecondaryEmail,
    Kind.PHONE: SecondaryPhone,
}
