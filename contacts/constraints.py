"""A constraint that Django lacks: a foreign key over several columns."""

from collections.abc import Sequence
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


class CompositeForeignKey(models.BaseConstraint):
    """`fields` together refer to one row of the model that the first of them points to.

    `to_fields` are the target's fields that they must equal; these must be unique together. A row
    with NULL in its first field refers to nothing and passes.
    """

    def __init__(
        self, *, fields: list[str], to_fields: list[str], name: str, **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.fields = fields
        self.to_fields = to_fields

    def _clause(self, model: type[models.Model], editor: BaseDatabaseSchemaEditor) -> str:
        target = cast(type[models.Model], model._meta.get_field(self.fields[0]).related_model)
        # On SQLite checked at commit, like Django's own foreign keys; MariaDB has no such clause.
        deferred = " DEFERRABLE INITIALLY DEFERRED" if editor.connection.vendor == "sqlite" else ""
        return (
            f"CONSTRAINT {editor.quote_name(self.name)}"
            f" FOREIGN KEY ({_columns(model, self.fields, editor)})"
            f" REFERENCES {editor.quote_name(target._meta.db_table)}"
            f" ({_columns(target, self.to_fields, editor)}){deferred}"
        )

    def constraint_sql(self, model: type[models.Model] | None, schema_editor: Any) -> str:
        return self._clause(cast(type[models.Model], model), schema_editor)

    def create_sql(self, model: type[models.Model] | None, schema_editor: Any) -> str:
        model = cast(type[models.Model], model)
        table = schema_editor.quote_name(model._meta.db_table)
        return f"ALTER TABLE {table} ADD {self._clause(model, schema_editor)}"

    def remove_sql(self, model: type[models.Model] | None, schema_editor: Any) -> str:
        table = schema_editor.quote_name(cast(type[models.Model], model)._meta.db_table)
        return f"ALTER TABLE {table} DROP FOREIGN KEY {schema_editor.quote_name(self.name)}"

    def validate(
        self,
        model: type[models.Model],
        instance: models.Model,
        exclude: Any = None,
        using: str = DEFAULT_DB_ALIAS,
    ) -> None:
        """Raises ValidationError unless the target's fields equal the instance's."""
        if exclude and set(self.fields) & set(exclude):
            return
        target = getattr(instance, self.fields[0])
        for field, to_field in zip(self.fields, self.to_fields, strict=True):
            if target is not None and getattr(instance, _attname(model, field)) != getattr(
                target, _attname(type(target), to_field)
            ):
                raise ValidationError(self.get_violation_error_message())

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        return path, args, kwargs | {"fields": self.fields, "to_fields": self.to_fields}

    def __eq__(self, other: object) -> bool:
        if isinstance(other, CompositeForeignKey):
            return self.deconstruct() == other.deconstruct()
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]


def _attname(model: type[models.Model], field: str) -> str:
    return str(cast(Any, model._meta.get_field(field)).attname)


def _columns(model: type[models.Model], fields: list[str], editor: BaseDatabaseSchemaEditor) -> str:
    return ", ".join(
        editor.quote_name(cast(Any, model._meta.get_field(field)).column) for field in fields
    )
