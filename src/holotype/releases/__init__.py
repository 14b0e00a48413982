"""Releases: accepted labels to splits, manifest, shards and certificates; immutable, and verified by anyone."""

from holotype.releases.build import workshop, write_release
from holotype.releases.contents import Contents, contents_of
from holotype.releases.layout import CERTIFICATES, CHECKSUMS, ID_LENGTH, MANIFEST, MANIFEST_SCHEMA, NAME, SUMMARY
from holotype.releases.mirror import open_release
from holotype.releases.recipe import Recipe
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
    "Recipe",
    "Release",
    "certify_release",
    "contents_of",
    "ontology_of",
    "open_release",
    "split",
    "verify_release",
    "workshop",
    "write_release",
]
