"""Which block a row means: by the number or the name that people call it by, or by its id."""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache

from django.db.models import Count
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from buildings.models import HIGHEST_FLOOR, Block, Building
from buildings.permissions import Blocks
from buildings.unit_import.cells import CellProblem, whole_number
from contacts.text import folded

# What people write before a block's number.
_BLOCK_WORDS = frozenset(
    folded(word)
    for word in (
        "block",
        "blocks",
        "blk",
        "building",
        "bld",
        "bldg",
        "tower",
        "عمارة",
        "بلوك",
        "برج",
    )
    + ("مبنى", "بناية")
)
_SURPLUS = _BLOCK_WORDS | {folded(word) for word in ("no", "number", "رقم")}
_WORD_AND_FIGURES = re.compile(r"(?<=[^\W\d_])(?=\d)")
# The words of a block's name that are looked for in a line, at most.
_LONGEST_CALL = 3
# So many blocks a message names.
_MOST_LISTED = 5


class BlockProblem(CellProblem):
    """No block is meant, or none of these; `column` is the name of the Column that is to blame."""

    def __init__(self, column: str, sentence: str) -> None:
        super().__init__(sentence)
        self.column = column


class BlockFinder:
    """Finds blocks `within` those of whoever imports; `chosen` is the block of rows that name none.

    The blocks are asked for once, when the first row names one.
    """

    def __init__(self, within: Blocks, chosen: int | None) -> None:
        self._within, self.chosen = within, chosen
        # The block of what a row says of it under "block", "block name" and "block id", where empty is
        # not said; None if nothing is said or chosen. Problems too are kept: each asks the database.
        self.find: Callable[[str, str, int | None], int | BlockProblem | None] = lru_cache(4096)(
            self._find
        )
        self._listed = lru_cache(4096)(_listed)

    def roof_of(self, block_id: int) -> int | None:
        """The floor above the last one of a block, whose floors are counted from the ground floor."""
        floors = self._floors.get(block_id)
        return floors if floors and floors <= HIGHEST_FLOOR else None

    def other_blocks(self, sheets: Sequence[str]) -> list[str]:
        """Those of these sheets whose names say that they are of another block than the one chosen.

        "Block 9" says so, and where one of several means a block, the others do, too.
        """
        # "Block2" is "Block 2".
        apart = {name: _WORD_AND_FIGURES.sub(" ", name) for name in sheets}
        meant = {name: self._called(text) for name, text in apart.items()}
        if len(sheets) == 1:
            said = [name for name, text in apart.items() if _numbered_block(text)]
        else:
            named = any(map(says_block, apart.values()))
            said = list(sheets) if named or any(meant.values()) else []
        return [name for name in said if self.chosen not in meant[name]]

    def said_in(self, text: str) -> frozenset[int] | None:
        """The ids of the blocks that a line speaks of, such as "Residents of Tower 8".

        Empty if it is the number of one that is none of these, and nothing else; None if it says no block.
        """
        words = [
            word.removeprefix("ال") for word in folded(_WORD_AND_FIGURES.sub(" ", text)).split()
        ]
        found = self._called(text) if any(map(str.isalpha, text)) else frozenset()
        for at, word in enumerate(words):
            if word in _BLOCK_WORDS:
                name = [word for word in words[at + 1 :] if word not in _SURPLUS][:_LONGEST_CALL]
                called = (
                    self._called(" ".join(name[:length])) for length in range(len(name), 0, -1)
                )
                found |= next(filter(None, called), frozenset())
        nothing_else = says_block(text) and (_bare(text).isdecimal() or len(_bare(text)) == 1)
        return found if found or nothing_else else None

    def _find(self, block: str, name: str, block_id: int | None) -> int | BlockProblem | None:
        try:
            return self._meant({"block": block, "block name": name}, block_id)
        except BlockProblem as problem:
            return problem

    def _meant(self, meant: dict[str, str], block_id: int | None) -> int | None:
        found = {column: self._called(text) for column, text in meant.items() if text}
        if block_id is not None:
            for column, ids in found.items():
                if ids and block_id not in ids:
                    raise BlockProblem(column, _("is another block than the one with this id"))
            return block_id
        if self.chosen is not None:
            for column, ids in found.items():
                if self.chosen not in ids:
                    raise BlockProblem(column, self._not_chosen(ids))
            return self.chosen
        return self._only_one(found, meant) if found else None

    def _only_one(self, found: dict[str, frozenset[int]], meant: dict[str, str]) -> int:
        for column, ids in found.items():
            if not ids:
                raise BlockProblem(column, self._unknown(meant[column]))
        column = list(found)[-1]
        ids = frozenset.intersection(*found.values())
        if not ids:
            raise BlockProblem(column, _("is another block than the one of this number"))
        if len(ids) > 1:
            sentence = _("may mean %(blocks)s: for ids head the column “block id”")
            raise BlockProblem(column, sentence % {"blocks": self._listed(ids)})
        return next(iter(ids))

    def _unknown(self, text: str) -> str:
        here = list(self._floors)[: _MOST_LISTED + 1]
        sentence = _("is no number or name of a block here: %(blocks)s")
        sentence %= {"blocks": self._listed(frozenset(here))}
        if whole_number(text) in self._floors:
            sentence += _("; for ids head the column “block id”")
        return sentence

    def _not_chosen(self, ids: frozenset[int]) -> str:
        chosen = self._listed(frozenset([self.chosen or 0]))
        if not ids:
            return _("is another block than the one chosen, which is %(chosen)s") % {
                "chosen": chosen
            }
        return _("is %(blocks)s, another block than the one chosen, which is %(chosen)s") % {
            "blocks": self._listed(ids),
            "chosen": chosen,
        }

    def _called(self, text: str) -> frozenset[int]:
        """The ids of the blocks that are called so, exactly, or else but for what stands before."""
        exactly, nearly = self._names
        if number := whole_number(text):
            if number < 0:
                return frozenset()
            text = str(number)
        found = exactly.get(folded(text)) or nearly.get(_bare(text))
        return found or self._buildings.get(_bare(text), frozenset())

    @cached_property
    def _rows(self) -> list[tuple[int, str, str, int | None]]:
        blocks = self._within.only(Block.objects.order_by("pk"), "pk")
        return list(blocks.values_list("pk", "number", "name", "floors"))

    @cached_property
    def _buildings(self) -> dict[str, frozenset[int]]:
        """The blocks that stand alone in their building, by its names: people call them so, too."""
        alone = Building.objects.annotate(count=Count("blocks")).filter(count=1)
        found = self._within.only(Block.objects.filter(building__in=alone), "pk")
        names: dict[str, set[int]] = defaultdict(set)
        for pk, *called in found.values_list("pk", "building__name_ar", "building__name_en"):
            for name in called:
                names[_bare(name)].add(pk)
        return _frozen(names)

    @cached_property
    def _floors(self) -> dict[int, int | None]:
        return {pk: floors for pk, _number, _name, floors in self._rows}

    @cached_property
    def _names(self) -> tuple[dict[str, frozenset[int]], dict[str, frozenset[int]]]:
        """The ids of the blocks by what they are called, and by that without words such as "block"."""
        exactly: dict[str, set[int]] = defaultdict(set)
        nearly: dict[str, set[int]] = defaultdict(set)
        for pk, number, name, _floors in self._rows:
            for called in filter(None, (number, name, f"{number} {name}")):
                exactly[folded(called)].add(pk)
                nearly[_bare(called)].add(pk)
        return _frozen(exactly), _frozen(nearly)


