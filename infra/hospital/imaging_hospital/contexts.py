"""What `listen` takes: every storage SOP class, and every transfer syntax whose bytes are complete in themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pydicom import uid
from pynetdicom import DEFAULT_TRANSFER_SYNTAXES, AllStoragePresentationContexts, register_uid
from pynetdicom.presentation import PresentationContext
from pynetdicom.service_class import StorageServiceClass
from pynetdicom.sop_class import StorageCommitmentPushModel, Verification  # type: ignore[attr-defined]  # made at import

# The first of these that a sender offers for an object is taken: what loses nothing comes first, for a sender must not
# be led to compress for us. Senders that offer what they have stored, and only that, keep it as it is.
TRANSFER_SYNTAXES: Final = (
    uid.ExplicitVRLittleEndian,
    uid.JPEGLSLossless,
    uid.JPEG2000Lossless,
    uid.JPEGLosslessSV1,
    uid.JPEGLossless,
    uid.RLELossless,
    uid.HTJ2KLossless,
    uid.HTJ2KLosslessRPCL,
    "1.2.840.10008.1.2.4.110",  # JPEG XL lossless: younger than pydicom 3.0
    "1.2.840.10008.1.2.4.111",  # JPEG XL of a JPEG
    uid.JPEG2000MCLossless,
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
    uid.JPEGBaseline8Bit,
    uid.JPEGExtended12Bit,
    uid.JPEGLSNearLossless,
    uid.JPEG2000,
    uid.JPEG2000MC,
    uid.HTJ2K,
    "1.2.840.10008.1.2.4.112",  # JPEG XL
    uid.MPEG2MPML,
    uid.MPEG2MPMLF,
    uid.MPEG2MPHL,
    uid.MPEG2MPHLF,
    uid.MPEG4HP41,
    uid.MPEG4HP41F,
    uid.MPEG4HP41BD,
    uid.MPEG4HP41BDF,
    uid.MPEG4HP422D,
    uid.MPEG4HP422DF,
    uid.MPEG4HP423D,
    uid.MPEG4HP423DF,
    uid.MPEG4HP42STEREO,
    uid.MPEG4HP42STEREOF,
    uid.HEVCMP51,
    uid.HEVCM10P51,
)
"""Not: deflated datasets (a few bytes can be gigabytes), JPIP (the pixels are elsewhere), SMPTE ST 2110 (streams)."""

# Retired, and makers' own, but sent by devices that are in use: keyword → UID.
OLD_AND_PRIVATE: Final = {
    "RetiredUltrasoundMultiFrame": "1.2.840.10008.5.1.4.1.1.3",
    "RetiredUltrasound": "1.2.840.10008.5.1.4.1.1.6",
    "RetiredNuclearMedicine": "1.2.840.10008.5.1.4.1.1.5",
    "RetiredXRayAngiographicBiPlane": "1.2.840.10008.5.1.4.1.1.12.3",
    "RetiredVLImage": "1.2.840.10008.5.1.4.1.1.77.1",
    "RetiredVLMultiFrame": "1.2.840.10008.5.1.4.1.1.77.2",
    "RetiredStandaloneOverlay": "1.2.840.10008.5.1.4.1.1.8",
    "RetiredStandaloneCurve": "1.2.840.10008.5.1.4.1.1.9",
    "SiemensCsaNonImage": "1.3.12.2.1107.5.9.1",
    "GEPrivate3DModel": "1.2.840.113619.4.26",
    "PhilipsPrivateMRSpectrum": "1.3.46.670589.11.0.0.12.1",
    "PhilipsPrivateMRSeriesData": "1.3.46.670589.11.0.0.12.2",
    "PhilipsPrivateMRExamcard": "1.3.46.670589.11.0.0.12.4",
    "ToshibaPrivateData": "1.2.392.200036.9116.7.8.1.1.1",
}

COMMITMENT: Final = StorageCommitmentPushModel


class _Shared(PresentationContext):
    """What is offered is the same for all, and only read: pynetdicom copies all of it for each association, which takes
    longer (80 ms) than to receive an image."""

    def __deepcopy__(self, memo: dict[int, Any]) -> _Shared:
        return self


def _context(sop_class: str, syntaxes: Sequence[str] = DEFAULT_TRANSFER_SYNTAXES) -> PresentationContext:
    context = _Shared()
    context.abstract_syntax = sop_class
    context.transfer_syntax = list(syntaxes)
    return context


def supported() -> list[PresentationContext]:
    """C-ECHO, C-STORE of all the above, and storage commitment."""
    for keyword, sop_class in OLD_AND_PRIVATE.items():
        register_uid(sop_class, keyword, StorageServiceClass)
    classes = [str(context.abstract_syntax) for context in AllStoragePresentationContexts]
    stored = dict.fromkeys([*classes, *OLD_AND_PRIVATE.values()])
    contexts = [_context(sop_class, TRANSFER_SYNTAXES) for sop_class in stored]
    return [*contexts, _context(Verification), _context(COMMITMENT)]
