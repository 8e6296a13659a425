import pytest

from chalicelib.store import batch


class Table:
    """A table that takes or gives at most `room` items a call, as one does that is throttled."""

    def __init__(self, room):
        self.room, self.items, self.calls = room, {}, 0

    def batch_write_item(self, RequestItems):  # noqa: N803 - boto3's own
        self.calls += 1
        ((name, requests),) = RequestItems.items()
        assert len(requests) <= 25
        for request in requests[: self.room]:
            item = request["PutRequest"]["Item"]
            self.items[item["SK"]["S"]] = item
        left = requests[self.room :]
        return {"UnprocessedItems": {name: left} if left else {}}

    def batch_get_item(self, RequestItems):  # noqa: N803 - boto3's own
        self.calls += 1
        ((name, wanted),) = RequestItems.items()
        assert wanted["ConsistentRead"]
        assert len(wanted["Keys"]) <= 100
        taken, left = wanted["Keys"][: self.room], wanted["Keys"][self.room :]
        found = [self.items[key["SK"]["S"]] for key in taken if key["SK"]["S"] in self.items]
        return {"Responses": {name: found}, "UnprocessedKeys": {name: {**wanted, "Keys": left}} if left else {}}


def items(count):
    return [{"PK": {"S": "p"}, "SK": {"S": str(number)}} for number in range(count)]


@pytest.mark.parametrize("room", [20, 1000])
def test_what_a_call_leaves_over_is_asked_for_again(room):
    table, pauses = Table(room), []
    batch.put(table, "t", items(130), pauses.append)
    assert len(table.items) == 130
    found = list(batch.get(table, "t", items(140), pauses.append))
    assert sorted(item["SK"]["S"] for item in found) == sorted(table.items)
    assert bool(pauses) == (room == 20)


def test_pauses_grow_and_end_in_an_error_not_in_a_loss():
    table, pauses = Table(0), []
    with pytest.raises(batch.Throttled):
        batch.put(table, "t", items(1), pauses.append)
    with pytest.raises(batch.Throttled):
        list(batch.get(table, "t", items(1), pauses.append))
    assert table.calls == 2 * batch.TRIES
    assert max(pauses) <= batch.FIRST_PAUSE * 2**batch.TRIES


def test_nothing_to_do_makes_no_call():
    table = Table(1)
    batch.put(table, "t", [], pytest.fail)
    assert list(batch.get(table, "t", [], pytest.fail)) == []
    assert table.calls == 0
