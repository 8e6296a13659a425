"""A hospital's registration as a regulator writes it: parsed strictly, and what is wrong told so that they mend it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast, get_args

from chalicelib.domain.contact import MOST_CONTACTS, Contact, ContactRole, is_email, is_phone
from chalicelib.domain.study import Hospital
from chalicelib.http.asked import BadRequest, Fields

MOST_EXAMS = 100_000  # a day at one hospital
WEEKDAYS = 7
CLASSES = ("outpatient", "inpatient")

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
    if fields.values.get("patient_id_issuer") not in (None, "", hospital_id):
        raise BadRequest("patient_id_issuer")
    return Hospital(
        hospital_id=hospital_id,
        name=fields.text("name", 128),
        name_en=fields.optional_text("name_en", 128),
        level=fields.optional_text("level", 32),
        region=fields.optional_text("region", 32),
        utc_offset_minutes=fields.optional_number("utc_offset_minutes", 480, -720, 840),
        active=fields.flag("active", default=True),
        contacts=_contacts(fields),
        weekday_volume=_volume(fields),
        default_class=_class(fields),
    )


def _contacts(fields: Fields) -> tuple[Contact, ...]:
    listed = _list(fields, "contacts")
    if len(listed) > MOST_CONTACTS or not all(isinstance(one, dict) for one in listed):
        raise BadRequest("contacts")
    try:
        return tuple(_contact(Fields(one)) for one in listed)
    except BadRequest:
        raise BadRequest("contacts") from None


def _contact(fields: Fields) -> Contact:
    role = cast(ContactRole, fields.choice("role", get_args(ContactRole)))
    phone, email = fields.optional_text("phone", 32), fields.optional_text("email", 128)
    if not (phone or email) or (phone and not is_phone(phone)) or (email and not is_email(email)):
        raise BadRequest("contacts")
    return Contact(role, fields.text("name", 64), phone, email)


def _volume(fields: Fields) -> tuple[int, ...]:
    listed = _list(fields, "weekday_volume")
    if len(listed) not in (0, WEEKDAYS) or not all(type(one) is int and 0 <= one <= MOST_EXAMS for one in listed):
        raise BadRequest("weekday_volume")
    return tuple(listed)


def _class(fields: Fields) -> Literal["", "outpatient", "inpatient"]:
    given = fields.optional_text("default_class")
    if given and given not in CLASSES:
        raise BadRequest("default_class")
    return cast(Literal["", "outpatient", "inpatient"], given)


def _list(fields: Fields, name: str) -> list[Any]:
    """Empty where the field is absent or null."""
    value = fields.values.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadRequest(name)
    return value
