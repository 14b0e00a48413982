"""What images are called in a release: by the sha256 of their bytes, or of their name where nobody has read them."""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from holotype.releases.keys import Keys, id_keys
from holotype.releases.layout import ID_LENGTH

_ROWS: Final = 1 << 18
_DIGITS: Final = np.frombuffer(b"0123456789abcdef", np.uint8)


def image_keys(sha256: pa.Array, names: pa.Array) -> tuple[Keys, Keys]:
    """The first and the second 64 bits of the sha256 of each image, ``(n,)`` each; of its name where its sha256 is "".

    The first are the image's id; two images that share them and not the second ones could not be told apart.
    """
    first, second = np.empty(len(sha256), np.uint64), np.empty(len(sha256), np.uint64)
    read = pc.not_equal(sha256, "").to_numpy(zero_copy_only=False)
    known = sha256.filter(pa.array(read))
    first[read] = id_keys(pc.utf8_slice_codeunits(known, 0, ID_LENGTH))
    second[read] = id_keys(pc.utf8_slice_codeunits(known, ID_LENGTH, 2 * ID_LENGTH))
    if not read.all():
        unread = names.filter(pa.array(~read)).to_pylist()
        digests = b"".join(hashlib.sha256(name.encode()).digest()[:16] for name in unread)
        first[~read], second[~read] = np.frombuffer(digests, ">u8").reshape(-1, 2).T
    return first, second


def image_ids(keys: Keys) -> pa.StringArray:
    """The ids that are these numbers: 16 hexadecimal digits each. The reverse of `holotype.releases.keys.id_keys`."""
    digits = np.empty((len(keys), ID_LENGTH // 2, 2), np.uint8)
    for start in range(0, len(keys), _ROWS):
        octets = keys[start : start + _ROWS].astype(">u8").view(np.uint8).reshape(-1, ID_LENGTH // 2)
        digits[start : start + _ROWS, :, 0] = _DIGITS[octets >> 4]
        digits[start : start + _ROWS, :, 1] = _DIGITS[octets & 15]
    ends: npt.NDArray[np.int32] = np.arange(0, ID_LENGTH * (len(keys) + 1), ID_LENGTH, dtype=np.int32)
    return pa.StringArray.from_buffers(len(keys), pa.py_buffer(ends), pa.py_buffer(digits))
