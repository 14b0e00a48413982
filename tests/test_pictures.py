"""Files on which reading pictures went wrong once, each with what is right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from conftest import encoded, photo
from encoders import Tiff, png_chunk
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


GARBAGE = bytes(range(256)) * 9


def segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (2 + len(content)).to_bytes(2, "big") + content


def after_start(data: bytes, *segments: bytes) -> bytes:
    return data[:2] + b"".join(segments) + data[2:]


def surrounded() -> dict[str, tuple[bytes, bytes]]:
    """For every format a file with broken metadata, and the same without."""
    pillow_heif.register_heif_opener()
    image = photo(3, 64, 48)
    jpeg, png, gif, webp, jp2 = (encoded(image, kind) for kind in ("JPEG", "PNG", "GIF", "WEBP", "JPEG2000"))
    samples = np.asarray(image).astype(np.uint16)
    fields = {34665: (4, (7,)), 34675: (7, tuple(GARBAGE)), 700: (1, tuple(GARBAGE)), 282: (3, (0,)), 274: (3, (99,))}
    much = [segment(marker, GARBAGE * 20) for marker in (0xE1, 0xE3, 0xED, 0xFE) for _ in range(9)]
    chunks = [png_chunk(kind, GARBAGE) for kind in (b"eXIf", b"cHRM", b"gAMA", b"acTL", b"fcTL", b"sRGB", b"iCCP")]
    comment = b"\x21\xfe\xff" + GARBAGE[:255] + b"\0"
    box = (8 + len(GARBAGE)).to_bytes(4, "big") + b"uuid" + GARBAGE
    first, stream = gif.index(b"\x2c\0\0\0\0"), jp2.index(b"jp2c") - 4
    return {
        "JPEG with an unknown JFIF version": (jpeg[:11] + b"\x09" + jpeg[12:], jpeg),
        "JPEG with pieces of a profile": (after_start(jpeg, segment(0xE2, b"ICC_PROFILE\0\7\3" + GARBAGE)), jpeg),
        "JPEG with an unknown colour transform": (after_start(jpeg, segment(0xEE, b"Adobe\0d\0\0\0\0\x09")), jpeg),
        "JPEG with much of everything": (after_start(jpeg, *much), jpeg),
        "PNG with broken EXIF, colours and animation": (png[:33] + b"".join(chunks) + png[33:], png),
        "GIF with a comment": (gif[:first] + comment + gif[first:], gif),
        "WebP with XMP that is cut": (webp + b"XMP \xff\xff\0\0" + GARBAGE, webp),
        "TIFF with broken everything": (Tiff(2, tags=fields).encode(samples), Tiff(2).encode(samples)),
        "JPEG 2000 with a box of something": (jp2[:stream] + box + jp2[stream:], jp2),
        **{kind: (damaged_items(image, kind), encoded(image, kind)) for kind in ("AVIF", "HEIF")},
    }


def damaged_items(image: Image.Image, kind: str) -> bytes:
    """An AVIF or a HEIC whose EXIF and XMP are overwritten."""
    exif = Image.Exif()
    exif[0x010E] = "what it shows" * 9
    data = encoded(image, kind, exif=exif.tobytes(), xmp=b"<x:xmpmeta/>" * 20)
    for told in (b"MM\0*", b"II*\0", b"<x:xmpmeta/>" * 20):
        data = data.replace(told, GARBAGE[: len(told)])
    assert data.find(GARBAGE[:4]) > 0
    return data


SURROUNDED = surrounded()


@pytest.mark.parametrize("name", SURROUNDED)
def test_broken_metadata_of_any_format_are_left_behind(name: str) -> None:
    broken, sound = SURROUNDED[name]
    assert broken != sound
    assert (decode(broken).pixels == decode(sound).pixels).all()


def test_a_jpeg_within_a_tiff_is_decoded_as_strictly() -> None:
    sound = encoded(photo(3, 64, 48), "TIFF", compression="jpeg")
    assert outcome(sound) == "kept"
    for start in range(700, len(sound) - 800, 100):
        assert outcome(sound[:start] + bytes(200) + sound[start + 200 :]) == "damaged", start


def lies(turn: int, kind: int = 3) -> bytes:
    """EXIF that tells an orientation, which may be none."""
    return (
        b"II*\0\x08\0\0\0\1\0\x12\1" + kind.to_bytes(2, "little") + b"\1\0\0\0" + turn.to_bytes(4, "little") + bytes(4)
    )


BROKEN_EXIF = {
    "rubbish": GARBAGE[:40],
    "no header": b"",
    "a directory beyond its end": b"II*\0\xff\xff\xff\0",
    "an orientation of none": lies(99),
    "an orientation of another type": lies(6, 2),
}


@pytest.mark.parametrize("name", BROKEN_EXIF)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_broken_exif_before_a_sound_one_is_as_if_missing(kind: str, name: str) -> None:
    image = photo(3, 64, 48)
    plain = encoded(image, kind)
    parts = [BROKEN_EXIF[name], lies(6), lies(3)]  # the first that tells one is right
    if kind == "JPEG":
        data = after_start(plain, *(segment(0xE1, b"Exif\0\0" + part) for part in parts))
    elif kind == "PNG":
        data = plain[:33] + b"".join(png_chunk(b"eXIf", part) for part in parts) + plain[33:]
    else:
        chunks = (b"EXIF" + len(part).to_bytes(4, "little") + part + bytes(len(part) % 2) for part in parts)
        data = plain + b"".join(chunks)
    found = decode(data)
    assert found.orientation == 6
    assert (found.pixels == np.rot90(decode(plain).pixels, -1)).all()


def test_exif_of_a_png_whose_checksum_is_wrong_is_as_if_missing() -> None:
    plain = encoded(photo(3, 64, 48), "PNG")
    broken = bytearray(png_chunk(b"eXIf", lies(6)))
    broken[-1] ^= 1
    assert decode(plain[:33] + broken + plain[33:]).orientation == 1
    assert decode(plain[:33] + broken + png_chunk(b"eXIf", lies(8)) + plain[33:]).orientation == 8


@pytest.mark.parametrize("told", [(2, (54, 0)), (5, (6, 1)), (3, (6, 6)), (3, ()), (3, (99,))])
def test_a_broken_orientation_of_a_tiff_does_not_decide(told: tuple[int, tuple[int, ...]]) -> None:
    samples = np.asarray(photo(3, 64, 48)).astype(np.uint16)
    kind, numbers = told
    sound = Tiff(2, tags={274: (3, (1,))}).encode(samples)
    entry = sound.rindex((274).to_bytes(2, "little") + b"\3\0\1\0\0\0")
    count = len(numbers).to_bytes(4, "little")
    data = (
        sound[: entry + 2] + kind.to_bytes(2, "little") + count + bytes((*numbers, *bytes(4))[:4]) + sound[entry + 12 :]
    )
    assert (decode(data).pixels == samples).all()
