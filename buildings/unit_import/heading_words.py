"""The words of headings: one form for all their spellings, and what they tell of a column."""

import re
import unicodedata

from contacts.text import clean, in_words

# No heading is longer.
LONGEST = 200

_NEW_WORD = re.compile("(?<=[a-z])(?=[A-Z])")
_ARTICLE = "ال"


def plain(heading: str) -> str:
    """One form for all spellings of a heading: words of letters and digits, one space between.

    Case, hamza, vowel signs, tatweel, ال, punctuation, presentation forms, whose digits and what
    nobody sees do not count.
    """
    if len(heading) > LONGEST:
        # It is none of ours, and to compose a long row of marks takes time that grows with its square.
        return heading
    apart = _NEW_WORD.sub(" ", unicodedata.normalize("NFKC", clean(heading)))
    return " ".join(map(_without_article, in_words(apart).split()))


def _without_article(word: str) -> str:
    while word.startswith(_ARTICLE) and len(word) > len(_ARTICLE) + 1:
        word = word.removeprefix(_ARTICLE)
    return word


def plain_set(*words: str) -> frozenset[str]:
    """Headings or words, each in its one form."""
    return frozenset(map(plain, words))


def words_of(text: str) -> frozenset[str]:
    """The words of a text, each in its one form."""
    return plain_set(*text.split())


# Who is named beside the resident, or in their place.
OTHER_PEOPLE = words_of("""
name names person contact emergency wife husband spouse partner son daughter child brother
sister father mother parent relative guardian kin next broker agent guest lodger boarder
flatmate roommate heir heirs buyer seller delegate beneficiary inlaw law guarantor surety
sponsor nominee attorney deputy inheritor trustee housemate subtenant co representative rep
lawyer driver guard maid nanny visitor family اسم أسماء شخص طوارئ زوجة زوج زوجته زوجها ابن ابنة
بنت أخ أخت والد والدة أب أم شريك قريب أقارب وريث ورثة مشتري بائع مفوض مستفيد صهر وكيل سمسار ضامن
كفيل حارس سائق بواب خادمة ضيف محامي مندوب مرافق عائلة أسرة
""")
# What parts the units of a block that have one number: to leave it out would make one unit of two.
APART = words_of("""
entrance wing letter stair stairs gate lift zone phase side tower section direction facing position
sub part door street road project block blocks building buildings bldg bld blk
property cluster group complex compound district مجموعة مجمع حي
شارع عمارة عقار مبنى بناية بلوك مشروع باب اتجاه جانب يمين شمال موقع مكرر ناحية مدخل جناح حرف سلم
بوابة مصعد مرحلة جهة برج قسم
""")
# A column of one of these, of one of those, says what a unit is: a flat, a shop.
KINDS = words_of("type kind category model نوع تصنيف نموذج")
UNITS = words_of("unit units flat flats apartment apartments وحدة وحدات شقة شقق")
# What the numbers of phones lack where it has a column of its own.
CODES = words_of("""
code prefix كود مفتاح
""")
COUNTRIES = words_of("""
country countries دولة دول بلد
""")
# How the country of PHONE_REGION, EG, is said there: with one of these words, or as one of these texts.
EGYPT = words_of("""
egypt eg egy egyptian misr masr cairo giza alexandria égypte ägypten مصر مصري مصرى مصرية قاهرة جيزة
إسكندرية اسكندرية
""")
EGYPT_IN_LETTERS = plain_set("A.R.E.", "ج.م.ع")
OF_CODES = words_of("""
country dial dialing dialling phone mobile area calling دولة بلد هاتف تليفون موبايل اتصال منطقة
""")
# In which language a name is written.
LANGUAGES = words_of("""
english arabic en ar عربي عربية بالعربي بالعربية بالعربى إنجليزي إنجليزية بالإنجليزي بالإنجليزية
لاتيني
""")
# With one of these a heading is of no person, or of the resident in another language.
THINGS = words_of("""
type kind id ids national share since date day year contract status rent fee fees dues amount
paid balance deposit price area size rooms meter gas water electricity car cars plate parking
garage job entrance wing stair stairs lift gate level zone phase model view direction facing
furnished finishing balcony key keys signature handover delivered received which fax work
occupied nationality gender age count members street road city district project compound company bank
country code english arabic en ar عربي عربية إنجليزي إنجليزية عدد نوع تاريخ عقد إيجار مساحة
بطاقة قومي جنسية وظيفة مهنة سيارة سيارات جراج عداد فاكس غاز مياه كهرباء رسوم اشتراك مبلغ رصيد
شارع حي مدينة مشروع شركة بنك مدخل جناح سلم بوابة دور طابق مرحلة نموذج اتجاه تشطيب مفروش توقيع
استلام تسليم سن عمر كود صفة
""")
# What counts the rows of a sheet.
COUNTERS = plain_set(
    "م", "مسلسل", "الرقم المسلسل", "رقم مسلسل", "تسلسل", "ت", "No", "Nr"
) | plain_set(
    "S/N",
    "SN",
    "Sr",
    "Sr No",
    "Serial",
    "Serial No",
    "Serial number",
    "Seq",
    "Sl No",
    "Row",
    "Row No",
    "Index",
)
SIGNS_OF_COUNTERS = {"#", "№", "م.", "#."}
# The unit's number, unless the sheet says nothing of units beside it or has another column of it.
PERHAPS_COUNTERS = plain_set("رقم", "الرقم")
# The unit's name, or beside a phone or an e-mail the resident's.
ANY_NAME = plain_set("name", "الاسم")
NUMBER_WORDS = plain_set("no", "nr", "num", "nos", "number", "numbers", "رقم", "أرقام", "نمرة")
IDS = plain_set("id", "معرف")
# Which of several contacts.
WHICH = plain_set(
    "first", "second", "third", "other", "another", "alternative", "additional", "main"
) | plain_set(
    "primary",
    "secondary",
    "أول",
    "ثاني",
    "ثان",
    "ثالث",
    "آخر",
    "أخرى",
    "بديل",
    "إضافي",
    "أساسي",
    "رئيسي",
)
# How a column is to be filled.
HINTS = frozenset(
    plain(
        "required optional mandatory must ground numbers number no digits only text format example"
        " eg e g as in with without spaces or the of and not 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 yes egp"
        " مطلوب إلزامي اجباري اختياري رقم أرقام فقط مثال نص بدون مسافات"
    ).split()
)
OWNER = plain_set("owner", "owners", "landlord", "مالك", "ملاك", "صاحب")
OCCUPANT = plain_set(
    "tenant", "tenants", "renter", "lessee", "resident", "residents", "occupant", "occupier"
) | plain_set("مستأجر", "ساكن", "سكان", "شاغل", "مقيم", "قاطن")
PERSON = OWNER | OCCUPANT
NAME = plain_set("name", "names", "full", "اسم", "أسماء", "كامل", "بالكامل", "ثلاثي", "رباعي")
BETWEEN = plain_set(
    "current", "حالي", "s", "of", "the", "customer", "client", "contact", "person", "عميل", "شخص"
)
# Which of several people a column is of: what has the same number is of the same one.
NUMBER_OF = {
    plain(word): number
    for number, words in {
        "1": "first أول أولى",
        "2": "second ثاني ثان ثانية",
        "3": "third ثالث",
    }.items()
    for word in words.split()
}
