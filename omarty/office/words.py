"""What several pages of the back-office say (the app has its own words, in contract/answers.md)."""

from django.utils.translation import gettext as _

from contacts.models import Kind
from contacts.operations import Objection


def objection(kind: Kind, why: Objection) -> str:
    """Why a contact is refused: a sentence that stands beside the field."""
    phone = kind == Kind.PHONE
    match why:
        case Objection.INVALID:
            return (
                _("This is not a phone number.") if phone else _("This is not an e-mail address.")
            )
        case Objection.OWN:
            return _("This person has it already.")
        case Objection.TAKEN:
            return _("Somebody holds it already.")
        case Objection.LIMIT:
            return _("This person has as many as one can have.")


def nothing_changed() -> str:
    """What somebody is told who saved what was so already."""
    return _("Nothing was changed: it is so already.")
