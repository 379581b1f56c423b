"""What migrations that add a `FoldedField` consist of.

MariaDB cannot take back what a killed migration did to a table: run again, it goes on from there.
"""

from typing import Any

from django.db import connections, migrations, models, transaction

from contacts.folding import folded_fields

BATCH = 2000


class AddMissingField(migrations.AddField):
    """Adds the field, unless a killed run has added it."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        connection = schema_editor.connection
        table = to_state.apps.get_model(app_label, self.model_name)._meta.db_table
        with connection.cursor() as cursor:
            present = connection.introspection.get_table_description(cursor, table)
        if self.name not in {column.name for column in present}:
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class AddMissingIndex(migrations.AddIndex):
    """Adds the index, unless a killed run has added it."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        connection = schema_editor.connection
        table = to_state.apps.get_model(app_label, self.model_name)._meta.db_table
        with connection.cursor() as cursor:
            present = connection.introspection.get_constraints(cursor, table)
        if self.index.name not in present:
            super().database_forwards(app_label, schema_editor, from_state, to_state)


def fill(app_label: str, *models_named: str) -> migrations.RunPython:
    """Fold the names of the rows that are there, a batch at a time, each for good on MariaDB.

    Once more where a new version folds them otherwise.
    """

    def forwards(apps: Any, schema_editor: Any) -> None:
        for name in models_named:
            _fold_rows(apps.get_model(app_label, name), schema_editor.connection.alias)

    return migrations.RunPython(forwards, migrations.RunPython.noop, atomic=False)


def _fold_rows(model: type[models.Model], database: str) -> None:
    (field,) = folded_fields(model)
    rows = model._base_manager.using(database).order_by("pk")
    rows = rows.only("pk", field.name, *field.derived_from)
    quote = connections[database].ops.quote_name
    statement = f"UPDATE {quote(model._meta.db_table)} SET {quote(field.column)} = %s WHERE id = %s"  # noqa: S608
    last: Any = None
    while batch := list((rows if last is None else rows.filter(pk__gt=last))[:BATCH]):
        last = batch[-1].pk
        derived = [(field.derived(row), row) for row in batch]
        new = [(folded, row.pk) for folded, row in derived if folded != getattr(row, field.name)]
        with transaction.atomic(using=database), connections[database].cursor() as cursor:
            if new:
                cursor.executemany(statement, new)
