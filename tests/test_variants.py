"""Pictures as releases store them: smaller, upright, and silent about who took them where."""

from __future__ import annotations

import hashlib
import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from conftest import encoded, photo
from encoders import png_chunk
from holotype.images import Rejected, decode
from holotype.images.formats import icc
from holotype.images.variants import LONGEST_JPEG, Stored, Variant, scaled_boxes

SECRET = b"49.0139 North"


def tagged(orientation: int = 1) -> bytes:
    """EXIF of somebody's camera, with the place."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = orientation, SECRET.decode()
    exif.get_ifd(0x8825)[1] = "N"
    return exif.tobytes()


def adobe() -> bytes:
    """A colour profile that is not sRGB's."""
    made = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    return bytes(made).replace("sRGB".encode("utf-16-be"), "wide".encode("utf-16-be")).replace(b"sRGB", b"wide")


def pixels(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


def grey(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("L"))


def difference(one: np.ndarray, other: np.ndarray) -> float:
    assert one.shape == other.shape
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


def sound(stored: Stored) -> Stored:
    """What a picture says of itself is so."""
    image = decode(stored.data)
    assert (image.format, image.mode) == (stored.format, stored.mode)
    assert (image.width, image.height, image.orientation) == (stored.width, stored.height, stored.orientation)
    assert hashlib.sha256(stored.data).hexdigest() == stored.sha256
    return stored


@pytest.mark.parametrize(
    ("size", "becomes"),
    [
        ((500, 375), (341, 256)),
        ((375, 500), (256, 341)),
        ((256, 300), (256, 300)),
        ((255, 900), (255, 900)),
        ((257, 257), (256, 256)),
        ((4000, 260), (3938, 256)),
    ],
)
def test_the_shorter_side_is_just_as_long_as_asked_and_none_is_enlarged(
    size: tuple[int, int], becomes: tuple[int, int]
) -> None:
    variant = Variant(short_side=256)
    assert variant.size(*size) == becomes
    stored = sound(variant(encoded(photo(1, *size))))
    assert (stored.width, stored.height) == becomes
    assert (stored.format, stored.extension, stored.mode, stored.orientation) == ("JPEG", "jpg", "RGB", 1)


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 600))
def test_no_side_is_enlarged_or_lost(width: int, height: int, short: int) -> None:
    small = Variant(short_side=short).size(width, height)
    assert min(small) == min(short, width, height)
    assert small[0] <= width
    assert small[1] <= height


def test_a_variant_is_a_value_and_gives_the_same_bytes_again() -> None:
    variant, data = Variant(short_side=64, quality=80), encoded(photo(2, 200, 150))
    again = pickle.loads(pickle.dumps(variant))  # noqa: S301 - our own
    assert again == variant
    assert again(data) == variant(data)
    assert len(variant(data).data) < len(Variant(short_side=64, quality=95)(data).data)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"short_side": 0}, "at least 1 pixel"),
        ({"quality": 0}, "from 1 to 100"),
        ({"quality": 101}, "from 1 to 100"),
        ({"orientation": "no"}, "'apply' or 'keep'"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Variant(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("short", [None, 40])
def test_turned_pictures_are_stored_upright_or_with_their_orientation(orientation: int, short: int | None) -> None:
    data = encoded(photo(3), exif=tagged(orientation), quality=95)
    upright = decode(data)
    applied = sound(Variant(short, 95)(data))
    kept = sound(Variant(short, 95, "keep")(data))
    assert (applied.orientation, kept.orientation) == (1, orientation)
    assert (applied.width, applied.height) == (kept.width, kept.height)
    assert (applied.width > applied.height) == (upright.width > upright.height)
    assert difference(decode(applied.data).pixels, decode(kept.data).pixels) < 4  # a wrong turn is 40
    for stored in (applied, kept):
        assert SECRET not in stored.data
        told = Image.open(io.BytesIO(stored.data)).getexif()
        assert dict(told) == ({0x0112: orientation} if stored.orientation != 1 else {})
        assert not told.get_ifd(0x8825)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"optimize": True}, {"restart_marker_rows": 1}])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_metadata_are_taken_out_of_a_jpeg_without_touching_its_pixels(mode: str, options: dict[str, Any]) -> None:
    data = encoded(
        photo(4).convert(mode), exif=tagged(), comment=SECRET, xmp=SECRET, icc_profile=bytes(300_000), **options
    )
    behind = data + b"\xff\xd8" + SECRET  # as phones put films and depths there
    stored = sound(Variant()(behind))
    assert SECRET in data
    assert SECRET not in stored.data
    assert len(stored.data) < len(data) - 300_000
    assert (pixels(stored.data) == pixels(data)).all()
    assert (stored.format, stored.mode) == ("JPEG", mode)
    assert Variant()(stored.data).data == stored.data


