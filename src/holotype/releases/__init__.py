"""Releases: accepted labels to splits, manifest, shards and certificates; immutable, and verified by anyone."""

from holotype.releases.build import Contents, LabelledImage, write_release
from holotype.releases.layout import CERTIFICATES, CHECKSUMS, ID_LENGTH, MANIFEST, MANIFEST_SCHEMA, NAME, SUMMARY
from holotype.releases.release import Release, ontology_of
from holotype.releases.shares import Counts, Fractions
from holotype.releases.split import SPLITS, split
from holotype.releases.verify import certify_release, verify_release

__all__ = [
    "CERTIFICATES",
    "CHECKSUMS",
    "ID_LENGTH",
    "MANIFEST",
    "MANIFEST_SCHEMA",
    "NAME",
    "SPLITS",
    "SUMMARY",
    "Contents",
    "Counts",
    "Fractions",
    "LabelledImage",
    "Release",
    "certify_release",
    "ontology_of",
    "split",
    "verify_release",
    "write_release",
]
