"""The form that takes a file of units, and carries it from one preview to the next."""

import base64
import binascii
import zlib
from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from buildings.models import Block
from buildings.permissions import Blocks
from omarty.backoffice.base.forms import BlockField
from omarty.backoffice.base.labels import isolated
from omarty.backoffice.import_preview import Confirmation, HowToRead
from omarty.tables.xlsx_pictures import without_pictures

# Of a table without the pictures in it: so much a form carries.
MOST_BYTES = 512 * 1024
# With them.
MOST_UPLOADED = settings.LARGE_UPLOADS["/admin/buildings/apartment/import/"]
# Of a file.
LONGEST_NAME = 255


class HeadingsField(forms.MultipleChoiceField):
    """Headings of a file that are to be left out. Hidden until the file has been read and offers some."""

    widget: Any = forms.MultipleHiddenInput

    def offer(self, headings: Sequence[str]) -> None:
        """Show a tick for each of these."""
        self.widget = forms.CheckboxSelectMultiple()
        self.choices = [(name, name) for name in headings]

    def valid_value(self, value: Any) -> bool:
        return True


class FileForm(forms.Form):
    """A table to bring in: uploaded, or carried from the preview to its confirmation.

    Nothing is left on the server in between, so that any worker can take the second step.
    """

    required_css_class = "required"
    import_file = forms.FileField(
        label=gettext_lazy("File"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx"}),
    )
    block = BlockField(
        label=gettext_lazy("Block"),
        queryset=Block.objects.none(),
        required=False,
        empty_label=gettext_lazy("As the file says"),
        help_text=gettext_lazy("Of every row, where the file has no column of block ids."),
    )
    ignore = HeadingsField(label=gettext_lazy("Leave out these columns"), required=False)
    names = forms.BooleanField(
        label=gettext_lazy("A text that is no number becomes the unit's name"),
        required=False,
        help_text=gettext_lazy(
            "Such as 12A or Shop 4 in the column of numbers. The unit has no number then, until"
            " somebody gives it one."
        ),
    )
    carried = forms.CharField(required=False, widget=forms.HiddenInput)
    confirmed = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, within: Blocks, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.file_name, self.content = "", b""
        # The file that need not be chosen again.
        self.kept = ""
        self.only: int | None = None
        if within.ids is None:
            # All blocks there are would be no choice but a list of its own.
            del self.fields["block"]
        elif len(within.ids) == 1:
            (self.only,) = within.ids
            del self.fields["block"]
        else:
            blocks = within.only(Block.objects.order_by("pk"), "pk")
            self.fields["block"].queryset = blocks  # type: ignore[attr-defined]

    @property
    def reading(self) -> HowToRead:
        """How the file is to be read."""
        given = self.cleaned_data
        return HowToRead(self.block_id, given["names"], given["ignore"])

    @property
    def confirmation(self) -> Confirmation:
        """What was seen, and what is wanted of it."""
        return Confirmation(self.cleaned_data["confirmed"], self.data.get("wanted", ""))

    @property
    def block_id(self) -> int | None:
        """The block of rows that name none."""
        block = self.cleaned_data.get("block")
        return self.only if block is None else block.pk

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        upload, carried = cleaned.get("import_file"), cleaned.get("carried")
        if upload is not None:
            if carried:
                # The ticks were for the headings of another file.
                cleaned["ignore"] = []
            self.file_name, self.content = upload.name, _content(upload)
        elif carried:
            self.file_name, self.content = _unpacked(carried)
        elif not self.errors:
            raise forms.ValidationError(_("Choose a file."))
        return cleaned

    def carry(self, offered: Sequence[str] = ()) -> None:
        """Show the form again for the same file: it need not be chosen again, and headings that were
        left out, or are `offered`, can be ticked.
        """
        ignored = self.cleaned_data.get("ignore", [])
        data = cast("QueryDict", self.data).copy()
        data["carried"], data["confirmed"] = self.packed, ""
        data.setlist("ignore", ignored)
        self.data = data
        self.kept = isolated(self.file_name)
        if headings := list(dict.fromkeys([*ignored, *offered])):
            cast("HeadingsField", self.fields["ignore"]).offer(headings)

    @property
    def packed(self) -> str:
        """The file as the preview carries it to the confirmation."""
        parts = (self.file_name.encode(), zlib.compress(self.content))
        return ":".join(base64.b64encode(part).decode() for part in parts)


def _content(upload: UploadedFile) -> bytes:
    """The file without the pictures in it."""
    if (upload.size or 0) > MOST_UPLOADED:
        raise forms.ValidationError(
            _(
                "The file is larger than %(most)d MB. Pictures make it large: delete them, or save the"
                " table as CSV."
            )
            % {"most": MOST_UPLOADED >> 20}
        )
    return _without_pictures(upload.read())


def _without_pictures(file: bytes) -> bytes:
    """The file without the pictures in it. Raises ValidationError if more is left than a form carries."""
    content, left_out = without_pictures(file)
    if len(content) - left_out > MOST_BYTES:
        raise forms.ValidationError(
            _("The file is larger than %(most)d kB: bring it in in parts.")
            % {"most": MOST_BYTES // 1024}
        )
    return content


def _unpacked(carried: str) -> tuple[str, bytes]:
    name, _colon, rest = carried.partition(":")
    try:
        decompressor = zlib.decompressobj()
        content = decompressor.decompress(base64.b64decode(rest), MOST_UPLOADED)
        file_name = base64.b64decode(name).decode()
        if not 1 <= len(file_name) <= LONGEST_NAME:
            raise ValueError
    except (binascii.Error, zlib.error, ValueError) as error:
        raise forms.ValidationError(_("Choose the file again.")) from error
    return file_name, _without_pictures(content)
