"""The files of a release, and their columns."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

import pyarrow as pa

FORMAT: Final = 3
MANIFEST: Final = "manifest.parquet"
BOXES: Final = "boxes.parquet"
MASKS: Final = "masks.parquet"
FILES: Final = "files.parquet"
LEAKS: Final = "leaks.json"
VOTES: Final = "votes.parquet"
EVIDENCE: Final = "evidence.parquet"
VERIFIED: Final = "verified.parquet"
SUMMARY: Final = "release.json"
STATISTICS: Final = "statistics.json"
CHECKSUMS: Final = "SHA256SUMS"
AUDIT: Final = "audit.parquet"
SAMPLE: Final = "sample.parquet"
CHANGES: Final = "changes.parquet"
CERTIFICATES: Final = "certificates.json"
ONTOLOGY: Final = "ontology.npz"
ATTRIBUTION: Final = "attribution.csv"
DATASHEET: Final = "datasheet.md"
PAGE: Final = "statistics.html"
CROISSANT: Final = "croissant.json"
DOCUMENTS: Final = (ATTRIBUTION, DATASHEET, PAGE, CROISSANT)
TAKEN_DOWN: Final = "taken_down"
"""What `SUMMARY` says of images that were in an earlier release: how many, and of which."""
METADATA: Final = "metadata_taken_out"
"""What `SUMMARY` calls the number of pictures without what their files said of people, places and devices."""
OTHER_SIZES: Final = "masks_of_other_sizes"
"""What `SUMMARY` calls the number of masks that are left out, as they are not of the size of their image."""
BOXES_CUT, BOXES_OUTSIDE = "boxes_cut", "boxes_outside"
"""What `SUMMARY` calls the number of boxes that are cut off at the edge of their picture, and of those that are left
out, as they lie outside of it."""
SHARD_BYTES: Final = 256 << 20
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
SHARD: Final = re.compile(r"(train|val|test)-[0-9]{6,}\.tar")
"""What shards are called, beside `holotype.releases.split.SPLITS`."""
ID_LENGTH: Final = 16

MANIFEST_SCHEMA: Final = pa.schema(
    [
        ("id", pa.string()),
        ("wnid", pa.string()),
        ("rank", pa.int32()),
        ("split", pa.string()),
        ("shard", pa.string()),
        ("offset", pa.int64()),
        ("length", pa.int64()),
        ("sha256", pa.string()),
        ("format", pa.string()),
        ("mode", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("orientation", pa.int8()),
        ("boxes", pa.int32()),
        ("near_group", pa.string()),
        ("group", pa.string()),
        ("yes", pa.int32()),
        ("unsure", pa.int32()),
        ("no", pa.int32()),
        ("score", pa.float64()),
        ("policy", pa.string()),
        ("origin", pa.string()),
        ("source", pa.string()),
        ("query", pa.string()),
        ("position", pa.int32()),
        ("licence", pa.string()),
        ("author", pa.string()),
        ("url", pa.string()),
    ]
)
"""The columns that every manifest has. Width and height are those of the stored picture turned upright, `orientation`
is the one of EXIF that it is stored in; "" and 0 are what is not known."""
MACHINES: Final = "machines"
"""The column of a manifest for the machines that helped with a label, where any did with any."""
WORKS: Final = ("title", "author_url", "licence_url", "via")
"""The columns of a manifest for what searches of the web said of works beside licence, author and address."""
EXTRAS: Final = pa.schema(
    [
        (MACHINES, pa.list_(pa.string())),
        ("path", pa.string()),
        ("stored", pa.string()),
        ("original_width", pa.int32()),
        ("original_height", pa.int32()),
        *((name, pa.string()) for name in WORKS),
    ]
)
"""The columns that a manifest has last, in this order, each where it says anything: `path` of a file below a folder,
where bytes were left where they lie; `stored`, the sha256 of the bytes at the address, and the original's size, where
any pictures were made smaller, faces in them blurred or metadata taken out; `WORKS`, where images were collected: their
titles, their makers' pages, the address of the licence where it says more than `licence`, and the source that said
licence, author and address where that is another than `source`."""
BOXES_SCHEMA: Final = pa.schema(
    [
        ("id", pa.string()),
        ("wnid", pa.string()),
        ("x_min", pa.int32()),
        ("y_min", pa.int32()),
        ("x_max", pa.int32()),
        ("y_max", pa.int32()),
        ("source", pa.string()),
    ]
)
"""Boxes in inclusive pixels of the stored picture turned upright, images in the order of the manifest."""
PEOPLE, MACHINE, ARCHIVE = "people", "machine", "archive"
"""Who says where boxes are: people who drew them, machines, or files that came with the images."""
FLAGS: Final = ("truncated", "occluded", "group_of", "difficult")
UNSAID: Final = -1
"""A flag, or a support, that nobody said."""
BOXES_EXTRAS: Final = pa.schema(
    [("by", pa.string()), ("support", pa.float64()), *((flag, pa.int8()) for flag in FLAGS)]
)
"""What boxes have last, but for those of older releases: by whom; the share of the people who looked for an instance
that drew this one; and whether it is cut off by the picture's edge, hidden in part, a group that is no single instance,
or difficult to recognise, 1 or 0; `UNSAID` where nobody said."""
MASKS_SCHEMA: Final = pa.schema(
    [
        ("id", pa.string()),
        ("wnid", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("counts", pa.string()),
        ("area", pa.int32()),
        ("x_min", pa.int32()),
        ("y_min", pa.int32()),
        ("x_max", pa.int32()),
        ("y_max", pa.int32()),
        ("crowd", pa.bool_()),
        ("source", pa.string()),
    ]
)
"""Masks of instances in the stored picture turned upright, images in the order of the manifest: run lengths as COCO's
compressed text, column by column, how many pixels, the inclusive pixels of the box around them. A release without masks
has no such file."""
VERIFIED_SCHEMA: Final = pa.schema(
    [
        ("id", pa.string()),
        ("wnid", pa.string()),
        ("said", pa.string()),
        ("posterior", pa.float64()),
        ("by", pa.string()),
    ]
)
"""What was verified of images beside their labels: that a synset is ``absent``, by a no to itself or to the question
`by` above it, with the chance that it is there all the same; or that each instance of a label is boxed: ``covered``."""
FILES_SCHEMA: Final = pa.schema(
    [
        ("shard", pa.string()),
        ("dataset", pa.string()),
        ("kind", pa.string()),
        ("path", pa.string()),
        ("size", pa.int64()),
        ("mtime_ns", pa.int64()),
    ]
)
"""The files that the bytes of a release lie in where it has none itself; the manifest calls them by `shard`."""
VOTES_SCHEMA: Final = pa.schema(
    [
        ("sha256", pa.string()),
        ("wnid", pa.string()),
        ("worker", pa.string()),
        ("answer", pa.string()),
        ("page", pa.string()),
        ("seconds", pa.float64()),
        ("at", pa.float64()),
    ]
)
VOTES_EXTRAS: Final = pa.schema([("copy", pa.int32())])
"""What votes have last where the bytes of an image are a candidate several times: which of these, by `EVIDENCE`."""
EVIDENCE_SCHEMA: Final = pa.schema(
    [
        ("sha256", pa.string()),
        ("wnid", pa.string()),
        ("rank", pa.int32()),
        ("copy", pa.int32()),
        ("asked", pa.bool_()),
        ("state", pa.string()),
        ("rounds", pa.list_(pa.int32())),
        ("prior", pa.float64()),
        ("gold", pa.string()),
        ("ruling", pa.string()),
        ("curator", pa.string()),
        ("sources", pa.list_(pa.string())),
    ]
)
"""The candidates that labels follow from, accepted or not, by rank and sha256, with all that is known beside votes.

