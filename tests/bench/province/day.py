"""A day lived through and compared with the truth: after sweeps, and when all is over."""

from __future__ import annotations

from tests.bench.province import compare, truth


def live(drive, *, looks=None, gate=lambda port: port, after_each=lambda: None):
    """Run the day; returns the differences from the truth, those of the first look that found any. `looks`: numbers of
    the sweeps after which to compare, beside the last; None: after each that judged what was due by later than the one
    before."""
    province, world = drive.province, drive.world
    judged, told, raised = 0, set(), 0
    for number, sweep in enumerate(drive.sweeps(gate)):
        after_each()
        last = sweep is province.sweeps[-1]
        if not (last or looks is None or number in looks):
            continue
        now = set(compare.ledger_flags(world, province))
        raised, told = raised + len(now - told), now
        due_until = truth.horizon(sweep)
        if due_until is None or due_until < judged:
            continue
        judged = due_until
        if found := compare.differences(province, world, sweep):
            return [f"after the sweep at {sweep.at}: {line}" for line in found]
    return [
        *compare.figure_differences(province, world),
        *compare.warning_differences(province, world),
        *_messages(world, told, raised if looks is None else None),
    ]


def _messages(world, told, raised):
    """Every flag that stands was told; where every sweep was looked at, as often as it was raised and no oftener."""
    messages = [(body["hospital_id"], body["day"], body["rule"]) for _, body in world.topic.messages]
    yield from (f"flag {place}: nobody was told" for place in sorted(told - set(messages)))
    if raised is not None and raised != len(messages):
        yield f"flags were raised {raised} times and told {len(messages)} times"
