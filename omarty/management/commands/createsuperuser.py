"""`manage.py createsuperuser`: register a person who may do everything."""

import os
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser
from django.db import IntegrityError

from audit.operations import Origin
from contacts.canonical import ContactProblem, one_line, with_hint
from contacts.models import Kind, User
from contacts.operations import register_user
from omarty.management.base import CommandRefused, DataCommand, UsageProblem
from omarty.management.passwords import ask, ask_password, check_password

PASSWORD = "DJANGO_SUPERUSER_PASSWORD"  # noqa: S105


class Command(DataCommand):
    help = (
        "Register a superuser, who signs in to the back-office by e-mail or phone.\n\n"
        "It asks for the password, and for the e-mail or phone and the name unless --login and --name\n"
        "are given; the name may stay empty. With --noinput the password is\n"
        f"taken from the environment variable {PASSWORD}."
    )
    reads = "the options, or what is typed"
    writes = "one person with their e-mail or phone, and an audit entry"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--login", help="Their e-mail or phone.")
        parser.add_argument("--name", help="Their name, which pages and the audit log show.")
        parser.add_argument(
            "--noinput",
            "--no-input",
            action="store_false",
            dest="interactive",
            help=f"Ask nothing: --login and {PASSWORD} are required.",
        )

    def run(self, **options: Any) -> None:
        interactive = options["interactive"]
        if not interactive and not options["login"]:
            raise UsageProblem("With --noinput, --login is required.")
        if not interactive and not os.environ.get(PASSWORD):
            raise UsageProblem(f"With --noinput, the environment variable {PASSWORD} is required.")
        login = options["login"] or ask(self._input, "E-mail or phone: ")
        kind, login = _contact(login)
        name = options["name"]
        if interactive and name is None:
            name = ask(self._input, "Name: ")
        password = ask_password(self.tell) if interactive else os.environ[PASSWORD]
        fields = {kind.value: login, "name": one_line(name or "")}
        _check(fields)
        check_password(password, User(**fields))
        try:
            with self.rolled_back_if_dry():
                user = register_user(
                    origin=Origin.of_command("createsuperuser"),
                    password=password,
                    is_superuser=True,
                    **fields,
                )
        except IntegrityError as error:
            raise CommandRefused(
                f"Somebody has {login} already: give an e-mail or phone that nobody has."
            ) from error
        text = f"Superuser {login} was registered."
        text += " (Dry run: nothing was written.)" if self.dry_run else ""
        self.report({"person": None if self.dry_run else user.pk, "login": login}, text)

    def _input(self, prompt: str) -> str:
        # Standard output is for the report.
        self.stderr.write(prompt, str, ending="")
        self.stderr.flush()
        return input()


def _contact(typed: str) -> tuple[Kind, str]:
    """The kind of what was typed, and how it is stored. Raises UsageProblem."""
    # The kind that it looks like is refused last, for its hint to be told.
    for kind in (Kind.PHONE, Kind.EMAIL) if "@" in typed else (Kind.EMAIL, Kind.PHONE):
        try:
            kind.canonical(typed)
        except ContactProblem as problem:
            hint = problem.hint
        else:
            return kind, kind.tidy(typed)
    raise UsageProblem(
        with_hint(f"{typed!r} is neither an e-mail address nor a phone number.", hint)
    )


def _check(fields: dict[str, str]) -> None:
    """Raises UsageProblem for a value that is too long or not valid for its field."""
    try:
        User(**fields).clean_fields(exclude={"password", *Kind.values})
    except ValidationError as error:
        sentences = [f"--{name}: {' '.join(why)}" for name, why in error.message_dict.items()]
        raise UsageProblem(" ".join(sentences)) from error
