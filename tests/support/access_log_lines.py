"""Lines as S3 writes them into its server access log, made by us: moto writes none that name who or what."""

from __future__ import annotations

from datetime import UTC
from urllib.parse import quote

ROLE_ARN = "arn:aws-cn:iam::123456789012:role/imaging-cloud-data-SignerRole-ABC"
SIGNER = "arn:aws-cn:sts::123456789012:assumed-role/imaging-cloud-data-SignerRole-ABC/imaging-cloud-signer"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def line(at, key, event_id="", **changes):
    """One GET of an object. `changes`: requester, operation, status, agent, uri, twice (the key encoded twice)."""
    at = at.astimezone(UTC)
    stamp = f"{at.day:02}/{MONTHS[at.month - 1]}/{at.year}:{at:%H:%M:%S} +0000"
    told = {"requester": SIGNER, "operation": "REST.GET.OBJECT", "status": "200", "agent": "Mozilla/5.0", **changes}
    mark = f"&x-audit-event={event_id}" if event_id else ""
    query = f"versionId=v1{mark}&response-content-type=application%2Fdicom&X-Amz-Algorithm=AWS4-HMAC-SHA256"
    uri = told.get("uri", f"GET /{quote(key)}?{query}&X-Amz-Signature=0 HTTP/1.1")
    written = quote(quote(key)) if told.get("twice") else quote(key)
    return (
        "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be imaging-cloud-uploads-1-cn-north-1 "
        f"[{stamp}] 10.0.0.3 {told['requester']} 3E57427F3EXAMPLE {told['operation']} {written} "
        f'"{uri}" {told["status"]} - 2662992 3462992 70 10 "https://portal/\\"" "{told["agent"]}" v1 '
        "s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/eTPFvsiP/XV/VLi31234= SigV4 "
        "ECDHE-RSA-AES128-GCM-SHA256 QueryString imaging-cloud-uploads-1-cn-north-1.s3.cn-north-1.amazonaws.com.cn "
        "TLSv1.2 - -"
    )
