"""What may be a name, of a person or of a unit: what stands in its place is told from it."""

import re
from functools import lru_cache
from itertools import dropwhile

from django.utils.translation import gettext as _

from buildings.unit_import.blocks import says_block
from buildings.unit_import.cells import (
    CellProblem,
    is_occupancy,
    means_nobody,
    read_text,
    refuse_sum,
)
from contacts.canonical import western_digits
from contacts.text import folded, is_title, words_without_title


def _folded_set(words: str) -> frozenset[str]:
    return frozenset(folded(word) for word in words.split(","))


# What a column of people says of whoever it does not name.
_NOT_PERSONS = (
    _folded_set("owner,owners,landlord,tenant,tenants,renter,lessee,resident,occupant,occupier")
    | _folded_set(
        "tbd,tba,to be confirmed,to be announced,manager,guard"
        ",rent,rental,for rent,for sale,sold,owned,ownership,unknown,no name"
    )
    | _folded_set(
        "مالك,المالك,ملاك,صاحب الشقة,صاحب الوحدة,مستأجر,المستأجر,ساكن,الساكن,مقيم,شاغل,قاطن"
    )
    | _folded_set("مالكة,مستأجرة,ساكنة,تمليك,إيجار,ايجار,للإيجار,للبيع,مباعة,غير معروف,مجهول")
    | _folded_set(
        "بدون اسم,حارس,بواب,yes,no,y,n,x,v,ok,true,false,نعم,أيوة,ايوه,صح,صحيح,صواب,خطأ,خاطئ"
    )
    | _folded_set("vrai,faux,wahr,falsch,verdadero,falso")
)
# The same, of people alone: a unit may be called so.
_NO_NAMES = (
    _folded_set(
        "same,same as above,ditto,as above,no answer,tbc,deleted,new tenant,new owner,new resident"
        ",furnished,deceased,travelling,reserved,under sale,moved out"
    )
    | _folded_set(
        "نفس المالك,نفس الساكن,نفس الاسم,نفس الشخص,كما سبق,كما هو,متوفى,متوفي,المتوفى,مسافر,مسافرة"
        ",مباع,محجوز,محجوزة,تحت البيع,لا يرد,مفروش,مفروشة,ساكن جديد,مالك جديد,مستأجر جديد"
    )
    | _folded_set(
        "mr,mrs,ms,dr,eng,miss,prof,engineer,doctor,دكتور,دكتورة,مهندس,مهندسة,أستاذ,أستاذة,لواء"
    )
    | _folded_set(
        "عميد,عقيد,مستشار,محاسب,مدام,آنسة,السيدة,الأستاذ,الدكتور,المهندس,أ د,مكرر,نفسه,نفسها"
    )
    | _folded_set("إيجار جديد,رفض الإدلاء,السمسار,سمسار")
)
# Longer than any of them, and than any words of an occupancy or a sum.
_LONGEST = 40
_PHONE = re.compile(r"\d(?:[\W_]{0,2}\d){6}")
_DIGIT = re.compile(r"\d")
_MONTHS = _folded_set(
    "jan,feb,mar,apr,may,jun,jul,aug,sep,sept,oct,nov,dec,january,february,march,april,june,july"
    ",august,september,october,november,december,يناير,فبراير,مارس,أبريل,ابريل,مايو,يونيو,يوليو"
    ",أغسطس,سبتمبر,أكتوبر,نوفمبر,ديسمبر,am,pm"
)

