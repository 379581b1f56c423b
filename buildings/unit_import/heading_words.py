"""Words of headings that are not ours: whether such a column may name a person."""

# Who is named beside the resident, or in their place.
OTHER_PEOPLE = """
name names person contact emergency wife husband spouse partner son daughter child brother sister
father mother parent relative guardian kin next broker agent guest lodger boarder flatmate roommate
heir heirs buyer seller delegate beneficiary inlaw law
guarantor surety sponsor nominee attorney deputy inheritor trustee
housemate subtenant co representative rep lawyer driver guard maid nanny visitor family
اسم أسماء شخص طوارئ زوجة زوج زوجته زوجها ابن ابنة بنت أخ أخت والد والدة أب أم شريك قريب أقارب
وريث ورثة مشتري بائع مفوض مستفيد صهر
وكيل سمسار ضامن كفيل حارس سائق بواب خادمة ضيف محامي مندوب مرافق عائلة أسرة
"""
# With one of these a heading is of no person, or of the resident in another language.
THINGS = """
type kind id ids national share since date day year contract status rent fee fees dues amount paid
balance deposit price area size rooms meter gas water electricity car cars plate parking garage job
entrance wing stair stairs lift gate level zone phase model view direction facing
furnished finishing balcony key keys signature handover delivered received which
work nationality gender age count members street road city district project compound company bank
country code english arabic en ar
عربي عربية إنجليزي إنجليزية عدد نوع تاريخ عقد إيجار مساحة بطاقة قومي جنسية وظيفة مهنة سيارة سيارات
جراج عداد غاز مياه كهرباء رسوم اشتراك مبلغ رصيد شارع حي مدينة مشروع شركة بنك
مدخل جناح سلم بوابة دور طابق مرحلة نموذج اتجاه تشطيب مفروش توقيع استلام تسليم سن عمر كود صفة
"""
