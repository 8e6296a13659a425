"""A PACS that others have written sends to the listener and asks for storage commitment."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta

import pydicom
import pytest

from infra.hospital.imaging_hospital import scp
from infra.hospital.imaging_hospital.commitment import Commitments, Judge
from infra.hospital.imaging_hospital.commitment_report import Address, Reporter
from infra.hospital.imaging_hospital.interfaces import Listening
from infra.hospital.imaging_hospital.receive import Receiver
from infra.hospital.imaging_hospital.spool import Spool
from infra.local.client import until
from tests.support.dicom_senders import STUDY, dataset, write
from tests.support.orthanc import ABSENT, INSTALLED, free_port, orthanc

IMAGES = 20


class Cloud:
    """Has what lies in the spool."""

    def __init__(self, spool):
        self.spool = spool

    def files(self):
        for path in self.spool.inbox.glob("*.dcm"):
            sop = pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID
            yield str(sop), hashlib.sha256(path.read_bytes()).hexdigest()

    def of_sop(self, sop):
        return [(STUDY, digest) for name, digest in self.files() if name == sop]

    def receipt(self, uid):
        arrived = [{"sop_instance_uid": sop, "declared_sha256": digest} for sop, digest in self.files()]
        return [{"entries": [{"arrived": one, "status": "served"} for one in arrived]}]


@pytest.mark.skipif(not INSTALLED, reason=ABSENT)
def test_orthanc_stores_here_and_its_wish_for_commitment_is_reported_as_fulfilled(tmp_path):
    spool = Spool(tmp_path / "spool")
    spool.prepare()
    cloud, ours = Cloud(spool), free_port()
    modality = {"AET": "IMAGINGCLOUD", "Host": "127.0.0.1", "Port": ours, "AllowStorageCommitment": True}
    with orthanc(tmp_path / "orthanc", DicomModalities={"cloud": modality}) as pacs:
        commitments = Commitments(spool)
        judge = Judge(cloud, cloud, timedelta(hours=1))
        addresses = {"ORTHANC": Address("127.0.0.1", pacs.port)}
        report = Reporter("IMAGINGCLOUD", addresses, commitments, judge, first=timedelta(0))
        commitments.asked = report.asked
        listening = Listening("IMAGINGCLOUD", "127.0.0.1", ours, {"ORTHANC": None})
        server = scp.start(listening, Receiver(spool, 1024**3, 0), commitments)
        images = write(tmp_path / "images", [dataset(n) for n in range(1, IMAGES + 1)])
        names = [pacs.call("/instances", path.read_bytes())["ID"] for path in images]
        pacs.call("/modalities/cloud/echo", b"{}")
        wish = {"Resources": names, "Synchronous": True, "StorageCommitment": True}
        sent = pacs.call("/modalities/cloud/store", json.dumps(wish).encode())
        assert (sent["InstancesCount"], sent["FailedInstancesCount"]) == (IMAGES, 0)

        def told():
            report()
            answer = pacs.call(f"/storage-commitment/{sent['StorageCommitmentTransactionUID']}")
            return answer if answer["Status"] != "Pending" else None

        answer = until(told, "the report has been taken", 20)
        assert (answer["Status"], len(answer["Success"])) == ("Success", IMAGES)
        server.close()
