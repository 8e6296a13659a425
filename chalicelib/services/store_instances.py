from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from chalicelib.dicom.header import Unreadable, read_header
from chalicelib.dicom.part10 import claimed_class, claimed_instance
from chalicelib.domain.access import Caller
from chalicelib.domain.storing import OTHER_STUDY, PROCESSING, Failure, Reference, StoreOutcome, failure_reason
from chalicelib.domain.study import Header, StudyRef
from chalicelib.domain.upload_offer import Offer
from chalicelib.services.admit_uploader import AdmitUploader
from chalicelib.services.examine_upload import zone
from chalicelib.services.storing_ports import SignedPuts, UploadSigner

Judged = Reference | Failure


@dataclass(frozen=True, slots=True)
class StoreInstances:
    """Puts a hospital's instances where its own client would: under its prefix of today, by the very URLs that it could
    have asked for, so that the function itself may put nothing there. Ingest then takes them up as it does all others.

    What ingest could not index is refused here and not kept: whoever sent it is told at once and has it still, while in
    the bucket it would lie for years beyond everybody's reach, and in quarantine nobody would be listening.
    """

    admit: AdmitUploader
    sign: UploadSigner
    put: SignedPuts

    def __call__(self, caller: Caller, parts: Iterable[bytes], study_uid: str, now: datetime) -> StoreOutcome:
        """`study_uid`: of which all must be; "" for any. Raises what AdmitUploader does and what `parts` raises, and
        then nothing was put."""
        study = StudyRef(caller.hospital_id, study_uid) if study_uid else None
        local = zone(self.admit(caller, "store_instances", now, study))
        given = [(data, _judge(data, study_uid, local)) for data in parts]
        kept = self._keep(caller.hospital_id, [data for data, judged in given if isinstance(judged, Reference)], now)
        ended = [_ended(judged, Offer.of(data), kept) for data, judged in given]
        stored = tuple(one for one in ended if isinstance(one, Reference))
        return StoreOutcome(stored, tuple(one for one in ended if isinstance(one, Failure)))

    def _keep(self, hospital_id: str, good: Sequence[bytes], now: datetime) -> Mapping[Offer, bool]:
        """For each content whether it is in the bucket; once, however often it was sent."""
        by_offer = {Offer.of(data): data for data in good}
        if not by_offer:
            return {}
        signed = self.sign(hospital_id, [*by_offer], now)
        return dict(zip(by_offer, self.put([(one, by_offer[one.offer]) for one in signed]), strict=True))


def _judge(data: bytes, study_uid: str, local: timezone) -> Judged:
    """As ingest will read it."""
    try:
        header = read_header(data, len(data), local)
    except Unreadable as fault:
        return Failure(failure_reason(fault.reason), claimed_class(data), claimed_instance(data))
    if not isinstance(header, Header):  # it goes on beyond what anybody reads
        return Failure(failure_reason("header_too_long"), claimed_class(data), claimed_instance(data))
    if study_uid and header.study_instance_uid != study_uid:
        return Failure(OTHER_STUDY, header.sop_class_uid, header.sop_instance_uid)
    uids = (header.study_instance_uid, header.series_instance_uid, header.sop_class_uid, header.sop_instance_uid)
    return Reference(*uids)


def _ended(judged: Judged, offer: Offer, kept: Mapping[Offer, bool]) -> Judged:
    if isinstance(judged, Reference) and not kept[offer]:
        return Failure(PROCESSING, judged.sop_class_uid, judged.sop_uid)
    return judged
