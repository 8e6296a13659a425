"""One exam as it happens, and everything that can go wrong with it."""

from __future__ import annotations

from dataclasses import replace

from tests.bench.province.draft import DAY, DUE, HOUR, MINUTE


def as_it_should(d):
    if d.habits.orders:
        d.order()
    d.perform()
    d.upload((d.prompt(), d.images))


def late(d):
    d.perform()
    d.upload((d.ended + DUE + d.between(1, 10 * HOUR), d.images))


def very_late(d):
    d.perform()
    d.upload((d.ended + DUE + DAY + d.between(-HOUR, 2 * HOUR), d.images))


def a_day_late(d):
    d.perform()
    d.upload((d.ended + DUE + DAY + d.between(HOUR / 2, 2 * HOUR), d.images))


def partial(d):
    d.images += 1
    d.perform(declared=d.images)
    d.upload((d.prompt(), d.between(1, d.images - 1)))


def partial_then_late(d):
    d.images += 1
    d.perform(declared=d.images)
    first = d.between(1, d.images - 1)
    d.upload((d.prompt(), first), (d.ended + DUE + d.between(1, 8 * HOUR), d.images - first))


def missing(d):
    if d.habits.orders:
        d.order()
    d.perform()


def amended(d):
    d.perform(declared=d.images)
    start = d.prompt()
    d.upload((start, d.images), (start + d.between(HOUR, 14 * HOUR), d.between(1, 5)))


def undeclared(d):
    d.perform(declared=None)
    d.upload((d.prompt(), d.images))


def gap(d):
    """Without a count complete is what came before the first pause."""
    d.images += 3
    d.perform(declared=None)
    start = d.prompt()
    pause = d.between(10 * MINUTE, HOUR)
    d.upload((start, d.images - 2), (start + 6 * MINUTE + pause, 2))


def no_notice(d):
    d.upload((d.prompt(), d.images))


def no_accession(d):
    d.upload((d.prompt(), d.images), accession="")


def named_by_study(d):
    """The notice says accession number and study, the images bear none."""
    d.perform(study_uid=d.uid, told=d.ended + d.between(MINUTE, 3 * HOUR))
    d.upload((d.prompt(), d.images), accession="")


def several_studies(d):
    parts = d.chance.randint(2, 3)
    d.images = max(d.images, parts)
    d.perform(declared=d.images)
    for number in range(parts):
        count = d.images // parts + (number < d.images % parts)
        d.upload((d.prompt(), count), uid=f"{d.uid}.{number}")


def late_notice(d):
    """Images first, the notice hours or a day afterwards."""
    d.upload((d.prompt() if d.chance.random() < 0.6 else d.ended + d.between(11 * HOUR, 15 * HOUR), d.images))
    d.perform(told=d.ended + d.between(2 * HOUR, 30 * HOUR))


def corrected_end(d):
    """The first notice was wrong about the end, by hours; a later one puts it right."""
    d.perform(end=d.ended - d.between(2 * HOUR, 9 * HOUR))
    d.perform(told=d.ended + d.between(HOUR, 28 * HOUR))
    d.upload((d.ended + d.between(HOUR, 11 * HOUR), d.images))


def corrected_count(d):
    d.perform(declared=d.images + 2)
    d.perform(told=d.ended + d.between(HOUR, 28 * HOUR), declared=d.images)
    d.upload((d.prompt(), d.images))


def overtaken(d):
    """The correction is handed to our functions before what it corrects."""
    told = d.ended + d.between(MINUTE, 10 * MINUTE)
    d.perform(told=told, declared=d.images + 2)
    d.perform(told=told + 2 * MINUTE, declared=d.images)
    d.upload((d.prompt(), d.images))
    first, second = d.notices
    d.notices[0] = replace(first, seen=(max(second.seen) + MINUTE,))


def told_twice(d):
    """Every event of it comes twice, the second time hours afterwards."""
    as_it_should(d)

    def again(seen):
        return (min(seen), d.queues.through("notices", min(seen) + d.between(HOUR, 5 * HOUR), d.chance))

    d.notices = [replace(notice, seen=again(notice.seen)) for notice in d.notices]
    d.studies = [
        replace(study, settles=tuple(replace(one, seen=again(one.seen)) for one in study.settles))
        for study in d.studies
    ]


def stuck(d):
    """Its notice comes while our queue stands still."""
    _, since, _ = d.queues.stops[0]
    d.ended = since - HOUR
    d.perform(told=since + MINUTE)
    d.upload((d.prompt(), d.images))


def cancelled(d):
    d.order()
    d.cancel(d.ended + d.between(-HOUR, HOUR))


def cancelled_with_images(d):
    d.order()
    d.upload((d.prompt(), d.images))
    d.cancel(d.ended + d.between(HOUR, 20 * HOUR))


def revived(d):
    """Cancelled, and done after all."""
    d.order(told=d.ended - 3 * HOUR)
    d.cancel(d.ended - HOUR)
    d.perform()
    d.upload((d.prompt(), d.images))


def ordered_only(d):
    d.order()


def put_off(d):
    """To another day, by the order's own number or under a new one."""
    d.order()
    later = d.ended + d.chance.choice((1, 2, 5, 12)) * DAY
    d.order(at=later, told=d.ended + d.between(-HOUR, 2 * HOUR), notice_id=d.chance.choice((None, f"R{d.accession}")))


def rescheduled(d):
    """From another day to this."""
    earlier = d.ended - d.chance.choice((1, 3, 12)) * DAY
    d.order(at=earlier, told=earlier - 2 * HOUR)
    d.order(told=earlier + HOUR, notice_id=d.chance.choice((None, f"R{d.accession}")))
    d.perform()
    d.upload((d.prompt(), d.images))


def imported(d):
    d.upload((d.prompt(), d.images), device_end=-d.between(31, 3000) * DAY)


def device_ahead(d):
    d.upload((d.ended + d.between(0, 11 * HOUR), d.images), device_end=d.between(5 * MINUTE, 30 * HOUR))


def utc_label(d):
    d.upload((d.prompt(), d.images), device_end=8 * HOUR)


def device_behind(d):
    """Its exams look older than they are, up to days."""
    d.upload((d.prompt(), d.images), device_end=-d.between(5 * MINUTE, 50 * HOUR))


def reused_by_another(d, before):
    """The accession number of the exam before, on another patient."""
    d.accession = before.notices[0].accession if before and before.notices else d.accession
    d.perform(notice_id=f"N{d.uid}")
    if d.chance.random() < 0.5:
        d.upload((d.prompt(), d.images))


def reused_after_a_month(d):
    """The exam of the month before is another's of the same name: see `draw`."""
    d.perform(notice_id=f"N{d.uid}")
    if d.chance.random() < 0.7:
        d.upload((d.prompt(), d.images))


ALL = {
    one.__name__: one
    for one in (
        *(
            late,
            very_late,
            a_day_late,
            partial,
            partial_then_late,
            missing,
            amended,
            undeclared,
            gap,
            no_notice,
            no_accession,
        ),
        *(named_by_study, several_studies, late_notice, corrected_end, corrected_count, cancelled),
        *(cancelled_with_images, revived, ordered_only, put_off, rescheduled, imported, device_ahead, utc_label),
        *(overtaken, told_twice, stuck, device_behind, reused_by_another, reused_after_a_month),
    )
}