# What a row says of the rows beside it, not of a unit.
_PAGES = _folded_set("page,pages,صفحة")
_UNITS = _folded_set(
    "unit,flat,apartment,apt,door,villa,shop,suite,store,office,clinic,roof,garage,studio,room"
    ",وحدة,شقة,محل,فيلا,باب,مكتب,عيادة,روف,جراج,مخزن,استوديو,غرفة"
)
# Between people's names, each of a first name and another: "م / علي" is one, as "Dr / Ali Omar" and
# "Adel, Karim" are. "And" is written to the name behind it, too: "كريم عادل ومنى سالم".
_BETWEEN_PEOPLE = re.compile(
    r"\s?[/\\&＆+,،؛;|\n•]\s?|\s_\s|\s[-‐-―]\s|\sـ\s|\s(?:and|or|with|و|أو|او|مع)\s|\sو(?=[^\W\d_]{3})",
    re.IGNORECASE,
)
_AND = re.compile(r"\s?[&＆+]\s?|\s(?:and|و)\s", re.IGNORECASE)
# Names that begin with this letter, folded.
_BEGUN_BY_AND = _folded_set(
    "وليد,وائل,وفاء,وسام,وجدي,وردة,ولاء,وحيد,وحيدة,وهبة,وهبي,وصفي,وداد,والي,واصف,وجيه,وجيهة,وسيم,وسيمة"
    ",وديع,وديعة,وفيق,وفيقة,وهيب,وهيبة,وئام,وفائي,وسيلة,وجنات,ونيس,واكد,واصل,وهدان,ورداني,وعد,ورد,ورود"
    ",وسمية,والد,والدة,وجد,ولي,وارث,وديدي,وافي,وفية,ويصا,وليم,وليام,ويليام,واسيلي,وزير,وزيري,وكيل,وقاص"
    ",وكيع,ورشان,وصيف,وهاب,وجدان,وصال,واثق,وضاح,وشاح,وشاحي,وديان,ودود,وشهرته,وشهرتها,ونان,وادي,وازن,وطني,ولدان,وقاد"
)
# What the last name may begin with that stands first: "Abd El Wahab, Mohamed Ali".
_BEFORE_LAST_NAMES = _folded_set(
    "abd,abdel,abdul,abo,abou,abu,aboul,el,al,bin,ibn,bint,van,von,de,del,della,di,da,dos,la,le,mac,saint,st"
)
# Who lives with somebody, without a name.
_HOUSEHOLD = _folded_set(
    "family,kids,children,sisters,wife,husband,widow,أرملة,عائلته,عائلتها,أسرته,أسرتها,أولاده,أولادها,اولاده"
)
_LATIN_LETTER, _ARABIC_LETTER = re.compile("[a-zA-Z]"), re.compile("[\u0620-\u064a]")
_AND_KIN = re.compile(
    r"\sو(?:المدام|مدام|زوجته|زوجها|زوجة|حرمه|شقيقه|شقيقته|أخوه|اخوه|أخته|ابنه|ابنته)\b"
    r"|\((?:(?:wife|husband)(?! of)|زوجته|زوجها)\b|(?:[&+]|\band|\bw/)\s?(?:\w{3} )?(?:wife|husband)\b"
    r"|\bMr\.? ?& ?Mrs\b|\bMr\.? .*\bMrs\.? "
    # "1- Ahmed Ali 2- Mona Omar", "Owner: Ahmed Ali Tenant: Mona Omar"
    r"|^\W*1\s?[-.)].*\s2\s?[-.)]|^(?:owner|tenant|resident|(?:ال)?(?:مالك|مستأجر|ساكن))\s?[:：].*[:：]",
    re.IGNORECASE,
)
# Beside the titles that stand before anybody's name.
_OF_ONE = _folded_set(
    "lawyer,engineer,accountant,doctor,dentist,teacher,officer,محاسب,مدرس,مدرسة,ضابط,تاجر,محامية,صيدلي,موظف"
    ",السعودية,سعودية,الكويت,كويت,دبي,الإمارات,إمارات,قطر,كندا,أمريكا,dubai,kuwait,qatar,canada,usa,uae,"
    "general,colonel,captain,كابتن,طيار,طبيب,طبيبة,محامي,ورثة,مرحوم,أسنان,أطفال,باطنة,عظام,عيون,جلدية,نساء,جراح,جراحة"
    ",مدني,معماري,كهرباء,ميكانيكا,كيميائي,زراعي"
)
# Who is which of two, beside their names, folded.
_OWNERS = _folded_set("owner,landlord,husband,مالك,المالك,مالكة,المالكة,زوج,الزوج")
_WIVES = _folded_set("wife,زوجة,الزوجة")
_TENANTS = _folded_set(
    "tenant,renter,rent,rental,lessee,resident,occupant,مستأجر,المستأجر,مستأجرة,المستأجرة,ساكن,الساكن"
    ",ساكنة,الساكنة,إيجار,الإيجار"
)
_THEIR_SPOUSE = _folded_set("زوجته,زوجها,حرمه,wife,husband")
# What may part two names, where two phones are to be shared out; no Arabic name has a hyphen.
_MAY_PART = re.compile(
    r"(?<=[\u0620-\u064a])[-‐-―](?=[\u0620-\u064a])|\s?(?:[:：*=_~<>^#·…]+|--+)\s?|\s?\.\.+\s?|\s(?:ثم|wa|w|plus|then|et)\s",
    re.IGNORECASE,
)
_PILGRIMS = _folded_set("حاج,الحاج,حاجة,الحاجة,شيخ,الشيخ,hag,haj,hajj")
_RANKS = _folded_set(
    "gen,general,maj,major,brig,brigadier,col,colonel,لواء,عميد,عقيد,فريق,رائد,نقيب"
)
# "Hassan, Ali" is one person's name as lists have it.
_LAST_NAME_FIRST = re.compile(r"^(?:[A-Za-z' -]+,\s?[A-Za-z'.-]+|[A-Za-z'-]+,\s?[A-Za-z'. -]+)$")
_AFTER_TITLE = re.compile(r"[./]")
_BUSINESS = _folded_set(
    "co,company,sons,bros,brothers,group,ltd,llc,شركة,شركاه,مكتب,فرع,محل,مؤسسة,مجموعة,صيدلية,عيادة"
)
# What begins the words of whoever made the list; and what alone heads the rows below it.
_OF_THE_LIST = _folded_set(
    "prepared,printed,created,updated,signed,signature,date,signatures,approved,reviewed,notes"
    ",إعداد,أعده,أعد,طبع,توقيع,تاريخ,اعتماد,مراجعة,ملاحظات,تم"
)
_OF_MANY = _folded_set(
    "ground,first,second,third,fourth,fifth,sixth,seventh,eighth,ninth,tenth,floor,level,typical"
    ",shops,units,flats,apartments,villas,offices,stores,clinics,garages,rooms,and"
    ",أرضي,أول,ثاني,ثالث,رابع,خامس,سادس,سابع,ثامن,تاسع,عاشر,دور,طابق,متكرر,محلات,شقق,وحدات,فيلات"
    ",مكاتب,عيادات,مخازن,جراجات"
)
# An entrance, which heads the rows below it; and who looks after a block, alone.
_ENTRANCE = re.compile("(?:entrance|مدخل|المدخل)(?: (?:[0-9]{1,2}|[^ ]))?")
_OFFICERS = _folded_set(
    "president,chairman,treasurer,secretary,manager,union president,رئيس,رئيس الاتحاد,رئيس اتحاد الملاك"
    ",أمين الصندوق,السكرتير,سكرتير,المدير,مدير,المدير العام"
)
# Whose room or flat a unit may be.
_CARETAKERS = _folded_set("guard,guards,caretaker,porter,doorman,حارس,الحارس,بواب,البواب,غفير")
# What may stand before the name of a unit that begins with figures, and says nothing.
_BEFORE_FIGURES = re.compile(
    rf"^(?:{'|'.join(_folded_set('unit,flat,apartment,apt,شقة,الشقة,وحدة,الوحدة'))})"
    r" ?(?:no|number|رقم)? ?(?=\d)"
)
# Which tell units apart: A+1 is not A-1, and Shop -1 not Shop 1. Half a unit is one, too.
_SIGNS = re.compile(r"[+＋]|(?<!\S)[-−‐-―－](?=\d)|(?<=\d)[¹²³]|[¼½¾]")
_BESIDE_FIGURES = re.compile(r"(?<=[^\W\d_]) (?=\d)|(?<=\d) (?=[^\W\d_])")