def test_metadata_between_the_scans_of_a_jpeg_are_taken_out() -> None:
    data = encoded(photo(5), progressive=True)
    second = data.rindex(b"\xff\xda")
    between = data[:second] + b"\xff\xfe\0\x0f" + SECRET + data[second:]
    assert Variant()(between).data == Variant()(data).data


def test_what_jfif_says_stays_and_its_thumbnail_does_not() -> None:
    data = encoded(photo(6))
    assert data[2:4] == b"\xff\xe0"
    thumbnail = b"\xff\xe0" + (16 + 300).to_bytes(2, "big") + data[6:18] + b"\x0a\x0a" + bytes(300) + data[20:]
    assert Variant()(data[:2] + thumbnail).data == Variant()(data).data
    assert Variant()(data).data[2:20] == data[2:20]


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "I;16"])
def test_metadata_are_taken_out_of_a_png_without_touching_its_pixels(mode: str) -> None:
    picture = photo(7).convert("I").convert("I;16") if mode == "I;16" else photo(7).convert(mode)
    data = encoded(picture, "PNG", exif=tagged())
    told = b"Comment\0" + SECRET
    data = data[:33] + png_chunk(b"tEXt", told) + data[33:] + SECRET
    stored = sound(Variant()(data))
    assert SECRET not in stored.data
    assert (pixels(stored.data) == pixels(data)).all()
    assert (stored.format, stored.extension) == ("PNG", "png")


def test_a_png_with_an_orientation_keeps_it_if_asked() -> None:
    data = encoded(photo(8), "PNG", exif=tagged(6))
    stored = sound(Variant(orientation="keep")(data))
    assert stored.orientation == 6
    assert SECRET not in stored.data
    assert sound(Variant()(data)).format == "JPEG"


def test_only_the_first_frame_is_kept_of_an_animated_png() -> None:
    frames = [photo(seed) for seed in (1, 2)]
    data = encoded(frames[0], "PNG", save_all=True, append_images=frames[1:])
    stored = sound(Variant()(data))
    assert (pixels(stored.data) == np.asarray(frames[0])).all()
    assert not getattr(Image.open(io.BytesIO(stored.data)), "is_animated", False)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "BMP", "TIFF", "PPM", "JPEG2000"])
def test_other_formats_become_jpeg(kind: str) -> None:
    data = encoded(photo(9), kind)
    stored = sound(Variant(quality=95)(data))
    assert (stored.format, stored.mode) == ("JPEG", "RGB")
    assert difference(grey(stored.data), np.asarray(Image.fromarray(decode(data).pixels).convert("L"))) < 3


def test_grey_stays_grey_and_transparency_lies_on_white() -> None:
    assert sound(Variant(short_side=30)(encoded(photo(1).convert("L"), "PNG"))).mode == "L"
    clear = photo(1).convert("RGBA")
    clear.putalpha(0)
    assert (decode(Variant(short_side=30)(encoded(clear, "PNG")).data).pixels == 255).all()
    assert sound(Variant(short_side=30)(encoded(photo(1).convert("CMYK")))).mode == "RGB"


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_colour_profile_stays_with_its_pixels_unless_it_is_srgbs(kind: str) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for variant in (Variant(), Variant(short_side=30)):
        plain = variant(encoded(photo(2), kind))
        assert variant(encoded(photo(2), kind, icc_profile=srgb)) == plain
        wide = sound(variant(encoded(photo(2), kind, icc_profile=adobe())))
        assert Image.open(io.BytesIO(wide.data)).info["icc_profile"] == adobe()
        assert (pixels(wide.data) == pixels(plain.data)).all()
    inks = Variant(short_side=30)(encoded(photo(2).convert("CMYK"), icc_profile=adobe()))
    assert "icc_profile" not in Image.open(io.BytesIO(inks.data)).info


def test_a_profile_of_many_segments_stays_whole() -> None:
    big = adobe() + bytes(200_000)
    stored = Variant()(encoded(photo(2), icc_profile=big))
    assert Image.open(io.BytesIO(stored.data)).info["icc_profile"] == big


