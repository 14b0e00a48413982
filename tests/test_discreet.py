"""What files say of people, places and devices never leaves; coded pixels stay as they are."""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from conftest import encoded, photo
from encoders import png_chunk
from holotype.images import decode
from holotype.images.decode import EXTENSIONS
from holotype.images.discreet import discreet, is_discreet
from holotype.images.variants import Stored

SECRETS = (b"Erika Mustermann", b"SN-4711-0815", b"Karlsruhe")
OWNER, SERIAL, PLACE = (secret.decode() for secret in SECRETS)
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:aux="http://ns.adobe.com/exif/1.0/aux/" aux:SerialNumber="' + SECRETS[1] + b'" '
    b'aux:OwnerName="' + SECRETS[0] + b'"/></rdf:RDF></x:xmpmeta>'
)


def with_exif(set_tags: Callable[[Image.Exif], None], orientation: int = 0) -> bytes:
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    set_tags(exif)
    return exif.tobytes()


def gps(exif: Image.Exif) -> None:
    exif.get_ifd(0x8825).update({1: "N", 2: (49.0, 0.0, 50.0), 3: "E", 4: (8.0, 24.0, 16.0), 0x1D: PLACE})


def owner(exif: Image.Exif) -> None:
    exif.get_ifd(0x8769)[0xA430] = OWNER


def serial(exif: Image.Exif) -> None:
    exif.get_ifd(0x8769)[0xA431] = SERIAL


def note(exif: Image.Exif) -> None:
    exif.get_ifd(0x8769)[0x927C] = SECRETS[1]


def artist(exif: Image.Exif) -> None:
    exif[0x013B] = OWNER


def words(exif: Image.Exif) -> None:
    exif[0x010E] = f"in {PLACE}"


def comment(exif: Image.Exif) -> None:
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0" + SECRETS[0]


def camera(exif: Image.Exif) -> None:
    exif[0x0110] = SERIAL


EXIF = (gps, owner, serial, note, artist, words, comment, camera)


def everything(exif: Image.Exif) -> None:
    for one in EXIF:
        one(exif)


def technical(exif: Image.Exif) -> None:
    exif[0x011A], exif[0x011B], exif[0x0128], exif[0x0131] = 72.0, 72.0, 2, "GIMP 2.10"
    exif[0x010E], exif[0x013B] = "   ", ""
    exif.get_ifd(0x8769).update({0xA002: 64, 0xA003: 48, 0x9286: b"ASCII\0\0\0     "})


def segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (2 + len(content)).to_bytes(2, "big") + content


def behind_the_start(jpeg: bytes, marker: int, content: bytes) -> bytes:
    return jpeg[:2] + segment(marker, content) + jpeg[2:]


def said(data: bytes) -> Stored:
    """A picture as a release knows it."""
    image = decode(data)
    digest = hashlib.sha256(data).hexdigest()
    extension = EXTENSIONS[image.format]
    return Stored(data, extension, image.format, image.mode, image.width, image.height, image.orientation, digest)


def silent(data: bytes, lossless: bool = True) -> Stored:
    """A picture that was not discreet, as it leaves: it shows the same, and says nothing."""
    before = said(data)
    assert not is_discreet(data)
    after = discreet(before)
    assert is_discreet(after.data)
    assert not any(secret in after.data for secret in SECRETS)
    image = decode(after.data)
    assert (image.pixels == decode(data).pixels).all()
    assert (image.format, image.mode, image.width, image.height, image.orientation) == (
        *(after.format, after.mode, after.width, after.height),
        after.orientation,
    )
    assert hashlib.sha256(after.data).hexdigest() == after.sha256
    if lossless:
        assert (after.format, after.orientation) == (before.format, before.orientation)
    assert discreet(after) is after
    return after


@pytest.mark.parametrize("tag", EXIF)
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_jpegs_exif_leaves_nothing_but_its_orientation(tag: Callable[[Image.Exif], None], orientation: int) -> None:
    data = encoded(photo(1), exif=with_exif(tag, orientation))
    after = silent(data)
    with Image.open(io.BytesIO(after.data)) as image:
        assert dict(image.getexif()) == ({0x0112: 6} if orientation == 6 else {})
    plain = encoded(photo(1))
    scan = plain[plain.index(b"\xff\xda") :]
    assert after.data.endswith(scan), "coded pixels are the same, bit for bit"


