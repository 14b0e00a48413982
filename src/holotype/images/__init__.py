"""Images: decoded strictly, fingerprinted, compared with each other, shown. Pure functions of bytes."""

from holotype.images.decode import Decoded, decode
from holotype.images.fingerprint import Fingerprint, Rejection, encode_jpeg, fingerprint_batch, fit
from holotype.images.near import near_duplicate_groups
from holotype.images.rejected import MAX_PIXELS, Rejected
from holotype.images.variants import Stored, Variant, scaled_boxes

__all__ = [
    "MAX_PIXELS",
    "Decoded",
    "Fingerprint",
    "Rejected",
    "Rejection",
    "Stored",
    "Variant",
    "decode",
    "encode_jpeg",
    "fingerprint_batch",
    "fit",
    "near_duplicate_groups",
    "scaled_boxes",
]