@pytest.mark.parametrize("broken", [b"", b"x", bytes(200), adobe()[:140], adobe()[:128] + b"\xff" * 200])
def test_broken_profiles_are_none(broken: bytes) -> None:
    assert icc.telling(broken, grey=True) == b""


def test_a_side_too_long_for_a_jpeg_makes_a_png() -> None:
    stored = sound(Variant()(encoded(Image.new("RGB", (LONGEST_JPEG + 1, 2), "red"), "TIFF")))
    assert (stored.format, stored.width) == ("PNG", LONGEST_JPEG + 1)
    assert (pixels(stored.data) == [255, 0, 0]).all()


@pytest.mark.parametrize("short", [None, 8])
def test_what_is_no_sound_image_is_rejected(short: int | None) -> None:
    data = encoded(photo(1, 200, 200), quality=95)
    for wrong, reason in ((b"", "empty"), (data[: len(data) // 2], "truncated"), (b"<svg>", "unknown_format")):
        with pytest.raises(Rejected) as error:
            Variant(short)(wrong)
        assert error.value.reason == reason


@given(st.integers(0, 2500), st.integers(0, 255))
def test_no_changed_byte_breaks_it(position: int, value: int) -> None:
    data = bytearray(encoded(photo(1), exif=tagged(6), comment=SECRET, icc_profile=adobe()))
    data[position % len(data)] = value
    for variant in (Variant(), Variant(orientation="keep"), Variant(20)):
        try:
            stored = variant(bytes(data))
        except Rejected:
            continue
        sound(stored)


def test_real_pictures_are_close_to_what_pillow_makes_of_them(shared: Path) -> None:
    """Area averaging and Pillow's antialiased bilinear: 2 grey levels is the bar; 0.97 was measured before JPEG."""
    seen = []
    for path in sorted((shared / "imagenet-val-sample").iterdir())[:25]:
        whole = decode(path.read_bytes()).pixels
        stored = sound(Variant(256, 100)(path.read_bytes()))
        small = Image.fromarray(whole).resize((stored.width, stored.height), Image.Resampling.BILINEAR)
        seen.append(difference(grey(stored.data), np.asarray(small.convert("L"))))
    assert float(np.mean(seen)) < 2


def test_metadata_of_real_pictures_are_taken_out_without_touching_a_pixel(shared: Path) -> None:
    for path in sorted((shared / "imagenet-train-sample").iterdir())[:60]:
        data = path.read_bytes()
        stored = sound(Variant()(data))
        if stored.format == "JPEG" and decode(data).orientation == 1:
            assert (pixels(stored.data) == pixels(data)).all()
            assert not Image.open(io.BytesIO(stored.data)).getexif()


def scaled(box: list[int], size: tuple[int, int], stored: tuple[int, int]) -> list[int]:
    (found,) = scaled_boxes(np.array([box]), np.array([size]), np.array([stored])).tolist()
    return list(found)


@pytest.mark.parametrize(
    ("box", "becomes"),
    [
        ([0, 0, 499, 374], [0, 0, 255, 191]),  # the whole
        ([0, 0, 249, 374], [0, 0, 127, 191]),  # the left half
        ([250, 0, 499, 374], [128, 0, 255, 191]),  # the right one touches it
        ([499, 374, 499, 374], [255, 191, 255, 191]),  # the last pixel
        ([-5, -5, 600, 600], [0, 0, 255, 191]),  # out of the picture
        ([700, 10, 800, 20], [255, 5, 255, 10]),
    ],
)
def test_boxes_are_scaled_by_their_edges(box: list[int], becomes: list[int]) -> None:
    assert scaled(box, (500, 375), (256, 192)) == becomes


@given(st.data(), st.integers(1, 400), st.integers(1, 400), st.integers(1, 400))
def test_scaled_boxes_are_inside_and_never_empty(data: st.DataObject, width: int, height: int, short: int) -> None:
    box = [data.draw(st.integers(-3, 420)) for _ in range(4)]
    stored = Variant(short).size(width, height)
    x_min, y_min, x_max, y_max = scaled(box, (width, height), stored)
    assert 0 <= x_min <= x_max < stored[0]
    assert 0 <= y_min <= y_max < stored[1]
    if stored == (width, height) and 0 <= box[0] <= box[2] < width and 0 <= box[1] <= box[3] < height:
        assert [x_min, y_min, x_max, y_max] == box
