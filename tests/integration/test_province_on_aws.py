"""A simulated day over the ledger's real tables, compared with what was injected."""

from __future__ import annotations

from chalicelib.store.days import DynamoDays, DynamoWarnings
from chalicelib.store.exams import DynamoExams
from chalicelib.store.figures import DynamoFigures, DynamoOwedReports
from chalicelib.store.flags import DynamoFlags
from chalicelib.store.outages import DynamoExcuses, DynamoOutages
from tests.bench.province import cover
from tests.bench.province.day import live
from tests.bench.province.draw import Size, draw
from tests.bench.province.drive import Drive
from tests.support.fakes_settle import FakeHospitals
from tests.support.ledger_world import World

SIZE = Size(exams=20, hospitals=5, trouble=4, every=7200)
STORES = {
    "ledger": DynamoExams,
    "excuses": DynamoExcuses,
    "flags": DynamoFlags,
    "days": DynamoDays,
    "outages": DynamoOutages,
    "warnings": DynamoWarnings,
    "figures": DynamoFigures,
    "owed": DynamoOwedReports,
}


def test_after_a_day_the_tables_say_the_truth(cloud):
    client, table = cloud.client("dynamodb"), cloud.settings["MAIN_TABLE"]
    world = World(**{name: store(client, table) for name, store in STORES.items()}, hospitals=FakeHospitals())
    drive = Drive(draw(3, SIZE), world)
    assert live(drive, looks={9, 17}) == []
    assert cover.lacking(drive) == []