def unit_key(name: str) -> str:
    """Equal for spellings of one unit's name: 12 A and Flat 12A are 12A, and Shop 1 is Shop1."""
    signed = _SIGNS.sub(_in_words, name)
    return _BESIDE_FIGURES.sub("", _BEFORE_FIGURES.sub("", folded(signed)))


def _in_words(sign: re.Match[str]) -> str:
    text = sign[0]
    if text.isnumeric():
        return f" sign{ord(text)} "
    return " plus " if text in "+＋" else " minus "


def read_person(longest: int, text: str) -> str:
    """The name of a person, or a part of it."""
    text = read_text(longest, text)
    if means_nobody(text, has_contact=True):
        # A formula that leads to an empty cell shows a nought.
        return text
    if len(text) <= _LONGEST:
        words = folded(text)
        refuse_sum(words)
        if is_occupancy(words):
            raise CellProblem(
                _(
                    "says how the unit is used, not who lives there: write it into the column occupancy"
                )
            )
        if _is_no_person(words) or words in _NO_NAMES or _is_unit(words):
            raise CellProblem(_("is not the name of a person"))
    if not text[:1].isalpha() and not any(map(str.isalpha, text)):
        raise CellProblem(_("is not the name of a person"))
    if "@" in text or "＠" in text or (_DIGIT.search(text) and _PHONE.search(text)):
        raise CellProblem(
            _("is not the name of a person alone: a phone or an e-mail has a column of its own")
        )
    return text


