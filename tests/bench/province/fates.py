"""One exam as it happens, and everything that can go wrong with it."""

from __future__ import annotations

from tests.bench.province import tables
from tests.bench.province.plan import Exam, Notice, Settle, Study

MINUTE, HOUR, DAY = 60, 3600, 86400
DUE = 12 * HOUR


class Draft:
    """What is known of an exam to be, and how it is told. Each fate uses it."""

    def __init__(self, chance, habits, queues, name, ended):
        self.chance, self.habits, self.queues, self.ended = chance, habits, queues, ended
        self.accession, self.uid = f"A{name}", f"1.2.{name.replace('-', '.')}"
        self.patient = f"P{name}"
        self.patient_class = ""
        (kind,) = chance.choices(tables.STUDIES, [weight for _, weight, _, _ in tables.STUDIES])
        self.modality = kind[0]
        self.images = max(1, round(chance.lognormvariate(0, kind[3]) * kind[2]))
        self.notices, self.studies = [], []

    def made(self, fate):
        exam = self.habits.hospital_id, self.patient, self.modality, fate
        return Exam(*exam, tuple(self.notices), tuple(self.studies))

    def between(self, first, last):
        return self.chance.randint(int(first), int(last))

    def order(self, at=None, told=None, notice_id=None):
        at = self.ended if at is None else at
        told = min(at, self.ended) - self.between(HOUR / 2, 6 * HOUR) if told is None else told
        self.tell("scheduled", told, at, notice_id or f"O{self.accession}")

    def perform(self, told=None, end=None, **given):
        end = self.ended if end is None else end
        told = self.ended + self.between(MINUTE, 10 * MINUTE) if told is None else told
        if "declared" not in given and self.habits.declares:
            given["declared"] = self.images
        self.tell("performed", told, end + self.habits.clock_off, **given)

    def cancel(self, told, **given):
        self.tell("cancelled", told, None, f"C{self.accession}", **given)

    def tell(self, status, received, at, notice_id=None, **given):
        sent = received - self.between(0, 20) + self.habits.clock_off
        given = {"accession": self.accession} | given
        notice_id = notice_id or f"N{self.accession}"
        slow = 10 * MINUTE if self.chance.random() < 0.05 else MINUTE  # some come after what was told later
        self.notices.append(
            Notice(notice_id, status, sent, received, at, self._seen("notices", received, slow), **given)
        )

    def upload(self, *lots, uid=None, accession=None, device_end=0):
        """`lots`: (first instant, how many images). `device_end`: how far the device's clock is off, or None: it tells
        nothing."""
        end = None if device_end is None else self.ended - self.between(0, 2 * MINUTE) + device_end
        accession = self.accession if accession is None else accession
        bursts = [burst for start, count in lots for burst in self._bursts(start, count)]
        self.studies.append(Study(uid or self.uid, accession, end, tuple(self._settles(bursts))))

    def prompt(self):
        """When images usually begin to come."""
        return self.ended + min(int(self.chance.lognormvariate(0, 0.9) * 25 * MINUTE), 9 * HOUR)

    def _bursts(self, start, count):
        """A lot is settled at once, or in two steps; its images come in a few minutes."""
        parts = min(count, self.chance.randint(1, 4))
        sizes = [count // parts + (number < count % parts) for number in range(parts)]
        times = [start + number * self.between(20, 100) for number in range(parts)]
        runs = sorted(zip(times, sizes, strict=True))
        if len(runs) > 1 and self.chance.random() < 0.3:
            return [runs[:1], runs[1:]]
        return [runs]

    def _settles(self, bursts):
        """Now and then an image is overtaken by those after it, and a settle by the next."""
        known = {}
        for burst in bursts:
            for at, count in burst:
                known[at] = known.get(at, 0) + count
            told = max(known) + 75
            first, count = burst[0]
            if count > 1 and self.chance.random() < 0.03:
                yield self._settle({**known, first: known[first] - 1}, told, first)
                told += self.between(MINUTE, 8 * MINUTE)
            yield self._settle(known, told, first)

    def _settle(self, known, told, waited):
        slow = 8 * MINUTE if self.chance.random() < 0.03 else MINUTE
        return Settle(tuple(sorted(known.items())), self._seen("images", told, slow), waited)

    def _seen(self, queue, at, slow):
        first = self.queues.through(queue, at + self.between(1, slow), self.chance)
        if self.chance.random() < 0.05:  # at least once: some come twice
            return (first, self.queues.through(queue, first + self.between(1, 5 * HOUR), self.chance))
        return (first,)


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
        *(late, very_late, partial, partial_then_late, missing, amended, undeclared, gap, no_notice, no_accession),
        *(named_by_study, several_studies, late_notice, corrected_end, corrected_count, cancelled),
        *(cancelled_with_images, revived, ordered_only, put_off, rescheduled, imported, device_ahead, utc_label),
        *(device_behind, reused_by_another, reused_after_a_month),
    )
}
