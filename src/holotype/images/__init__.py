"""Images: decoded strictly, fingerprinted, compared with each other, shown. Pure functions of bytes."""

from holotype.images.decode import MAX_PIXELS, Decoded, Rejected, decode
from holotype.images.fingerprint import Fingerprint, Rejection, encode_jpeg, fingerprint_batch, fit
from holotype.images.near import near_duplicate_groups

__all__ = [
    "MAX_PIXELS",
    "Decoded",
    "Fingerprint",
    "Rejected",
    "Rejection",
    "decode",
    "encode_jpeg",
    "fingerprint_batch",
    "fit",
    "near_duplicate_groups",
]
