"""What a province's day looks like. Assumed, from published anchors: mean images an exam, shares of the modalities, the
hours at which exams end. Sizes are lognormal."""

from __future__ import annotations

# (modality, weight, median of images, sigma of their logarithm)
STUDIES = (
    ("CT", 6.5, 120, 0.765),  # head plain
    ("CT", 9, 420, 0.595),  # chest plain, thick and thin
    ("CT", 3.5, 380, 0.673),  # abdomen or pelvis plain
    ("CT", 2.5, 1100, 0.609),  # several phases, enhanced
    ("CT", 2, 450, 0.623),  # spine or joint, with 3D
    ("CT", 1.5, 1300, 0.773),  # angiography
    ("MR", 2.55, 190, 0.619),  # brain plain
    ("MR", 2.04, 80, 0.541),  # spine
    ("MR", 1.7, 130, 0.41),  # joint
    ("MR", 1.02, 850, 0.585),  # abdomen enhanced
    ("MR", 0.68, 700, 0.894),  # brain enhanced, perfusion
    ("MR", 0.51, 1100, 0.671),  # pelvis, prostate, breast
    ("DX", 9.9, 1, 0.541),  # chest
    ("DX", 11, 2, 0.541),  # spine, extremity
    ("DX", 1.1, 1, 0.0),  # bedside
    ("CR", 4, 2, 0.316),
    ("US", 25.2, 10, 0.683),  # abdomen, small parts
    ("US", 5.4, 18, 0.623),  # vascular
    ("US", 5.4, 45, 0.449),  # heart
    ("MG", 1.7, 4, 0.316),  # four views
    ("MG", 0.3, 8, 0.437),  # tomosynthesis
    ("PT", 0.3, 900, 0.399),
    ("NM", 0.6, 4, 0.857),
    ("XA", 1, 18, 0.623),
    ("RF", 0.6, 20, 0.633),
)

# Exams of a thousand that end in each hour of the local day.
HOURS = {
    "outpatient": (0, 0, 0, 0, 0, 2, 15, 50, 130, 145, 135, 95, 40, 45, 110, 110, 80, 30, 8, 3, 2, 0, 0, 0),
    "inpatient": (4, 3, 3, 3, 4, 8, 20, 40, 85, 95, 95, 75, 45, 50, 90, 90, 85, 65, 45, 35, 28, 18, 9, 5),
    "emergency": (26, 21, 17, 15, 14, 16, 22, 34, 50, 58, 60, 54, 46, 46, 52, 54, 54, 52, 58, 64, 62, 56, 44, 32),
}
CLASSES = {"outpatient": 60, "inpatient": 25, "emergency": 15}

# What becomes of exams in a hospital that takes care; how many of a thousand. The rest goes as it should.
FATES = {
    "late": 4,
    "very_late": 1,
    "a_day_late": 1,
    "partial": 2,
    "partial_then_late": 2,
    "missing": 4,
    "amended": 20,
    "undeclared": 40,
    "gap": 10,
    "no_notice": 40,
    "no_accession": 8,
    "named_by_study": 10,
    "several_studies": 15,
    "late_notice": 15,
    "corrected_end": 5,
    "corrected_count": 5,
    "overtaken": 2,
    "told_twice": 5,
    "stuck": 1,
    "cancelled": 25,
    "cancelled_with_images": 2,
    "revived": 2,
    "ordered_only": 20,
    "put_off": 6,
    "rescheduled": 8,
    "reused_by_another": 6,
    "reused_after_a_month": 4,
    "imported": 5,
    "device_ahead": 5,
    "utc_label": 3,
    "device_behind": 3,
}
MISSES = ("late", "very_late", "a_day_late", "partial", "partial_then_late", "missing")