def names_several(text: str) -> bool:
    """Whether a name is clearly of more than one person."""
    if _AND_KIN.search(western_digits(text)):
        return True
    parts = _parted(text)
    if _is_one_in_two_scripts(parts):
        return False
    people = [words_without_title(part) for part in parts]
    if any(not _BUSINESS.isdisjoint(words) for words in people):
        return False
    return sum(map(_is_full_name, people)) > 1 or _is_couple(text)


def may_name_several(text: str, contacts: int) -> bool:
    """Whether a name may be of more than one person: it matters where contacts are to be shared out."""
    lines = text.split("\n")
    if len(lines) > 1 and all(len(line.split()) == 1 for line in lines):
        # "Omar" above "Lina" are two where they have two phones; else one name goes on below.
        return len(lines) == contacts
    parts = _parted(_MAY_PART.sub(" / ", text))
    people = [words_without_title(part) for part in parts]
    if not _BUSINESS.isdisjoint(word.removeprefix("ال") for word in folded(text).split()):
        return False
    if _names_owner_and_tenant(folded(text).split()) or _has_title_within(text):
        return True
    if _LAST_NAME_FIRST.fullmatch(text.strip()) or _is_one_in_two_scripts(parts):
        return False
    # "Johnson & Johnson" is a business.
    return sum(map(_may_be_person, map(list, set(map(tuple, people))))) > 1


def _names_owner_and_tenant(words: list[str]) -> bool:
    """Whether a role stands between names: "owner Ahmed tenant Mona", "Ahmed tenant Mona Omar"."""
    first = ""
    for at, word in enumerate(words):
        behind = [each for each in words[at + 1 : at + 4] if each != "من"]
        if word in _THEIR_SPOUSE and at and behind and behind[0] != "of":
            return True
        role = _role(word)
        if not role:
            continue
        if first and role != first:
            return True
        if role == "tenant" and at and all(map(_is_name, behind[:2])) and len(behind) > 1:
            return True
        first = role if behind and _is_name(behind[0]) else first
    return False


def _role(word: str) -> str:
    bare = {word, word.removeprefix("و")}
    if not bare.isdisjoint(_OWNERS):
        return "owner"
    return "" if bare.isdisjoint(_TENANTS | _WIVES) else "tenant"


def _is_name(word: str) -> bool:
    known = _UNITS | _OF_MANY
    return (
        len(word) > 2
        and word.isalpha()
        and not _role(word)
        and word.removeprefix("ال") not in known
    )


def _has_title_within(text: str) -> bool:
    """Whether a title stands between names: "Dr Ahmed Ali Eng Mona Omar"."""
    every = _AFTER_TITLE.sub(r"\g<0> ", text).split()
    words = list(dropwhile(lambda word: is_title(word) or folded(word) in _RANKS, every))
    if _LATIN_LETTER.search(text) and _ARABIC_LETTER.search(text):
        # One name twice, each with its title.
        return False
    leads = len(words) < len(every)
    return any(
        is_title(word) and _begins_another(words[:at], word, words[at + 1 :], leads=leads)
        for at, word in enumerate(words[1:-1], 1)
    )


def _begins_another(before: list[str], title: str, behind: list[str], *, leads: bool) -> bool:
    """Whether a title within a name begins another one; `leads` says that one stands at its beginning."""
    if folded(behind[0]) in _OF_ONE:
        # "Dentist" is two words in Arabic.
        return False
    # Where no title leads, a name may hold "Hag", or an initial between one name and another.
    is_initial = len(folded(title)) == 1 and (len(before) < 2 or len(behind) < 2)
    return leads or not (is_initial or folded(title) in _PILGRIMS)