@pytest.mark.parametrize(
    "data",
    [
        encoded(photo(1)),
        encoded(photo(1), exif=with_exif(technical, 6)),
        encoded(photo(1), icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()),
        encoded(photo(1), comment=b"CREATOR: gd-jpeg v1.0 (using IJG JPEG v62), quality = 90"),
        encoded(photo(1), progressive=True),
        encoded(photo(1).convert("L")),
        encoded(photo(1).convert("CMYK")),
        encoded(photo(1)) + b"\0\0\n",
        *(encoded(photo(1), kind) for kind in ("PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF", "JPEG2000")),
        encoded(photo(1), "PNG", exif=with_exif(technical)),
    ],
)
def test_what_says_nothing_of_people_leaves_as_it_is(data: bytes) -> None:
    before = said(data)
    assert discreet(before) is before


@pytest.mark.parametrize(
    ("marker", "content"),
    [
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP),
        (0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x15\x1c\x02\x50\0\x10" + SECRETS[0] + b"\0"),
        (0xFE, SECRETS[0]),
        (0xE4, SECRETS[1]),
        (0xEE, SECRETS[1]),
        (0xE2, b"MPF\0" + SECRETS[1]),
        (0xE0, b"JFXX\0\x10" + SECRETS[2]),
        (0xE1, b"Exif\0\0II*\0\xff\xff\0\0" + SECRETS[0]),
    ],
)
def test_segments_of_a_jpeg_that_may_say_anything_are_taken_out(marker: int, content: bytes) -> None:
    silent(behind_the_start(encoded(photo(1)), marker, content))
    silent(behind_the_start(encoded(photo(1), progressive=True), marker, content))


def test_thumbnails_in_exif_and_pictures_behind_the_end_are_taken_out() -> None:
    thumbnail = encoded(photo(9, 40, 30))
    directory = b"II*\0\x08\0\0\0" + b"\0\0" + (14).to_bytes(4, "little")
    following = b"\x02\0" + b"\x01\x02\x04\0\x01\0\0\0" + (44).to_bytes(4, "little")
    following += b"\x02\x02\x04\0\x01\0\0\0" + len(thumbnail).to_bytes(4, "little") + bytes(4)
    exif = b"Exif\0\0" + directory + following + thumbnail
    assert thumbnail[20:] not in silent(behind_the_start(encoded(photo(1)), 0xE1, exif)).data
    second = encoded(photo(1)) + encoded(photo(2), exif=with_exif(everything))
    assert silent(second).data == encoded(photo(1))


def test_a_jpeg_between_whose_scans_somebody_speaks() -> None:
    data = encoded(photo(1), progressive=True)
    second = data.index(b"\xff\xda", data.index(b"\xff\xda") + 2)
    start = data.rfind(b"\xff\xc4", 0, second)
    silent(data[:start] + segment(0xFE, SECRETS[0]) + data[start:])


def png_said() -> list[bytes]:
    plain = encoded(photo(1), "PNG")
    told = PngImagePlugin.PngInfo()
    told.add_text("Author", OWNER)
    xmp = PngImagePlugin.PngInfo()
    xmp.add_itxt("XML:com.adobe.xmp", XMP.decode())
    packed = PngImagePlugin.PngInfo()
    packed.add_text("Comment", PLACE, zip=True)
    last = plain[:-12]
    return [
        encoded(photo(1), "PNG", pnginfo=told),
        encoded(photo(1), "PNG", pnginfo=xmp),
        encoded(photo(1), "PNG", pnginfo=packed),
        encoded(photo(1), "PNG", exif=with_exif(everything)),
        encoded(photo(1), "PNG", exif=with_exif(gps, 6)),
        last + png_chunk(b"prVt", SECRETS[0]) + plain[-12:],
        plain + SECRETS[0],
        encoded(photo(1).convert("P"), "PNG", pnginfo=told),
        encoded(Image.fromarray(np.arange(3000, dtype=np.uint16).reshape(50, 60)), "PNG", pnginfo=told),
    ]


@pytest.mark.parametrize("data", png_said())
def test_a_pngs_words_are_taken_out(data: bytes) -> None:
    after = silent(data)
    start = data.index(b"IDAT")
    assert data[start : start + 400] in after.data


