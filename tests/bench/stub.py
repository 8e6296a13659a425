"""AWS that answers at once: botocore's whole client side runs, only the wire is missing. Counts the calls."""

from __future__ import annotations

import base64
import io
import json
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.awsrequest import AWSResponse

LAST_MODIFIED = "Tue, 24 Nov 2026 04:00:00 GMT"


class _Raw(io.BytesIO):
    def stream(self, amt=65536, decode_content=None):
        while chunk := self.read(amt):
            yield chunk


@dataclass
class AtOnce:
    """`objects`: key → bytes, for GETs by range. `items`: what GetItem finds, by (PK, SK)."""

    objects: dict = field(default_factory=dict)
    items: dict = field(default_factory=dict)
    calls: Counter = field(default_factory=Counter)

    def on(self, *clients):
        for client in clients:
            client.meta.events.register("before-send", self._answer)

    def _answer(self, request, event_name, **_):
        _, service, operation = event_name.split(".")
        self.calls[operation] += 1
        make = getattr(self, f"_{service}_{operation}".replace("-", "_").lower())
        status, headers, body = make(request)
        return AWSResponse(request.url, status, headers, _Raw(body))

    # S3

    def _s3_getobject(self, request):
        parts = urlsplit(request.url)
        key = unquote(parts.path.lstrip("/"))
        body = self.objects[key]
        asked = request.headers["Range"]
        asked = asked.decode() if isinstance(asked, bytes) else asked
        first, last = (int(part) for part in asked.removeprefix("bytes=").split("-"))
        chunk = body[first : last + 1]
        headers = {
            "Content-Length": str(len(chunk)),
            "Content-Range": f"bytes {first}-{first + len(chunk) - 1}/{len(body)}",
            "Last-Modified": LAST_MODIFIED,
            "x-amz-version-id": parse_qs(parts.query).get("versionId", ["v" + str(hash(key) % 10**12)])[0],
            "ETag": '"e"',
        }
        return 206, headers, chunk

    def _s3_putobject(self, request):
        return 200, {"ETag": '"e"', "x-amz-version-id": "v"}, b""

    # DynamoDB

    def _dynamodb_batchwriteitem(self, request):
        return 200, {}, b'{"UnprocessedItems":{}}'

    def _dynamodb_putitem(self, request):
        return 200, {}, b"{}"

    def _dynamodb_getitem(self, request):
        asked = json.loads(request.body)["Key"]
        found = self.items.get((asked["PK"]["S"], asked["SK"]["S"]))
        return 200, {}, _json({"Item": found} if found else {})

    def _dynamodb_batchgetitem(self, request):
        answers = {
            table: [item for key in wanted["Keys"] if (item := self.items.get((key["PK"]["S"], key["SK"]["S"])))]
            for table, wanted in json.loads(request.body)["RequestItems"].items()
        }
        return 200, {}, _json({"Responses": answers, "UnprocessedKeys": {}})

    def _dynamodb_updateitem(self, request):
        return 200, {}, b'{"Attributes":{"taken":{"N":"1"}}}'

    def _dynamodb_query(self, request):
        asked = json.loads(request.body)
        if asked.get("IndexName") == "GSI1":
            return self._newest_of_index(asked)
        values = {name: one["S"] for name, one in json.loads(request.body)["ExpressionAttributeValues"].items()}
        partition = values.pop(":pk", None) or values.pop(":partition", None) or values.pop(next(iter(values)))
        first, last = values.get(":first", ""), values.get(":last", "\U0010ffff")
        prefix = "" if ":first" in values else next(iter(values.values()), "")
        found = [
            item
            for (pk, sk), item in sorted(self.items.items())
            if pk == partition and first <= sk <= last and sk.startswith(prefix)
        ]
        return 200, {}, _json({"Items": found, "Count": len(found)})

    def _newest_of_index(self, asked):
        """A timeline's first page: newest first, and whether more follow."""
        (partition,) = [one["S"] for one in asked["ExpressionAttributeValues"].values()]
        found = [item for item in self.items.values() if item.get("GSI1PK", {}).get("S") == partition]
        found.sort(key=lambda item: item["GSI1SK"]["S"], reverse=True)
        page = found[: asked["Limit"]]
        last = {"LastEvaluatedKey": page[-1]} if len(found) > len(page) else {}
        return 200, {}, _json({"Items": page, "Count": len(page), **last})

    def _sts_assumerole(self, request):
        raise AssertionError("the signer's credentials are at hand")

    # SQS

    def _sqs_sendmessagebatch(self, request):
        entries = json.loads(request.body)["Entries"]
        done = [{"Id": one["Id"], "MessageId": one["Id"], "MD5OfMessageBody": ""} for one in entries]
        return 200, {}, json.dumps({"Successful": done, "Failed": []}).encode()


def _json(answer):
    """As DynamoDB writes it: binary in base64."""
    return json.dumps(answer, default=lambda value: base64.b64encode(value).decode()).encode()
