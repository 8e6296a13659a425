"""How likely somebody guesses one code in a whole year, with the busiest account there is and all limits together.

The attack is played, not computed from the limits: every hour of 366 days it asks and guesses until nothing is looked
at any more, and what was looked at is counted. A code is six digits of a true source, so each look is right once in
10^6. The aim is below one in a hundred (DESIGN §6).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.code import CODE_DIGITS
from chalicelib.domain.qr import QR_LIFE
from chalicelib.services.verify_code import CodeLocked, CodeRefused
from tests.support.clinic import clinic_in_memory, national_id, zhang

START = datetime(2026, 11, 25, tzinfo=UTC)  # the day after the patients were at a desk
DAYS = 366
AIM = 0.01


def chance(looks):
    return 1 - (1 - 10**-CODE_DIGITS) ** looks


class Attack:
    """Doctors who guess, and patients whose visits they have."""

    def __init__(self, doctors, patients):
        self.clinic = clinic_in_memory()
        self.doctors = [self.clinic.doctor(f"d{number}") for number in range(doctors)]
        self.patients = [self._patient(number) for number in range(patients)]
        self.looks = 0

    def _patient(self, number):
        card = {"national_id": national_id(order=f"{2 * number + 101:03}"), "phone": f"139{number:08}"}
        patient = zhang(f"A{number}", **card)
        self.clinic.patient(patient=patient)
        return patient

    def tell(self, now):
        """Their hospital is in it too, and tells of the visits afresh."""
        for number, patient in enumerate(self.patients):
            self.clinic.visit(f"E{number}", patient=patient, at=now)

    def hour(self, now):
        self.tell(now)
        for doctor in self.doctors:
            for visit in (f"E{number}" for number in range(len(self.patients))):
                request = self.clinic.request(doctor, visit, "treatment", now).request_id
                while self._looked(doctor, visit, request, now):
                    self.looks += 1

    def _looked(self, doctor, visit, request, now):
        try:
            self.clinic.verify(doctor, visit, request, "no code", now)
        except CodeRefused:
            return True
        except CodeLocked:
            return False
        raise AssertionError("a guess that cannot be right was")

    def year(self, hours):
        for day in range(DAYS):
            for hour in hours:
                self.hour(START + timedelta(days=day, hours=hour))
        return self.looks


@pytest.mark.parametrize(
    ("doctors", "patients", "most_a_day"),
    [(4, 1, 5), (1, 4, 10), (2, 3, 15)],
    ids=["many doctors at one patient", "one doctor at many patients", "two doctors at three patients"],
)
def test_a_year_of_guessing_succeeds_less_than_once_in_a_hundred(doctors, patients, most_a_day):
    attack = Attack(doctors, patients)
    looks = attack.year(hours=(0, 23.999))
    assert len(attack.clinic.sms.sent) > DAYS, "the codes were sent, and could have been guessed"
    assert DAYS < looks <= DAYS * most_a_day
    assert chance(looks) / doctors < AIM, "per account that has to be corrupt"
    assert chance(looks) < AIM


def test_more_hours_of_a_day_give_no_more_looks():
    few, many = Attack(1, 2), Attack(1, 2)
    few.hour(START)
    for hour in range(24):
        many.hour(START + timedelta(hours=hour, minutes=30))
    assert few.looks == many.looks == 10


def test_honest_codes_in_between_give_the_guesser_nothing_back():
    attack = Attack(1, 2)
    (doctor,) = attack.doctors
    attack.tell(START)
    looks = 0
    for minute in range(30):
        now = START + timedelta(hours=minute % 20, minutes=minute)
        request = attack.clinic.request(doctor, "E1", "treatment", now).request_id
        try:
            attack.clinic.verify(doctor, "E1", request, attack.clinic.code(), now)
        except CodeLocked:
            break
        request = attack.clinic.request(doctor, "E0", "treatment", now).request_id
        looks += attack._looked(doctor, "E0", request, now)  # noqa: SLF001 - one guess, not all
    assert looks <= 5


def test_the_busiest_account_by_its_limits_alone_stays_below_the_aim():
    assert chance(DAYS * 10) == pytest.approx(0.00365, rel=0.01)
    assert chance(DAYS * 5) == pytest.approx(0.00183, rel=0.01)
    assert 1 / 2**256 * DAYS * 24 * 10 < 1e-60, "a QR is not guessed"
    assert timedelta(minutes=1) >= QR_LIFE
