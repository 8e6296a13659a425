"""One batch of 100 instances: client CPU with AWS answering at once, and calls per instance; a pack beside it."""

from __future__ import annotations

from chalicelib import wiring
from chalicelib.domain.study import Hospital
from chalicelib.domain.upload_key import Uploaded
from infra.local import samples
from tests.bench.rows import Row, cpu_ms
from tests.bench.world import all_items, at_once, on_moto

BATCH = 100
DAY = "instances/JB001/2026-11-24"


def rows():
    with on_moto() as cloud:
        wiring.hospitals().put(Hospital("JB001", "江北人民医院"))
        known = all_items(cloud)
    one = _measure(known, samples.chest_ct(slices=BATCH))
    sixty = _measure(known, _sixty_studies())
    pack = _pack(known)
    return [
        Row("ingest, CPU per instance, 100 of one study", one[0], "ms", 1.0),
        Row("ingest, CPU per instance, 100 of 60 studies", sixty[0], "ms", 1.5),
        Row("AWS calls per instance, 100 of one study", one[1], "", 1.15),
        Row("AWS calls per instance, 100 of 60 studies", sixty[1], "", 1.15),
        Row("AWS calls per instance, a pack of 100", pack, "", 0.05),
    ]


def _sixty_studies():
    counts = [2] * 40 + [1] * 20
    return [
        file
        for number, count in enumerate(counts)
        for file in samples.chest_ct(slices=count, accession_number=f"SYN{number:04d}", seed=number)
    ]


def _measure(known, files):
    """(CPU milliseconds, calls) per instance."""
    objects = {f"{DAY}/{number:04d}.dcm": file for number, file in enumerate(files)}
    stub = at_once(objects, known)
    ingest = wiring.ingest_batch()
    uploaded = [Uploaded(key, f"v{number}", len(file)) for number, (key, file) in enumerate(objects.items())]

    def batch():
        left = ingest(uploaded, lambda: True)
        assert not left

    batch()  # the first one also fills caches, as in a function that has been running
    stub.calls.clear()
    batch()
    calls = stub.calls.total()
    return cpu_ms(batch) / len(files), calls / len(files)


def _pack(known):
    body = samples.make_pack(samples.chest_ct(slices=BATCH))
    key = "archives/JB001/2026-11-24/ct.zip"
    stub = at_once({key: body}, known)
    unpack = wiring.unpack_archive()
    unpack([Uploaded(key, "v", len(body))], lambda: True)
    stub.calls.clear()
    assert not unpack([Uploaded(key, "v", len(body))], lambda: True)
    return stub.calls.total() / BATCH
