"""Where a hospital's credentials reach, and what is told of sizes."""

from datetime import UTC, date, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.dicom.pack import MAX_INSTANCES
from chalicelib.domain import upload_pass
from chalicelib.services.examine_upload import MAX_OBJECT
from chalicelib.services.unpack_archive import MAX_ARCHIVE
from chalicelib.store.uploads import _ALGORITHMS

DAY = datetime(2026, 11, 24, tzinfo=UTC)


def days(at):
    return [day.isoformat() for day in upload_pass.prefixes("H1", at)]


def test_of_today_alone_until_the_last_hour():
    assert days(DAY) == days(DAY + timedelta(hours=23) - timedelta(seconds=1)) == ["2026-11-24"]


def test_tomorrow_stands_beside_today_in_the_last_hour():
    assert days(DAY + timedelta(hours=23)) == ["2026-11-24", "2026-11-25"]
    assert days(DAY + timedelta(hours=24)) == ["2026-11-25"]


@given(st.integers(-8, 8), st.integers(0, 10**9), st.floats(0, 1))
def test_as_long_as_they_live_there_is_a_prefix_of_today_and_none_of_another_day(zone, seconds, share):
    at = (DAY + timedelta(seconds=seconds)).astimezone(timezone(timedelta(hours=zone)))
    reach = upload_pass.prefixes("H1", at)
    later = (at.astimezone(UTC) + upload_pass.LIFETIME * share).date()
    assert later in reach
    assert set(reach) <= {at.astimezone(UTC).date(), (at.astimezone(UTC) + upload_pass.LIFETIME).date()}


def test_a_prefix_is_the_hospitals_own_and_ends_where_its_names_begin():
    assert upload_pass.prefixes("H1", DAY) == {
        date(2026, 11, 24): {"instances": "instances/H1/2026-11-24/", "archives": "archives/H1/2026-11-24/"}
    }


def test_the_sizes_told_are_those_that_ingest_holds_to():
    told = upload_pass.INSTANCE_BYTES, upload_pass.ARCHIVE_BYTES, upload_pass.ARCHIVE_INSTANCES
    assert told == (MAX_OBJECT, MAX_ARCHIVE, MAX_INSTANCES)
    assert upload_pass.CHECKSUMS == _ALGORITHMS