@pytest.mark.parametrize("kind", ["WEBP", "AVIF"])
@pytest.mark.parametrize("more", [{}, {"xmp": XMP}])
def test_a_webps_and_an_avifs_metadata_are_taken_out(kind: str, more: dict[str, Any]) -> None:
    silent(encoded(photo(1), kind, exif=with_exif(everything), **more))
    silent(encoded(photo(1), kind, exif=with_exif(gps), **more))


def test_a_turned_webp_stays_turned_and_keeps_its_profile() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encoded(photo(1), "WEBP", exif=with_exif(everything, 6), icc_profile=profile, lossless=True)
    after = silent(data)
    with Image.open(io.BytesIO(after.data)) as image:
        assert image.info["icc_profile"] == profile
        assert dict(image.getexif()) == {0x0112: 6}


def test_a_heics_metadata_are_taken_out() -> None:
    heif = pytest.importorskip("pillow_heif")
    made = heif.from_pillow(photo(1, 128, 96))
    buffer = io.BytesIO()
    made.save(buffer, exif=with_exif(everything), xmp=XMP)
    silent(buffer.getvalue())


def test_a_gifs_comments_are_taken_out_and_its_frames_stay() -> None:
    frames = [photo(number, 40, 30).convert("P") for number in range(3)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], loop=0, comment=SECRETS[0])
    after = silent(data)
    with Image.open(io.BytesIO(after.data)) as image:
        assert getattr(image, "n_frames") == 3  # noqa: B009
        assert image.info["loop"] == 0
    silent(encoded(photo(1).convert("P"), "GIF") + SECRETS[0])


def test_a_jpeg_2000s_boxes_are_taken_out() -> None:
    plain = encoded(photo(1), "JPEG2000")
    box = (8 + len(XMP)).to_bytes(4, "big") + b"xml " + XMP
    at = plain.index(b"jp2c") - 4
    assert silent(plain[:at] + box + plain[at:]).data == plain


@pytest.mark.parametrize(
    "data",
    [
        encoded(photo(1), "TIFF", exif=with_exif(everything)),
        encoded(photo(1), "TIFF", tiffinfo={315: OWNER}),
        encoded(photo(1), "TIFF", tiffinfo={700: XMP}),
        encoded(photo(1).convert("CMYK"), "TIFF", tiffinfo={270: PLACE}),
        encoded(photo(1), "TIFF", save_all=True, append_images=[photo(2)]),
        b"P6\n# by " + SECRETS[0] + b"\n2 1\n255\nabcdef",
    ],
)
def test_what_cannot_be_taken_out_is_left_by_new_files_of_the_same_pixels(data: bytes) -> None:
    assert silent(data, lossless=False).format == "PNG"


def test_metadata_of_hidden_chunks_do_not_survive_compression() -> None:
    packed = png_chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(SECRETS[0]))
    plain = encoded(photo(1), "PNG")
    assert silent(plain[:33] + packed + plain[33:]).data == plain


WHOLE = [
    encoded(photo(1, 40, 30), exif=with_exif(everything)),
    encoded(photo(1, 40, 30), progressive=True),
    encoded(photo(1, 40, 30), "WEBP", exif=with_exif(everything), xmp=XMP),
    *(encoded(photo(1, 40, 30), kind) for kind in ("PNG", "GIF", "TIFF", "AVIF", "JPEG2000", "BMP", "PPM")),
]


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(WHOLE), st.integers(0, 5_000), st.binary(max_size=6), st.integers(0, 5_000))
def test_whatever_bytes_there_are_it_is_said_whether_they_are_discreet(
    data: bytes, place: int, other: bytes, end: int
) -> None:
    place = min(place, len(data))
    broken = data[:place] + other + data[place + len(other) :]
    assert is_discreet(broken) in (True, False)
    assert is_discreet(broken[:end]) in (True, False)


def test_real_photographs_leave_with_the_same_pixels() -> None:
    sample = Path(__file__).resolve().parents[2] / "shared/data/imagenet-val-sample"
    if not sample.is_dir():
        pytest.skip("no sample of ImageNet here")
    told = 0
    for path in sorted(sample.iterdir())[:120]:
        data = path.read_bytes()
        if not is_discreet(data):
            silent(data, lossless=False)
            told += 1
    assert 0 < told < 60
