"""An exam in the making: what is known of it, and how it is told."""

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
