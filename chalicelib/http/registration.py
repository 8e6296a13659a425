"""A hospital's registration as a regulator writes it: parsed strictly, and what is wrong told so that they mend it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, cast, get_args

from chalicelib.domain.contact import MOST_CONTACTS, Contact, ContactRole, is_email, is_phone
from chalicelib.domain.study import Hospital
from chalicelib.http.asked import BadRequest, Fields
from chalicelib.http.kinds import FLAG, HOSPITAL, Kinds, listed, one_of, optional, text, thing, whole

MOST_EXAMS = 100_000  # a day at one hospital
WEEKDAYS = 7
CONTACT = thing(
    role=one_of(get_args(ContactRole)),
    name=text(64),
    phone=optional(text(32), ""),
    email=optional(text(128), ""),
)
REGISTRATION: Kinds = {
    "hospital_id": HOSPITAL,
    "name": text(128),
    "name_en": optional(text(128), ""),
    "level": optional(text(32), ""),
    "region": optional(text(32), ""),
    "utc_offset_minutes": optional(whole(-720, 840), 480),
    "active": optional(FLAG, default=True),
    "contacts": optional(listed(CONTACT, MOST_CONTACTS, 0)),
    "weekday_volume": optional(listed(whole(0, MOST_EXAMS), WEEKDAYS, WEEKDAYS), []),
    "default_class": optional(one_of(("outpatient", "inpatient")), ""),
    "patient_id_issuer": optional(HOSPITAL, ""),
}

# What a field must be: (English, Chinese).
HINTS: Mapping[str, tuple[str, str]] = {
    "hospital_id": ("1 to 16 capital letters and digits; it never changes.", "1至16位大写字母或数字，登记后不可变更。"),
    "name": ("The Chinese name, up to 128 characters.", "医院中文名称，不超过128个字符。"),
    "name_en": ("The English name, up to 128 characters.", "医院英文名称，不超过128个字符。"),
    "level": ("Such as 三级甲等, up to 32 characters.", "医院等级，如“三级甲等”，不超过32个字符。"),
    "region": (
        "The division's code, such as 320102, up to 32 characters.",
        "行政区划代码，如 320102，不超过32个字符。",
    ),
    "utc_offset_minutes": (
        "Minutes ahead of UTC, from -720 to 840: 480 in China. No zone's name.",
        "与 UTC 的时差（分钟），-720 至 840，中国为 480；不接受时区名称。",
    ),
    "active": ("true, or false to end its uploads.", "true；false 表示停用。"),
    "contacts": (
        "Up to 10 of {role, name, phone and/or email}; role is network, pacs, radiology, privacy or management.",
        "最多10位联系人：role（network、pacs、radiology、privacy、management）、name、phone 或 email。",
    ),
    "weekday_volume": (
        "Seven whole numbers: exams on a usual Monday, …, Sunday.",
        "七个整数：平日周一至周日各日的检查量。",
    ),
    "default_class": (
        "outpatient or inpatient: for exams of which no notice tells the class; leave out for the longer period.",
        "outpatient 或 inpatient：通知未注明类别的检查按此保存；不填则按较长期限保存。",
    ),
    "patient_id_issuer": (
        "A hospital's patient numbers are its own: leave it out, or give the hospital's id.",
        "患者编号由本院发放：不填，或填写本院编号。",
    ),
}


def read_registration(fields: Fields) -> Hospital:
    """BadRequest names the field; `HINTS` says what it must be."""
    hospital_id = fields.hospital("hospital_id")
    if fields.text("patient_id_issuer") not in ("", hospital_id):
        raise BadRequest("patient_id_issuer")
    return Hospital(
        hospital_id=hospital_id,
        name=fields.text("name"),
        name_en=fields.text("name_en"),
        level=fields.text("level"),
        region=fields.text("region"),
        utc_offset_minutes=fields.number("utc_offset_minutes"),
        active=fields.flag("active"),
        contacts=_contacts(fields),
        weekday_volume=tuple(fields.numbers("weekday_volume")),
        default_class=cast(Literal["", "outpatient", "inpatient"], fields.choice("default_class")),
    )


def _contacts(fields: Fields) -> tuple[Contact, ...]:
    try:
        return tuple(_contact(one) for one in fields.parts("contacts"))
    except BadRequest:
        raise BadRequest("contacts") from None


def _contact(fields: Fields) -> Contact:
    role = cast(ContactRole, fields.choice("role"))
    phone, email = fields.text("phone"), fields.text("email")
    if not (phone or email) or (phone and not is_phone(phone)) or (email and not is_email(email)):
        raise BadRequest("contacts")
    return Contact(role, fields.text("name"), phone, email)