def _bare(text: str) -> str:
    """Without the words that say that it is a block, and the zeros before a number."""
    words = (word.removeprefix("ال") for word in folded(text).split())
    return " ".join(word.lstrip("0") or word for word in words if word not in _SURPLUS)


def says_block(text: str) -> bool:
    """Whether one of its words says that it is a block."""
    words = folded(text).split()
    return any(word in _BLOCK_WORDS or word.removeprefix("ال") in _BLOCK_WORDS for word in words)


def _numbered_block(text: str) -> bool:
    """Whether it is such a word and a number."""
    return says_block(text) and _bare(text).isdecimal()


def _frozen(ids: dict[str, set[int]]) -> dict[str, frozenset[int]]:
    return {called: frozenset(found) for called, found in ids.items() if called}


def _listed(ids: frozenset[int]) -> str:
    """The blocks as people know them, with their ids; of many the first ones."""
    found = Block.objects.select_related("building").filter(pk__in=ids).order_by("pk")
    shown = [
        _("%(block)s (%(building)s, block id %(id)d)")
        % {"block": block, "building": _in_the_readers_language(block.building), "id": block.pk}
        for block in found[:_MOST_LISTED]
    ]
    return _("; ").join(shown + ["…"] * (len(ids) > _MOST_LISTED))


def _in_the_readers_language(building: Building) -> str:
    arabic = (get_language() or "").startswith("ar")
    return (building.name_ar if arabic else building.name_en) or str(building)
