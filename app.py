"""Table of contents: every route's blueprint, every queue and schedule. What they do stands where they point."""

from __future__ import annotations

from chalice.app import Chalice

from chalicelib import wiring
from chalicelib.http import session
from chalicelib.http.access import Door

app = Chalice(app_name="imaging-cloud")
app.register_middleware(Door(wiring.tokens, wiring.origin, wiring.now), "http")

app.register_blueprint(session.routes.blueprint)
