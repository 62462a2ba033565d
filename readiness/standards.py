"""Bandwidth standards as data: who, when, for how many, and per what. The denominator is never left out."""

from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Text = Annotated[str, Meta(min_length=1)]


class Denominator(StrEnum):
    """What a rate is divided by."""

    STUDENTS_AND_STAFF = "students-and-staff"
    STUDENTS_STAFF_GUESTS = "students-staff-and-guests"
    STUDENTS = "students"
    BUSIEST_SHIFT = "students-in-the-busiest-shift"
    CONCURRENT_TESTERS = "concurrent-testers"
    SITE = "site"


class Standard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One published line. Rates are bit/s for each unit of the denominator; sizes are students, inclusive."""

    id: Text
    who: Text
    title: Text
    per: Denominator
    link: Literal["internet", "wan", "lan", "home"]
    down: float | None = None
    up: float | None = None
    floor_down: float | None = None  # for the whole site or LEA, whatever the size
    cap_down: float | None = None
    min_students: int | None = None
    max_students: int | None = None
    quantity: Text  # what is to be compared: "provisioned", "available", "peak use" ...
    published: str = ""
    target_year: str = ""
    note: str = ""
    source: Text
    verified: Literal["primary", "secondary", "memory"]


class Standards(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shipped list, dated."""

    version: Text
    standards: tuple[Standard, ...]
    digest: str = ""
