"""`python -m tests.bench.killing [KILLS] [SEED]`: the hospital's client killed again and again, on a line that is cut
and against a cloud that throttles, all at once. Ends with exit code 0 only if every image arrived exactly once.

What `tests/e2e/test_hospital_upload.py` does ten times, as often as one likes; the seed is printed.
"""

from __future__ import annotations

import random
import secrets
import sys
import tempfile
import threading
from pathlib import Path

from rich.console import Console

from tests.support.flaky_proxy import FlakyProxy
from tests.support.hospital_client import join
from tests.support.local_cloud import Town, start

LARGE = 3_000_000  # bytes of pixels: fourteen of them are a pack of six parts, of which four leave at the same time
MOODS = ["pass", "slow_down", "cut", "lost", "expired"]


class Dice:
    """Moods by chance, for the threads of the proxies."""

    def __init__(self, seed):
        self.chance, self.lock = random.Random(seed), threading.Lock()  # noqa: S311 - no secret

    def mood(self, *weights):
        with self.lock:
            return self.chance.choices(MOODS, weights)[0]


def main(kills, seed):
    console = Console(highlight=False)
    console.print(f"{kills} kills, seed {seed}")
    with tempfile.TemporaryDirectory() as place:
        process, client = start(Path(place))
        try:
            run(client, Path(place), kills, Dice(seed), console)
        finally:
            process.terminate()
            process.wait(30)


def run(client, place, kills, dice, console):
    s3_url, api_url = client.told["s3_endpoint"], client.told["api_url"]
    with FlakyProxy(s3_url, lambda *_: dice.mood(80, 8, 5, 5, 2)) as s3:

        def through_the_proxy(body):
            return body.replace(s3_url.encode(), s3.url.encode())

        with FlakyProxy(api_url, lambda *_: dice.mood(90, 4, 3, 3, 0), through_the_proxy) as api:
            hospital = join(Town(client), place)
            settings = hospital.place / "hospital.toml"
            settings.write_text(settings.read_text(encoding="utf-8").replace(api_url, api.url), encoding="utf-8")
            died = lives = 0
            while died < kills:
                lives += 1
                large = lives % 10 == 1
                hospital.add(lives, 14 if large else 6, pixels=LARGE if large else 3000)
                died += hospital.dies(dice.chance.uniform(0.8, 5.0), "upload", hospital.images, "--mbit", 100)
            last = hospital.run("upload", hospital.images)
            console.print(last.stdout.strip())
            assert last.returncode == 0, last.stderr
    hospital.arrived_once()
    told = ", ".join(f"{mood} {count}" for mood, count in sorted((s3.moods + api.moods).items()))
    console.print(f"{lives} lives, {died} killed; requests: {told}. Every image arrived exactly once.")


if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:]]
    main(*(given + [100, secrets.randbelow(10**6)][len(given) :]))
