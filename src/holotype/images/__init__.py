"""Images: verified, fingerprinted, de-duplicated, packed."""

from holotype.images.decode import MAX_PIXELS, Decoded, Rejected, decode
from holotype.images.fingerprint import Fingerprint, Rejection, encode_jpeg, fingerprint_batch, fit
from holotype.images.near import near_duplicate_groups
from holotype.images.packs import Address, PackReader, PackWriter

__all__ = [
    "MAX_PIXELS",
    "Address",
    "Decoded",
    "Fingerprint",
    "PackReader",
    "PackWriter",
    "Rejected",
    "Rejection",
    "decode",
    "encode_jpeg",
    "fingerprint_batch",
    "fit",
    "near_duplicate_groups",
]