`copy` numbers candidates with the same bytes and synset from 0; of one that is not `asked` a dataset alone speaks.
`rounds` are those in which it was first asked about, one for each layer of the rule, 0 for none; `prior` 0 is none;
`gold` and `ruling`, the one of a curator under a hidden name, are yes, no or "".
"""
AUDIT_SCHEMA: Final = pa.schema(
    [
        ("sha256", pa.string()),
        ("wnid", pa.string()),
        ("auditor", pa.string()),
        ("answer", pa.string()),
        ("reason", pa.string()),
        ("at", pa.float64()),
    ]
)
SAMPLE_SCHEMA: Final = pa.schema(
    [
        ("target", pa.string()),
        ("position", pa.int32()),
        ("sha256", pa.string()),
        ("wnid", pa.string()),
        ("rank", pa.int32()),
    ]
)
CHANGES_SCHEMA: Final = pa.schema(
    [
        ("seed", pa.string()),
        ("change", pa.string()),
        ("sha256", pa.string()),
        ("wnid", pa.string()),
        ("rank", pa.int32()),
    ]
)
AUDIT_TABLES: Final = {AUDIT: AUDIT_SCHEMA, SAMPLE: SAMPLE_SCHEMA, CHANGES: CHANGES_SCHEMA}
NAMES: Final = frozenset(
    {
        *(
            MANIFEST,
            BOXES,
            MASKS,
            VERIFIED,
            FILES,
            LEAKS,
            VOTES,
            EVIDENCE,
            SUMMARY,
            STATISTICS,
            CHECKSUMS,
            CERTIFICATES,
            ONTOLOGY,
        ),
        *(*AUDIT_TABLES, *DOCUMENTS),
    }
)
"""What files of a release are called, but for its shards."""


def manifest_schema(extras: Collection[str]) -> pa.Schema:
    """The schema of a manifest that has these of the `EXTRAS`."""
    return pa.schema([*MANIFEST_SCHEMA, *(field for field in EXTRAS if field.name in extras)])


SCHEMAS: Final = {
    MANIFEST: (MANIFEST_SCHEMA, EXTRAS),
    BOXES: (BOXES_SCHEMA, BOXES_EXTRAS),
    MASKS: (MASKS_SCHEMA, pa.schema([])),
    VOTES: (VOTES_SCHEMA, VOTES_EXTRAS),
    EVIDENCE: (EVIDENCE_SCHEMA, pa.schema([])),
}
"""The columns of the tables that are read a few columns at a time, and those that they may have beside."""


def typed_columns(name: str, columns: Collection[str]) -> pa.Schema:
    """The types that some columns of one of the `SCHEMAS` have."""
    known = pa.unify_schemas(SCHEMAS[name])
    return pa.schema([known.field(column) for column in columns])
