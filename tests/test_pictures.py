"""Files on which reading pictures went wrong once, each with what is right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from conftest import encoded, photo
from holotype.images import Decoded, Fingerprint, Rejected, Rejection, decode, fingerprint_batch

PICTURES = Path(__file__).parent / "pictures"


def outcome(data: bytes) -> str:
    """``kept``, or the reason why not, which has a detail."""
    (row,) = fingerprint_batch([data])
    assert isinstance(row, Fingerprint) or row.detail
    return row.reason if isinstance(row, Rejection) else "kept"


def picture(name: str) -> Decoded:
    return decode((PICTURES / name).read_bytes())


def names(case: str) -> list[str]:
    return sorted(f"{case}/{path.name}" for path in (PICTURES / case).iterdir())


WRONG = {
    "png-idat-damage/cut_inside_idat_end.png": "truncated",
    "png-idat-damage/flipped_byte_352.png": "damaged",
    "png-idat-damage/flipped_byte_95.png": "damaged",
    "png-idat-damage/idat_crc_wrong.png": "damaged",
    **dict.fromkeys(names("truncated-misnamed"), "truncated"),
    **dict.fromkeys(names("unsupported-misnamed"), "unsupported"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told_from_the_files_own_structure(name: str) -> None:
    assert outcome((PICTURES / name).read_bytes()) == WRONG[name]


def test_a_sound_png_is_kept() -> None:
    assert picture("png-idat-damage/sound.png").pixels.shape == (200, 300, 3)


def test_exif_is_found_wherever_it_stands_before_the_pixels() -> None:
    """Behind 18 KB of XMP, or 40 KB of an ICC profile."""
    data = (PICTURES / "jpeg-exif-late/exif6_first.jpg").read_bytes()
    profile = b"\xff\xe2" + (20_002).to_bytes(2, "big") + b"ICC_PROFILE\0\1\1" + bytes(19_986)
    first = decode(data)
    assert first.pixels.shape == (96, 64, 3)
    for later in (picture("jpeg-exif-late/exif6_behind_xmp.jpg"), decode(data[:2] + 2 * profile + data[2:])):
        assert (later.pixels == first.pixels).all()


@pytest.mark.parametrize("name", names("jpeg-sampling"))
def test_a_sampling_that_the_fast_decoder_does_not_know_is_left_to_another(name: str) -> None:
    cv2 = pytest.importorskip("cv2")
    data = (PICTURES / name).read_bytes()
    other = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
    assert np.abs(picture(name).pixels.astype(int) - other).mean() < 3
    assert outcome(data[: len(data) // 2]) == "truncated"
    assert outcome(data[:-2]) == "truncated"


@pytest.mark.parametrize("name", [*names("metadata-broken"), *names("png-metadata-large")])
def test_metadata_do_not_decide_what_becomes_of_sound_pixels(name: str) -> None:
    found = picture(name).pixels
    assert found.shape == (64, 96, 3)
    assert np.abs(found.astype(int) - picture("metadata-broken/png_exif_garbage.png").pixels).mean() < 6


@pytest.mark.parametrize(
    "kind", [AttributeError, IndexError, KeyError, MemoryError, RuntimeError, TypeError, ValueError, UnicodeDecodeError]
)
def test_whatever_the_fast_decoder_raises_another_is_asked(
    kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise kind("utf-8", b"", 0, 1, "") if kind is UnicodeDecodeError else kind("something of its own")

    data = encoded(photo(1), quality=90)
    expected = decode(data).pixels
    monkeypatch.setattr("simplejpeg.decode_jpeg_header", fail)
    assert (decode(data).pixels == expected).all()
    with pytest.raises(Rejected, match="truncated"):
        decode(data[:-2])
