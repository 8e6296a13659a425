"""Where what is made of a study's bytes is kept: under the study, by a digest of all that it is made of, so that what
has changed since is never given, and what has not is never made twice."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import quote

from chalicelib.domain.study import StudyRef

DERIVED_PREFIX: Final = "derived/"  # in the reports bucket
Kind = Literal["frames", "instance", "metadata", "thumbnail"]
VERSIONS: Final = {"frames": 1, "instance": 1, "metadata": 1, "thumbnail": 1}
"""How each kind is made: raise it whenever other bytes come of the same inputs."""


@dataclass(frozen=True, slots=True)
class Derived:
    """One thing that is made: where it is kept, and as what it is given (`encoding`: as it lies in the bucket)."""

    ref: StudyRef
    key: str
    content_type: str
    encoding: str = ""


def prefix_of(ref: StudyRef) -> str:
    """Beneath it lies all that was ever made of the study."""
    return f"{DERIVED_PREFIX}{ref.hospital_id}/{quote(ref.study_instance_uid, safe='')}/"


def key_of(ref: StudyRef, kind: Kind, *made_of: Any) -> str:
    """`made_of`: JSON values, all that the bytes depend on."""
    told = json.dumps([VERSIONS[kind], *made_of], sort_keys=True, separators=(",", ":"))
    return f"{prefix_of(ref)}{kind}/{hashlib.sha256(told.encode()).hexdigest()}"
