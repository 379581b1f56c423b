"""Fields that hold names folded, for searching. Whatever writes a name writes its folded form with it."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Generic, TypeVar

from django.db import models, transaction

from contacts.text import folded

AnyModel = TypeVar("AnyModel", bound=models.Model)


class FoldedField(models.CharField):  # type: ignore[type-arg]
    """The folded form of other fields of the row, one after the other. Nobody sets it.

    Saving a row and inserting many computes it (`pre_save()`), and so does `insert_like()`
    (`derive()`). `FoldedModel` and `FoldedRows` see to it that it is written whenever one of them is.
    """

    def __init__(self, *args: Any, derived_from: Sequence[str] = (), **kwargs: Any) -> None:
        self.derived_from = tuple(derived_from)
        # By default also in the database, for rows that a statement of somebody else inserts.
        kwargs |= {"default": "", "db_default": "", "blank": True, "editable": False}
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        for given in ("default", "db_default", "blank", "editable"):
            kwargs.pop(given, None)
        return name, path, args, kwargs | {"derived_from": self.derived_from}

    def derive(self, *names: Any) -> str:
        """What it holds where the others hold these names."""
        # A sign may stand for many letters: what is too long then is cut off.
        return folded(" ".join(map(str, names)))[: self.max_length]

    def derived(self, row: models.Model) -> str:
        """What it must hold in this row."""
        return self.derive(*(getattr(row, name) for name in self.derived_from))

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        value = self.derived(model_instance)
        setattr(model_instance, self.attname, value)
        return value


class FoldedRows(models.QuerySet[AnyModel], Generic[AnyModel]):
    """Rows of a `FoldedModel`: what changes names of many at once changes their folded form too."""

    def update(self, **changes: Any) -> int:
        """As Django's; reads and writes the rows again where names are among the changes."""
        if not _stale(self.model, changes):
            return super().update(**changes)
        with transaction.atomic(using=self.db):
            ids = list(self.values_list("pk", flat=True))
            count = super().update(**changes)
            again: FoldedRows[AnyModel] = FoldedRows(self.model, using=self.db)
            again.bulk_update(again.in_bulk(ids).values(), _stale(self.model, changes), 500)
        return count

    def bulk_update(
        self, objs: Iterable[AnyModel], fields: Iterable[str], batch_size: int | None = None
    ) -> int:
        rows, names = list(objs), list(fields)
        names += _stale(self.model, names)
        for field in folded_fields(self.model):
            if field.name in names:
                for row in rows:
                    field.pre_save(row, add=False)
        return super().bulk_update(rows, names, batch_size)


class FoldedModel(models.Model):
    """A model with a `FoldedField`; its manager is made of `FoldedRows`."""

    class Meta:
        abstract = True

    def save_base(
        self,
        raw: bool = False,
        force_insert: Any = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Every way to save calls it, once it is known which fields are written."""
        if update_fields:
            written = set(update_fields)
            update_fields = written.union(_stale(type(self), written))
        super().save_base(raw, force_insert, force_update, using, update_fields)


def folded_fields(model: type[models.Model]) -> list[FoldedField]:
    """The folded fields of a model."""
    return [field for field in model._meta.concrete_fields if isinstance(field, FoldedField)]


def _stale(model: type[models.Model], written: Collection[str]) -> list[str]:
    """The folded fields that must be written with these, and are not among them."""
    return [
        field.name
        for field in folded_fields(model)
        if field.name not in written and not set(field.derived_from).isdisjoint(written)
    ]