def _may_be_person(words: list[str]) -> bool:
    bare = [word.removeprefix("ال") for word in words]
    if any(word.isdecimal() for word in words) or _is_no_person(" ".join(words)):
        return False
    nobodies = _UNITS | _OF_MANY | _OF_ONE | _HOUSEHOLD | _NO_NAMES
    return any(len(word) > 2 and word not in nobodies and not is_title(word) for word in bare)


def _parted(text: str) -> list[str]:
    """The text's parts that may be people each."""
    parts = _BETWEEN_PEOPLE.split(" ".join(map(_kept_whole, text.split(" "))))
    if "," in text and folded(parts[0]).split(" ")[0].split("-")[0] in _BEFORE_LAST_NAMES:
        return [text]
    return parts


def _kept_whole(word: str) -> str:
    """A name that begins as "and" does, marked by a tatweel, which says nothing."""
    return f"ـ{word}" if word.startswith("و") and folded(word) in _BEGUN_BY_AND else word


def _is_one_in_two_scripts(parts: list[str]) -> bool:
    """Whether there are two, one in Latin letters and one in Arabic: one name, twice."""
    scripts = [
        (bool(_LATIN_LETTER.search(part)), bool(_ARABIC_LETTER.search(part))) for part in parts
    ]
    return sorted(scripts) == [(False, True), (True, False)]


def _is_couple(text: str) -> bool:
    """Whether two first names are joined by what joins nothing else: "Ahmed & Mona"."""
    people = [words_without_title(part) for part in _AND.split(text)]
    words = [word.removeprefix("ال") for each in people for word in each]
    nobodies = _UNITS | _OF_MANY | _OF_ONE | _BUSINESS | _HOUSEHOLD
    if any(word.isdecimal() or word in nobodies for word in words):
        return False
    # "Johnson & Johnson" is a business.
    return len(set(map(tuple, people))) > 1 and all(
        any(len(word) > 2 for word in each) for each in people
    )


def _is_full_name(words: list[str]) -> bool:
    """Whether it may be a first name and another, and no place or trade."""
    bare = [word.removeprefix("ال") for word in words]
    if any(word.isdecimal() or word in _UNITS | _OF_MANY for word in bare):
        return False
    return sum(len(word) > 2 for word in words) > 1 and _OF_ONE.isdisjoint(bare[:2])


def _is_no_person(words: str) -> bool:
    """Also with a number behind it, or beside the kind of unit: "Tenant 2", "Vacant flat"."""
    less = [word for word in words.split() if not word.isdecimal()]
    bare = " ".join(word for word in less if word.removeprefix("ال") not in _UNITS)
    said = {words, " ".join(less), bare}
    return not said.isdisjoint(_NOT_PERSONS) or any(map(is_occupancy, said)) or _is_date(words)


def _is_unit(words: str) -> bool:
    """Whether it is a unit's number: "Flat 5"."""
    parts = {word.removeprefix("ال") for word in words.split()}
    numbers = {word for word in parts if word.isdecimal()}
    return bool(numbers) and numbers != parts and parts - numbers <= _UNITS


def _is_date(words: str) -> bool:
    if _DIGIT.search(words) is None:
        return False
    return all(word.isdecimal() or word in _MONTHS for word in words.split())


@lru_cache(1024)
def names_no_unit(text: str) -> bool:
    """Whether what stands in place of a unit's name is of a block, a page or whoever made the list."""
    if ":" in text or "：" in text:
        return True
    words = [word.removeprefix("ال") for word in folded(text).split()]
    if not _OF_THE_LIST.isdisjoint(words[:1]) or (words and _OF_MANY.issuperset(words)):
        return True
    if _ENTRANCE.fullmatch(folded(text)) or folded(text) in _OFFICERS:
        return True
    if not _CARETAKERS.isdisjoint(words) and not _UNITS.isdisjoint(words):
        return False
    of_a_block = says_block(text) and _UNITS.isdisjoint(words)
    return of_a_block or not _PAGES.isdisjoint(words[:1]) or _is_no_person(" ".join(words))
