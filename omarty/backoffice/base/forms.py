"""What the back-office's forms share: reasons, numbers, contacts, blocks; and edit conflicts."""

from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.forms.models import ModelChoiceIterator, ModelChoiceIteratorValue
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.models import REASON_LENGTH, Entry
from contacts.canonical import tidy_number
from contacts.models import Kind
from contacts.text import clean
from omarty.backoffice.base.labels import distinct_labels
from omarty.backoffice.base.request_limits import EARLIEST

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Any]
else:
    ModelForm = forms.ModelForm

# Attributes of text fields: names and reasons follow the language that they are written in; phones,
# e-mails and numbers run from left to right in every language.
ANY_LANGUAGE = {"dir": "auto"}
CONTACT_ATTRIBUTES: dict[Kind | None, dict[str, str]] = {
    None: {"dir": "auto", "autocapitalize": "none", "inputmode": "email"},
    Kind.EMAIL: {"dir": "ltr", "autocapitalize": "none", "inputmode": "email"},
    Kind.PHONE: {"dir": "ltr", "inputmode": "tel"},
}


def contact_input(kind: Kind | None = None) -> forms.TextInput:
    """The input for a phone or an e-mail; None: either."""
    return forms.TextInput(attrs=CONTACT_ATTRIBUTES[kind])


class NumberInput(forms.TextInput):
    """A number as text: a browser's own number field silently ignores Arabic digits."""

    def __init__(self, attrs: Any = None) -> None:
        super().__init__({"class": "vIntegerField", "dir": "ltr", **(attrs or {})})


class WholeNumberField(forms.IntegerField):
    """A whole number in Western, Arabic or Persian digits."""

    widget = NumberInput
    default_error_messages = {"invalid": gettext_lazy("Type a whole number in digits, such as 12.")}

    def widget_attrs(self, widget: Any) -> dict[str, Any]:
        # The number pad of some phones has no minus, which floors need.
        unsigned = self.min_value is not None and self.min_value >= 0
        return {**super().widget_attrs(widget), **({"inputmode": "numeric"} if unsigned else {})}

    def to_python(self, value: Any) -> Any:
        return super().to_python(_plain(value))


class BlockIterator(ModelChoiceIterator):
    """The blocks to choose from, each under a label of its own."""

    def __iter__(self) -> Any:
        if self.field.empty_label is not None:
            yield ("", self.field.empty_label)
        for block, label in distinct_labels(self.queryset.select_related("building")):
            yield (ModelChoiceIteratorValue(block.pk, block), label)


class BlockField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A choice of one block."""

    iterator = BlockIterator


class FractionField(forms.DecimalField):
    """A number with a fraction, in Western, Arabic or Persian digits."""

    widget = NumberInput
    default_error_messages = {"invalid": gettext_lazy("Type a number in digits, such as 31.25.")}

    def to_python(self, value: Any) -> Any:
        return super().to_python(_plain(value))


def _plain(typed: Any) -> Any:
    """The number without the marks that are copied along with it out of Arabic text."""
    if not isinstance(typed, str):
        return typed
    return (
        tidy_number(typed)
        .replace("\N{MINUS SIGN}", "-")
        .replace("\N{ARABIC DECIMAL SEPARATOR}", ".")
    )


def reason_field(*, required: bool = False) -> forms.CharField:
    """The field for why somebody does this, for the audit log."""
    return forms.CharField(
        label=gettext_lazy("Reason"),
        required=required,
        max_length=REASON_LENGTH,
        widget=forms.TextInput(attrs={"class": "vTextField", **ANY_LANGUAGE}),
        help_text=gettext_lazy("Stored in the audit log."),
    )


class DayField(forms.DateField):
    """The day of something that has happened: today or earlier."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        validators = [MinValueValidator(EARLIEST)]
        super().__init__(initial=timezone.localdate, widget=widget, validators=validators, **kwargs)

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value is not None and value > timezone.localdate():
            raise ValidationError(_("Choose today or an earlier day."))


def moment_of(day: date, at: time) -> datetime | None:
    """That time of the day on the community's clock; for today None, which operations take as now."""
    if day == timezone.localdate():
        return None
    return timezone.make_aware(datetime.combine(day, at))


class SeenForm(forms.BaseForm):
    """A form that notices when somebody else changed its row after its page was opened.

    It sends along the values that the page showed. Where the row has others by now, the form is
    refused once: it shows them, leaves what was typed, and can be sent again. `guarded` are the
    fields that show a row's values; the row must be locked before the form is checked.
    """

    guarded: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.guarded:
            if name in self.fields:
                self.fields[name].show_hidden_initial = True

    def seen_row(self) -> Any:
        """The row that the form shows; None while there is none yet."""
        raise NotImplementedError

    def clean(self) -> Any:
        cleaned = super().clean()
        row = self.seen_row()
        if row is not None and self.has_changed():
            changed = [name for name in self.guarded if self._changed_meanwhile(name)]
            who = self._last_actor(row) if changed else ""
            for name in changed:
                self._show_conflict(name, who)
        return cleaned

    def _changed_meanwhile(self, name: str) -> bool:
        field = self.fields.get(name)
        if field is None or field.disabled:
            return False
        now = self.get_initial_for_field(field, name)
        # A row may have something invisible in it of old; no form sends that back.
        now = clean(now) if isinstance(now, str) else now
        return field.has_changed(now, self._shown(name)) and field.has_changed(now, self[name].data)

    def _shown(self, name: str) -> Any:
        widget = self.fields[name].hidden_widget()
        return widget.value_from_datadict(self.data, self.files, self.add_initial_prefix(name))

    def _show_conflict(self, name: str, who: str) -> None:
        field = self.fields[name]
        now = field.prepare_value(self.get_initial_for_field(field, name))
        typed_too = name in self.changed_data
        data: dict[str, Any] = dict(self.data.items())
        data[self.add_initial_prefix(name)] = "" if now is None else now
        if not typed_too:
            data[self.add_prefix(name)] = "" if now is None else now
        self.data = data
        names = {"who": who, "now": self._in_words(field, now)}
        self.add_error(
            name,
            _("%(who)s changed this meanwhile to “%(now)s”. Save again to put yours in its place.")
            % names
            if typed_too
            else _("%(who)s changed this meanwhile to “%(now)s”. Save again to keep that.") % names,
        )

    def _in_words(self, field: forms.Field, value: Any) -> str:
        choices = dict(getattr(field, "choices", ()))
        return str(choices.get(value, "" if value is None else value))

    def _last_actor(self, row: Any) -> str:
        entries = Entry.objects.filter(target_type=type(row).__name__.lower(), target_id=row.pk)
        last = entries.order_by("-pk").first()
        return last.actor_label if last is not None else _("Somebody")


def typed_in(form: Any) -> dict[str, Any]:
    """A form's values by field, without the reason, which belongs to the origin."""
    return {name: value for name, value in form.cleaned_data.items() if name != "reason"}


def changed_in(form: Any) -> dict[str, Any]:
    """Those of its values that differ from what the form showed."""
    typed = typed_in(form)
    return {name: typed[name] for name in form.changed_data if name in typed}
