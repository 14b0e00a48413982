"""Every format that is read, in every depth, colour model, polarity, transparency, orientation and kind of damage: each
picture is made here, and what is read of it compared with the samples it was made of and with a second decoder."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pillow_heif
import pytest
import tifffile
from PIL import Image, ImageOps

from conftest import encoded, photo
from encoders import Png, Samples, Tiff, bmp, packed
from holotype.images import Fingerprint, Rejection, decode, fingerprint_batch
from holotype.project import Project

HEIGHT, WIDTH = 24, 37
RGB16: Samples = np.asarray(photo(11, WIDTH, HEIGHT)).astype(np.uint16) * 256 + np.random.default_rng(1).integers(
    0, 256, (HEIGHT, WIDTH, 3)
).astype(np.uint16)
GREY16 = RGB16[:, :, :1]
ALPHA16 = np.ascontiguousarray(RGB16[::-1, ::-1, 1:2])
Picture = npt.NDArray[Any]


def depth(samples: Samples, bits: int) -> Samples:
    """The same picture in fewer bits."""
    return (samples >> (16 - bits)).astype(np.uint16)


def eight(samples: Picture, bits: int) -> Picture:
    """What samples of a depth mean in 8 bits: the largest is 255, whatever the largest in this picture is."""
    return np.asarray(samples.astype(float) * 255 / (2**bits - 1))


def on_white(colours: Picture, alpha: Picture) -> Picture:
    return np.asarray(colours * alpha + 255 * (1 - alpha))


def same(found: Picture, expected: Picture, within: float = 1.01) -> None:
    expected = np.asarray(expected, float)
    found = found if found.ndim == expected.ndim else found[:, :, None]
    if expected.ndim == 3 and expected.shape[2] == 1:
        expected = expected[:, :, 0]
        found = found[:, :, 0] if found.ndim == 3 else found
    assert found.shape == expected.shape
    assert np.abs(found.astype(float) - expected).max() <= within


def by_opencv(data: bytes) -> Picture:
    """OpenCV's opinion in 8 bits, grey or RGB, on white."""
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert found is not None
    top = 65535 if found.dtype == np.uint16 else 255
    found = found.astype(float) * 255 / top
    if found.ndim == 2:
        return found
    colours, alpha = found[:, :, 2::-1], found[:, :, 3:] / 255 if found.shape[2] == 4 else 1
    return on_white(colours, np.asarray(alpha))


def outcome(data: bytes) -> str:
    (row,) = fingerprint_batch([data])
    assert isinstance(row, Fingerprint) or row.detail
    return row.reason if isinstance(row, Rejection) else "kept"


# PNG

INTERLACED = pytest.mark.parametrize("interlaced", [False, True])


@INTERLACED
@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("dark", [False, True])
def test_png_grey(bits: int, interlaced: bool, dark: bool) -> None:
    """However dark a picture is, its scale is that of its depth."""
    samples = depth(GREY16, bits) // (2 if dark else 1)
    data = Png(bits, 0, interlaced).encode(samples)
    same(decode(data).pixels, eight(samples, bits))
    same(decode(data).pixels, by_opencv(data))


@INTERLACED
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("colour", [2, 4, 6])
def test_png_colour_and_alpha(bits: int, colour: int, interlaced: bool) -> None:
    colours = depth(GREY16 if colour == 4 else RGB16, bits)
    samples = colours if colour == 2 else np.concatenate((colours, depth(ALPHA16, bits)), axis=2)
    data = Png(bits, colour, interlaced).encode(samples)
    alpha = eight(depth(ALPHA16, bits), bits) / 255 if colour != 2 else np.array(1)
    expected = np.broadcast_to(on_white(eight(colours, bits), alpha), RGB16.shape)
    same(decode(data).pixels, expected, 2)
    same(decode(data).pixels, by_opencv(data) if colour != 4 else expected, 2)


@INTERLACED
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("transparent", [False, True])
def test_png_palette(bits: int, interlaced: bool, transparent: bool) -> None:
    samples = depth(GREY16, bits)
    palette = np.random.default_rng(bits).integers(0, 256, (2**bits, 3)).astype(np.uint8)
    alpha = np.random.default_rng(9).integers(0, 256, 2**bits - 1).astype(np.uint8)
    before = [(b"PLTE", palette.tobytes())] + ([(b"tRNS", alpha.tobytes())] if transparent else [])
    data = Png(bits, 3, interlaced, tuple(before)).encode(samples)
    clear = np.append(alpha, 255)[samples] / 255 if transparent else np.array(1)
    same(decode(data).pixels, on_white(palette[samples[:, :, 0]], clear), 1.5)
    same(decode(data).pixels, by_opencv(data), 1.5)


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_png_grey_with_a_transparent_shade(bits: int) -> None:
    samples = depth(GREY16, bits)
    for shade in np.unique(samples)[:20]:
        data = Png(bits, 0, before=((b"tRNS", int(shade).to_bytes(2, "big")),)).encode(samples)
        same(decode(data).pixels, np.where(samples == shade, 255, eight(samples, bits)))


@pytest.mark.parametrize("bits", [8, 16])
def test_png_colour_with_a_transparent_colour(bits: int) -> None:
    samples = depth(RGB16, bits).copy()
    colour = samples[3, 4].copy()
    samples[5, 6] = colour
    samples[7, 8] = colour ^ 1  # a neighbour is not transparent
    data = Png(bits, 2, before=((b"tRNS", colour.astype(">u2").tobytes()),)).encode(samples)
    expected = np.where((samples == colour).all(axis=2, keepdims=True), 255, eight(samples, bits))
    assert (expected[5, 6] == 255).all()
    assert not (expected[7, 8] == 255).all()
    same(decode(data).pixels, expected)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("colour", [0, 2])
def test_png_transparency_is_masked_to_the_depth(bits: int, colour: int) -> None:
    """As the specification says, and libpng does: a shade of 0x0105 is one of 5 where samples have 8 bits."""
    if colour == 2 and bits != 8:
        return
    samples = depth(RGB16 if colour else GREY16, bits)
    key = samples[3, 4]
    told, high = (b"".join(int(shade + more).to_bytes(2, "big") for shade in key) for more in (0, 0x0100))
    plain, masked = (Png(bits, colour, before=((b"tRNS", content),)).encode(samples) for content in (told, high))
    assert decode(masked).pixels[3, 4].min() == 255
    same(decode(masked).pixels, decode(plain).pixels, 0)
    same(decode(masked).pixels, np.where((samples == key).all(axis=2, keepdims=True), 255, eight(samples, bits)))


def test_png_transparency_behind_the_pixels_means_nothing() -> None:
    samples = depth(GREY16, 8)
    chunk = (b"tRNS", int(samples[3, 4, 0]).to_bytes(2, "big"))
    same(decode(Png(8, 0, after=(chunk,)).encode(samples)).pixels, samples, 0)


def as_netpbm(samples: Samples, bits: int) -> bytes:
    kind = b"P6" if samples.shape[2] == 3 else b"P5"
    return kind + b"\n%d %d %d\n" % (WIDTH, HEIGHT, 2**bits - 1) + samples.astype(">u2" if bits > 8 else "u1").tobytes()


def test_16_bits_become_8_in_one_way_whatever_the_colour_model_and_the_format() -> None:
    """The upper eight, as Pillow and libpng's png_set_strip_16 give them."""
    three = np.repeat(GREY16, 3, axis=2)
    opaque = np.full_like(GREY16, 65535)
    grey = [Png(16, 0).encode(GREY16), Png(16, 4).encode(np.concatenate((GREY16, opaque), 2))]
    grey += [Png(16, 2).encode(three), Png(16, 6).encode(np.concatenate((three, opaque), 2))]
    grey += [Png(16, 2, before=((b"tRNS", b"\1\2\3\4\5\6"),)).encode(three)]
    grey += [Tiff(1, 16).encode(GREY16), Tiff(0, 16).encode(65535 - GREY16), Tiff(2, 16, planar=True).encode(three)]
    grey += [Tiff(2, 16, ">", deflated=True).encode(three), as_netpbm(GREY16, 16), as_netpbm(three, 16)]
    for number, data in enumerate(grey):
        found = decode(data).pixels
        upper = np.repeat(GREY16 >> 8, 3, axis=2) if found.ndim == 3 else GREY16 >> 8
        assert (found == upper.reshape(found.shape)).all(), number


# TIFF

LAYOUTS = [
    {"order": order, "big": big} | how
    for order in "<>"
    for big in (False, True)
    for how in ({}, {"rows": 7}, {"rows": 7, "deflated": True}, {"tile": 16}, {"tile": 16, "deflated": True})
]


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("photometric", [0, 1])
@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_tiff_grey_of_either_polarity(bits: int, photometric: int, layout: dict[str, Any]) -> None:
    if layout.get("tile") and bits < 8:
        layout = layout | {"tile": 16}
    samples = depth(GREY16, bits)
    data = Tiff(photometric, bits, **layout).encode(samples)
    grey = eight(samples, bits)
    same(decode(data).pixels, 255 - grey if photometric == 0 else grey)
    if bits in (1, 8, 16):  # which tifffile reads by itself
        same(tifffile.imread(io.BytesIO(data)), samples, 0)


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("extra", [None, 0, 1, 2])
def test_tiff_colour(bits: int, extra: int | None, planar: bool, layout: dict[str, Any]) -> None:
    colours, alpha = depth(RGB16, bits), depth(ALPHA16, bits)
    clear = eight(alpha, bits) / 255
    expected = eight(colours, bits)
    if extra == 1:  # associated: colours are multiplied already
        colours = (colours * clear).astype(np.uint16)
    samples = colours if extra is None else np.concatenate((colours, alpha), axis=2)
    tags = {} if extra is None else {338: (3, (extra,))}
    data = Tiff(2, bits, planar=planar, tags=tags, **layout).encode(samples)
    read = tifffile.imread(io.BytesIO(data))
    same(np.moveaxis(read, 0, 2) if planar else read, samples, 0)
    if extra in (1, 2):
        expected = on_white(expected, clear)
    if planar and layout.get("tile") and not layout.get("deflated"):
        assert outcome(data) == "unsupported"
    else:
        same(decode(data).pixels, expected, 3)


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_tiff_palette(bits: int, layout: dict[str, Any]) -> None:
    samples = depth(GREY16, bits)
    palette = np.random.default_rng(bits).integers(0, 65536, (2**bits, 3)).astype(np.uint16)
    data = Tiff(3, bits, tags={320: (3, tuple(palette.T.ravel().tolist()))}, **layout).encode(samples)
    same(decode(data).pixels, eight(palette[samples[:, :, 0]], 16))


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("planar", [False, True])
def test_tiff_cmyk(bits: int, layout: dict[str, Any], planar: bool) -> None:
    samples = depth(np.concatenate((RGB16, ALPHA16), axis=2), bits)
    data = Tiff(5, bits, planar=planar, **layout).encode(samples)
    if planar and layout.get("tile") and not layout.get("deflated"):
        assert outcome(data) == "unsupported"
        return
    inks = eight(samples, bits)
    same(decode(data).pixels, (255 - inks[:, :, :3]) * (255 - inks[:, :, 3:]) / 255, 2)


@pytest.mark.parametrize("photometric", [1, 2])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("order", ["<", ">"])
def test_tiff_with_a_predictor(bits: int, photometric: int, order: str) -> None:
    samples = depth(GREY16 if photometric == 1 else RGB16, bits)
    data = Tiff(photometric, bits, order, deflated=True, predicted=True, rows=5).encode(samples)
    same(decode(data).pixels, eight(samples, bits))
    same(decode(data).pixels, by_opencv(data))


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_adobe_deflate", "tiff_deflate", "zstd", "raw"])
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_tiff_compressions(compression: str, mode: str) -> None:
    image = Image.fromarray(RGB16[:, :, 0]) if mode == "I;16" else photo(11, WIDTH, HEIGHT).convert(mode)
    data, plain = (encoded(image, "TIFF", compression=how) for how in (compression, "raw"))
    if compression == "zstd":
        assert outcome(data) == "unsupported"
    else:
        same(decode(data).pixels, decode(plain).pixels, 0)


@pytest.mark.parametrize("compression", ["tiff_ccitt", "group3", "group4"])
@pytest.mark.parametrize("photometric", [0, 1])
def test_tiff_faxes(compression: str, photometric: int) -> None:
    image = photo(11, WIDTH, HEIGHT).convert("1")
    data = encoded(image, "TIFF", compression=compression, tiffinfo={262: photometric})
    with Image.open(io.BytesIO(data)) as other:
        same(decode(data).pixels, np.asarray(other.convert("L")), 0)
    same(decode(data).pixels, by_opencv(data), 0)


def test_tiff_palette_of_8_bits() -> None:
    """Against the specification, and understood by libtiff; by Pillow it is black."""
    samples = depth(GREY16, 8)
    palette = np.random.default_rng(5).integers(0, 256, (3, 256))
    data = Tiff(3, 8, tags={320: (3, tuple(palette.ravel().tolist()))}).encode(samples)
    same(decode(data).pixels, palette[:, samples[:, :, 0]].transpose(1, 2, 0), 0)
    other = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert other is not None
    same(decode(data).pixels, other[:, :, ::-1], 0)


@pytest.mark.parametrize("order", ["<", ">"])
def test_tiff_grey_that_is_multiplied_by_its_opacity(order: str) -> None:
    grey, alpha = depth(GREY16, 8), depth(ALPHA16, 8)
    multiplied = np.round(grey * (alpha / 255)).astype(np.uint16)
    found, plain = (
        decode(Tiff(1, 8, order, tags={338: (3, (kind,))}).encode(np.concatenate((colours, alpha), axis=2))).pixels
        for kind, colours in ((1, multiplied), (2, grey))
    )
    same(found, np.broadcast_to(on_white(grey, alpha / 255), found.shape), 2)
    same(found, plain, 2)


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_adobe_deflate", "tiff_deflate"])
def test_tiff_whose_bits_lie_the_other_way_round(compression: str) -> None:
    """Those of the compressed bytes, as libtiff has it."""
    image = photo(11, WIDTH, HEIGHT).convert("1")
    data = encoded(image, "TIFF", compression=compression, tiffinfo={266: 2})
    same(decode(data).pixels, np.asarray(image.convert("L")), 0)
    same(decode(data).pixels, by_opencv(data), 0)


def test_tiff_palette_whose_bits_lie_the_other_way_round_is_unsupported() -> None:
    data = Tiff(3, 1, tags={266: (3, (2,)), 320: (3, (0, 65535) * 3)}).encode(depth(GREY16, 1))
    assert outcome(data) == "unsupported"


FAXES: list[tuple[str, int]] = [  # and T.4's options: each row by itself or not, filled up to whole bytes or not
    *(("tiff_ccitt", 0), ("group3", 0), ("group3", 1), ("group3", 4), ("group3", 5), ("group4", 0))
]


def stripes() -> Image.Image:
    """Black and white runs of every length up to 64, and of many beyond."""
    rows = np.zeros((140, 5300), bool)
    for number, row in enumerate(rows):
        run = number if number < 70 else 64 * (number - 69) % 2600 + number
        row[run : 2 * run] = True
    return Image.fromarray(np.concatenate((rows, ~rows)))


@pytest.mark.parametrize(("compression", "options"), FAXES)
@pytest.mark.parametrize("fill_order", [1, 2])
@pytest.mark.parametrize("strip_size", [300, 1 << 20])
def test_sound_faxes_of_every_kind_are_kept(compression: str, options: int, fill_order: int, strip_size: int) -> None:
    noise = Image.fromarray(np.random.default_rng(2).random((30, 97)) < 0.3)
    for image in (photo(11, WIDTH, HEIGHT).convert("1"), stripes(), noise, Image.new("1", (1728, 9), 1)):
        told = {292: options, 266: fill_order} if compression == "group3" else {266: fill_order}
        data = encoded(image, "TIFF", compression=compression, tiffinfo=told, strip_size=strip_size)
        assert (decode(data).pixels == np.asarray(image.convert("L"))).all()


@pytest.mark.parametrize(("compression", "options"), FAXES)
def test_a_fax_that_lacks_rows_is_never_kept(compression: str, options: int, capfd: pytest.CaptureFixture[str]) -> None:
    """libtiff leaves white what is missing, and passes over what is wrong."""
    image = photo(11, 96, 64).convert("1")
    told = {292: options} if compression == "group3" else {}
    data = encoded(image, "TIFF", compression=compression, tiffinfo=told, strip_size=1 << 20)
    start, size, told_at = strip_of(data)
    for end in range(1, size - 12, 7):
        short = data[:told_at] + end.to_bytes(2, "little") + data[told_at + 2 :]
        assert outcome(short) == "truncated", end
        zeroed = data[: start + end] + bytes(size - end) + data[start + size :]
        assert outcome(zeroed) in ("truncated", "damaged"), end
    for at in range(0, size - 40, 11):
        assert outcome(data[: start + at] + bytes(20) + data[start + at + 20 :]) in ("truncated", "damaged"), at
    assert capfd.readouterr().err == ""


def strip_of(data: bytes) -> tuple[int, int, int]:
    """Where the one strip of a TIFF begins, how many bytes it has, and where that is told."""
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages[0]
        assert isinstance(page, tifffile.TiffPage)
        return page.dataoffsets[0], page.databytecounts[0], page.tags[279].valueoffset


@pytest.mark.parametrize("mode", ["L", "RGB", "YCbCr"])
def test_tiff_holding_jpeg(mode: str) -> None:
    image = photo(11, 160, 120)
    data = encoded(image.convert(mode), "TIFF", compression="jpeg", quality=95)
    same(decode(data).pixels, np.asarray(image.convert("L") if mode == "L" else image), 30)
    assert np.abs(decode(data).pixels - by_opencv(data)).mean() < 2


def test_tiff_uncompressed_ycbcr() -> None:
    image = photo(11, WIDTH, HEIGHT)
    samples = np.asarray(image.convert("YCbCr")).astype(np.uint16)
    same(decode(Tiff(6, tags={530: (3, (1, 1))}).encode(samples)).pixels, np.asarray(image), 3)
    assert outcome(Tiff(6).encode(samples)) == "unsupported"


FLOATS = RGB16.astype(np.float32) / 65535
UNSUPPORTED = {
    "grey of 32-bit floats": Tiff(1, 32, tags={339: (3, (3,))}).encode(FLOATS[:, :, :1]),
    "colour of 32-bit floats": Tiff(2, 32, tags={339: (3, (3, 3, 3))}).encode(FLOATS),
    "grey of 64-bit floats": Tiff(1, 64, tags={339: (3, (3,))}).encode(FLOATS[:, :, :1].astype(np.float64)),
    "signed grey": Tiff(1, 16, tags={339: (3, (2,))}).encode(GREY16),
    "five samples": Tiff(2, 8, tags={338: (3, (0, 0))}).encode(depth(np.tile(GREY16, 5), 8)),
    "two samples of no meaning": Tiff(1, 8).encode(depth(np.tile(GREY16, 2), 8)),
    "Lab": Tiff(8, 8).encode(depth(RGB16, 8)),
    "inks of other colours": Tiff(5, 8, tags={332: (3, (2,))}).encode(depth(np.tile(GREY16, 4), 8)),
    "a camera's raw": Tiff(2, 8, tags={50706: (1, (1, 4, 0, 0))}).encode(depth(RGB16, 8)),
    "bits the other way round": Tiff(1, 8, tags={266: (3, (2,))}).encode(depth(GREY16, 8)),
    "samples of several depths": Tiff(2, 8, tags={258: (3, (8, 8, 16))}).encode(depth(RGB16, 8)),
    "no photometric interpretation": Tiff(2, 8, tags={262: None}).encode(depth(RGB16, 8)),
    "PFM": b"Pf\n4 4\n-1.0\n" + bytes(64),
    "PFM in colour": b"PF\n4 4\n-1.0\n" + bytes(192),
    "BMP holding a JPEG": bmp(b"\xff\xd8\xff", (8, 8), 24, compression=4),
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_what_is_sound_but_not_known_to_be_read_right_is_unsupported(name: str) -> None:
    assert outcome(UNSUPPORTED[name]) == "unsupported"


# JPEG

SAMPLINGS = ["4:4:4", "4:2:2", "4:2:0"]


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_jpeg(mode: str, sampling: str, progressive: bool) -> None:
    image = photo(11, 160, 120).convert(mode)
    data = encoded(image, quality=95, subsampling=sampling, progressive=progressive)
    assert np.abs(decode(data).pixels.astype(float) - by_opencv(data)).mean() < 1
    assert np.abs(decode(data).pixels.astype(float) - np.asarray(image)).mean() < 6


def without_adobe(data: bytes) -> bytes:
    start = data.index(b"\xff\xeeetAdobe".replace(b"et", b"\0\x0e"))
    return data[:start] + data[start + 16 :]


@pytest.mark.parametrize("adobe", [False, True])
def test_jpeg_inks_are_stored_upside_down_as_everybody_does(adobe: bool) -> None:
    image = photo(11, 160, 120).convert("CMYK")
    data = encoded(image, quality=95)
    data = data if adobe else without_adobe(data)
    other = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert other is not None
    assert np.abs(decode(data).pixels.astype(float) - other[:, :, ::-1]).mean() < 2
    assert np.abs(decode(data).pixels.astype(float) - np.asarray(image.convert("RGB"))).mean() < 4


def test_jpeg_of_ycck() -> None:
    """The fourth transform of Adobe's: inks told by YCC and black."""
    colours = np.asarray(ImageOps.invert(photo(11, 160, 120)).convert("YCbCr"))
    ycck = np.concatenate((colours, np.full((120, 160, 1), 255, np.uint8)), axis=2)
    data = bytearray(encoded(Image.fromarray(255 - ycck, "CMYK"), quality=97))
    data[data.index(b"Adobe") + 11] = 2
    assert decode(bytes(data)).mode == "CMYK"
    other = cv2.imdecode(np.frombuffer(bytes(data), np.uint8), cv2.IMREAD_COLOR)
    assert other is not None
    assert np.abs(decode(bytes(data)).pixels.astype(float) - other[:, :, ::-1]).mean() < 2
    assert np.abs(decode(bytes(data)).pixels.astype(float) - np.asarray(photo(11, 160, 120))).mean() < 4


def test_jpeg_of_rgb() -> None:
    data = encoded(photo(11, 160, 120), quality=95, keep_rgb=True)
    assert np.abs(decode(data).pixels.astype(float) - np.asarray(photo(11, 160, 120))).mean() < 3


# GIF, WebP, BMP, netpbm


@pytest.mark.parametrize("interlace", [0, 1])
@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_gif(mode: str, interlace: int) -> None:
    image = photo(11, WIDTH, HEIGHT).quantize(64) if mode == "P" else photo(11, WIDTH, HEIGHT).convert(mode)
    data = encoded(image, "GIF", interlace=interlace)
    found = decode(data).pixels
    same(found if found.ndim == 3 else np.stack([found] * 3, 2), np.asarray(image.convert("RGB")), 0)
    same(found if found.ndim == 3 else np.stack([found] * 3, 2), by_opencv(data), 0)


@pytest.mark.parametrize("transparent", [False, True])
def test_gif_whose_first_frame_is_a_part_of_its_canvas(transparent: bool) -> None:
    """What it leaves bare is transparent, hence white, as where the file tells a transparent colour."""
    image = photo(11, WIDTH, HEIGHT).quantize(64)
    data = bytearray(encoded(image, "GIF", **({"transparency": 200} if transparent else {})))
    data[6:10] = (WIDTH + 10).to_bytes(2, "little") + (HEIGHT + 6).to_bytes(2, "little")
    start = data.index(b"\x2c\0\0\0\0" + WIDTH.to_bytes(2, "little"))
    data[start + 1 : start + 5] = (7).to_bytes(2, "little") + (4).to_bytes(2, "little")
    expected = np.full((HEIGHT + 6, WIDTH + 10, 3), 255, np.uint8)
    expected[4 : 4 + HEIGHT, 7 : 7 + WIDTH] = np.asarray(image.convert("RGB"))
    same(decode(bytes(data)).pixels, expected, 0)


@pytest.mark.parametrize("alpha", [False, True])
def test_webp_whose_first_frame_is_a_part_of_its_canvas(alpha: bool) -> None:
    frames = [photo(number, 64, 48).convert("RGBA" if alpha else "RGB") for number in (3, 4)]
    data = bytearray(encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True))
    canvas, frame = data.index(b"VP8X") + 8, data.index(b"ANMF") + 8
    data[canvas] |= 0x10 if alpha else 0
    data[canvas + 4 : canvas + 10] = (99).to_bytes(3, "little") + (79).to_bytes(3, "little")
    data[frame : frame + 6] = (4).to_bytes(3, "little") + (3).to_bytes(3, "little")
    expected = np.full((80, 100, 3), 255, np.uint8)
    expected[6:54, 8:72] = np.asarray(photo(3, 64, 48))
    same(decode(bytes(data)).pixels, expected, 0)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("lossless", [False, True])
def test_webp(mode: str, lossless: bool) -> None:
    image = photo(11, WIDTH, HEIGHT)
    alpha = Image.fromarray(depth(ALPHA16[:, :, 0], 8).astype(np.uint8))
    if mode == "RGBA":
        image.putalpha(alpha)
    data = encoded(image, "WEBP", lossless=lossless, quality=95, exact=True)
    clear = np.asarray(alpha)[:, :, None] / 255 if mode == "RGBA" else np.array(1)
    difference = decode(data).pixels - on_white(np.asarray(image)[:, :, :3], clear)
    assert np.abs(difference).mean() < (0.6 if lossless else 16)
    assert np.abs(decode(data).pixels - by_opencv(data)).mean() < 1


def bmp_rows(samples: Samples, bits: int) -> bytes:
    """Blue first, each row filled up to four bytes."""
    rows = packed(samples[:, :, ::-1].reshape(len(samples), -1), bits, "<")
    width = len(rows) // len(samples)
    return b"".join(rows[at : at + width] + bytes(-width % 4) for at in range(0, len(rows), width))


@pytest.mark.parametrize("down", [False, True])
def test_bmp_of_24_bits(down: bool) -> None:
    samples = depth(RGB16, 8)
    data = bmp(bmp_rows(samples if down else samples[::-1], 8), (WIDTH, -HEIGHT if down else HEIGHT), 24)
    same(decode(data).pixels, samples, 0)
    same(decode(data).pixels, by_opencv(data), 0)


@pytest.mark.parametrize("bits", [1, 4, 8])
@pytest.mark.parametrize("grey", [False, True])
def test_bmp_with_a_palette(bits: int, grey: bool) -> None:
    samples = depth(GREY16, bits)
    palette = np.random.default_rng(bits).integers(0, 256, (2**bits, 4)).astype(np.uint8)
    if grey:
        palette[:] = np.linspace(0, 255, 2**bits).astype(np.uint8)[:, None]
    palette[:, 3] = 0
    data = bmp(bmp_rows(samples[::-1], bits), (WIDTH, HEIGHT), bits, extra=palette.tobytes())
    found = decode(data).pixels
    same(found if found.ndim == 3 else np.stack([found] * 3, 2), palette[samples[:, :, 0]][:, :, 2::-1], 0)
    other = by_opencv(data)
    same(found if found.ndim == 3 else np.stack([found] * 3, 2), other if other.ndim == 3 else np.stack([other] * 3, 2))


@pytest.mark.parametrize("green", [5, 6])
def test_bmp_of_16_bits(green: int) -> None:
    red, blue = RGB16[:, :, 0] >> 11, RGB16[:, :, 2] >> 11
    middle = RGB16[:, :, 1] >> (16 - green)
    pixels = (red << (5 + green) | middle << 5 | blue)[::-1, :, None].astype(np.uint16)
    masks = np.array([31 << (5 + green), (2**green - 1) << 5, 31], "<u4").tobytes()
    told: dict[str, Any] = {"extra": masks, "compression": 3} if green == 6 else {}
    data = bmp(bmp_rows(pixels, 16), (WIDTH, HEIGHT), 16, **told)
    expected = np.stack([eight(red, 5), eight(middle, green), eight(blue, 5)], axis=2)
    same(decode(data).pixels, expected)


@pytest.mark.parametrize("bits", [1, 4, 8])
@pytest.mark.parametrize("colours", [1, 2, 4, 16, 200])
@pytest.mark.parametrize("shades", ["ramp", "index"])
def test_bmp_with_few_grey_colours(bits: int, colours: int, shades: str) -> None:
    """Pillow takes a black and white palette for one bit a pixel, and one whose shades are their numbers for eight."""
    colours = min(colours, 2**bits)
    samples = (GREY16.astype(int) * colours >> 16).astype(np.uint16)
    ramp = np.linspace(0, 255, colours) if shades == "ramp" else np.arange(colours)
    palette = np.repeat(ramp.astype(np.uint8)[:, None], 4, axis=1)
    rows = bmp_rows(samples[::-1], bits)
    header = np.zeros(10, "<u4")
    header[:4], header[8] = (40, WIDTH, HEIGHT, 1 | bits << 16), colours
    data = bmp(rows, (WIDTH, HEIGHT), bits, header=header.tobytes(), extra=palette.tobytes())
    found = decode(data).pixels
    same(found.reshape(HEIGHT, WIDTH, -1)[:, :, :1], palette[samples[:, :, 0]][:, :, :1], 0)
    other = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert other is not None
    same(found.reshape(HEIGHT, WIDTH, -1)[:, :, :1], other[:, :, :1], 0)


def run_lengths(samples: Samples, bits: int) -> bytes:
    """Rows as runs and, every third time, as pixels one by one."""
    found, turn = b"", 0
    for row in samples[::-1, :, 0].tolist():
        start = 0
        while start < len(row):
            turn += 1
            if turn % 3 == 0 and len(row) - start >= 3:
                alone = row[start : start + 3 + turn % 7]
                start += len(alone)
                packed = (
                    bytes(alone)
                    if bits == 8
                    else bytes.fromhex("".join(f"{one:x}" for one in alone) + "0" * (len(alone) % 2))
                )
                found += bytes((0, len(alone))) + packed + bytes(len(packed) % 2)
                continue
            end = next((at for at in range(start, len(row)) if row[at] != row[start]), len(row))
            found += bytes((end - start, row[start] * (17 if bits == 4 else 1)))
            start = end
        found += b"\0\0"
    return found + b"\0\1"


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("odd", [False, True])
def test_bmp_of_run_lengths(bits: int, odd: bool) -> None:
    """Also where the rows begin at an odd byte, and Pillow looks for pixels one byte too late."""
    samples = depth(GREY16, bits).copy()
    samples[5:9, 3:30] = 7
    palette = np.random.default_rng(bits).integers(0, 256, (2**bits, 4)).astype(np.uint8)
    rolled, front = run_lengths(samples, bits), palette.tobytes() + bytes(odd)
    data = bmp(rolled, (WIDTH, HEIGHT), bits, extra=front, compression=1 if bits == 8 else 2)
    same(decode(data).pixels, palette[samples[:, :, 0]][:, :, 2::-1], 0)
    same(decode(data).pixels, by_opencv(data), 0)
    same(decode(data[:-4]).pixels, by_opencv(data), 0)  # all pixels are there
    for end in range(len(data) - len(rolled), len(data) - 4, 3):
        assert outcome(data[:end]) == "truncated"


@pytest.mark.parametrize("bits", [4, 8])
def test_bmp_of_run_lengths_that_leave_pixels_out(bits: int) -> None:
    """A line that ends early, a step to the right and up, an end before the last row leave the first colour."""
    palette = np.random.default_rng(bits).integers(0, 256, (2**bits, 4)).astype(np.uint8)
    rolled = b"\x05\x11\0\0" + b"\x03\x22\0\2\4\3\x02\x33\0\0" + b"\x01\x44\0\1"
    data = bmp(rolled, (WIDTH, HEIGHT), bits, extra=palette.tobytes(), compression=1 if bits == 8 else 2)
    numbers = np.zeros((HEIGHT, WIDTH), int)
    one, two, three, four = (1, 2, 3, 4) if bits == 4 else (0x11, 0x22, 0x33, 0x44)
    numbers[-1, :5], numbers[-2, :3], numbers[-5, 7:9], numbers[-6, 0] = one, two, three, four
    same(decode(data).pixels, palette[numbers][:, :, 2::-1], 0)


@pytest.mark.parametrize(
    ("bits", "masks"),
    [(16, (0xF00, 0xF0, 0xF)), (32, (0x3FF00000, 0xFFC00, 0x3FF)), (32, (0, 0, 0)), (16, (0x1F, 0x7E0, 0xF800))],
)
def test_bmp_of_masks_that_are_not_known_is_unsupported(bits: int, masks: tuple[int, int, int]) -> None:
    rows = bytes((WIDTH * bits + 31) // 32 * 4 * HEIGHT)
    extra = np.array(masks, "<u4").tobytes()
    assert outcome(bmp(rows, (WIDTH, HEIGHT), bits, extra=extra, compression=3)) == "unsupported"


@pytest.mark.parametrize("alpha", [False, True])
def test_bmp_of_32_bits(alpha: bool) -> None:
    """The fourth byte is nothing unless a mask says that it is transparency."""
    colours, clear = depth(RGB16, 8), depth(ALPHA16, 8)
    pixels = np.concatenate((clear, colours), axis=2)  # last when turned round
    header = np.zeros(31, "<u4")
    header[:4] = 124, WIDTH, HEIGHT, 1 | 32 << 16
    header[4], header[10:14] = 3, (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    rows = bmp_rows(pixels[::-1], 8)
    data = bmp(rows, (WIDTH, HEIGHT), 32, header=header.tobytes() if alpha else b"")
    expected = on_white(colours, eight(clear, 8) / 255) if alpha else colours
    same(decode(data).pixels, expected)


@pytest.mark.parametrize("maximum", [1, 3, 100, 255, 256, 1023, 4095, 65535])
@pytest.mark.parametrize("kind", ["P2", "P3", "P5", "P6"])
def test_netpbm_is_scaled_by_its_maximum(kind: str, maximum: int) -> None:
    full = RGB16 if kind in ("P3", "P6") else GREY16
    samples = (full.astype(np.int64) * maximum // 65535 // 2).astype(np.uint16)
    head = f"{kind}\n# a picture\n{WIDTH} {HEIGHT}\n{maximum}\n".encode()
    raw = samples.astype(">u2" if maximum > 255 else "u1").tobytes()
    text = " ".join(map(str, samples.ravel().tolist())).encode() + b"\n"
    data = head + (text if kind in ("P2", "P3") else raw)
    same(decode(data).pixels, samples * (255 / maximum), 0.51 if maximum < 256 else 1)
    assert outcome(data[: len(data) - 8]) == "truncated"
    assert outcome(data[:9]) == "truncated"


@pytest.mark.parametrize("head", ["P5 37 24 255", "P6 37 24 255", "P4 37 24"])
@pytest.mark.parametrize("between", ["#", "# of\n", "x"])
def test_netpbm_whose_pixels_begin_nobody_knows_where_is_not_kept(head: str, between: str) -> None:
    """Netpbm takes a comment there for a comment, OpenCV for pixels, and Pillow refuses it."""
    pixels = bytes(3 * WIDTH * HEIGHT)
    assert outcome(head.encode() + b"\n" + pixels) == "kept"
    assert outcome(head.encode() + between.encode() + pixels) == "damaged"


@pytest.mark.parametrize("kind", ["P1", "P4"])
def test_netpbm_bitmaps_are_black_where_they_are_set(kind: str) -> None:
    samples = depth(GREY16, 1)
    head = f"{kind} {WIDTH} {HEIGHT}\n".encode()
    rows = samples[:, :, 0]
    data = head + (packed(rows, 1) if kind == "P4" else "\n".join("".join(map(str, row)) for row in rows).encode())
    same(decode(data).pixels, 255 - eight(samples, 1), 0)
    same(decode(data).pixels, by_opencv(data), 0)
    assert outcome(data[:-2]) == "truncated"


# JPEG 2000, AVIF, HEIC


@pytest.mark.parametrize("kind", ["L", "LA", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize("boxed", [True, False])
def test_jpeg_2000(kind: str, boxed: bool) -> None:
    image = Image.fromarray(RGB16[:, :, 0]) if kind == "I;16" else photo(11, WIDTH, HEIGHT).convert(kind)
    if kind.endswith("A"):
        image.putalpha(Image.fromarray(depth(ALPHA16[:, :, 0], 8).astype(np.uint8)))
    data = encoded(image, "JPEG2000", no_jp2=not boxed)
    if kind == "I;16":
        expected = eight(RGB16[:, :, 0], 16)
    else:
        layer = np.asarray(image.convert("RGBA")).astype(float)
        expected = on_white(layer[:, :, :3], layer[:, :, 3:] / 255)
        expected = expected[:, :, 0] if kind == "L" else expected
    same(decode(data).pixels, expected, 1.5)


@pytest.mark.parametrize("bits", [9, 10, 12, 16])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_jpeg_2000_of_many_bits(mode: str, bits: int) -> None:
    """Samples of 8 bits in a file that is told to have more: they lie about the middle of what is possible then."""
    image = photo(11, WIDTH, HEIGHT).convert(mode)
    data = bytearray(encoded(image, "JPEG2000", no_jp2=True))
    for component in range(len(mode)):
        assert data[42 + 3 * component] == 7
        data[42 + 3 * component] = bits - 1
    samples = np.asarray(image).astype(float) - 128 + 2 ** (bits - 1)
    same(decode(bytes(data)).pixels, eight(samples, bits), 1.5)


@pytest.mark.parametrize("bits", [1, 2, 4, 7])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_jpeg_2000_of_few_bits(mode: str, bits: int) -> None:
    """White is white in any depth; OpenJPEG's callers shift samples up, which leaves it grey."""
    image = photo(11, WIDTH, HEIGHT).convert(mode)
    samples = np.asarray(image) >> (8 - bits)
    middle = Image.fromarray((samples.astype(int) - 2 ** (bits - 1) + 128).astype(np.uint8))
    data = bytearray(encoded(middle, "JPEG2000", no_jp2=True))
    for component in range(len(mode)):
        assert data[42 + 3 * component] == 7
        data[42 + 3 * component] = bits - 1
    same(decode(bytes(data)).pixels, eight(samples[:, :, :3] if mode == "RGBA" else samples, bits), 1.5)


def box(kind: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + kind + content


def with_header(data: bytes, channels: int, *more: bytes) -> bytes:
    """A JPEG 2000 file with other boxes in its header."""
    size = HEIGHT.to_bytes(4, "big") + WIDTH.to_bytes(4, "big") + channels.to_bytes(2, "big") + b"\7\7\0\0"
    header = box(b"ihdr", size) + box(b"colr", b"\1\0\0\0\0\0\x10") + b"".join(more)
    return data[: data.index(b"jp2h") - 4] + box(b"jp2h", header) + data[data.index(b"jp2c") - 4 :]


def channels_of(*told: tuple[int, int, int]) -> bytes:
    return box(b"cdef", len(told).to_bytes(2, "big") + np.array(told, ">u2").tobytes())


def test_jpeg_2000_whose_channels_lie_in_another_order_is_unsupported() -> None:
    """Blue first, or colours that are multiplied by their opacity: Pillow would read them as any other."""
    three, four = (encoded(photo(11, WIDTH, HEIGHT).convert(mode), "JPEG2000", mct=0) for mode in ("RGB", "RGBA"))
    red, green, blue = (0, 0, 1), (1, 0, 2), (2, 0, 3)
    same(decode(with_header(three, 3, channels_of(red, green, blue))).pixels, np.asarray(photo(11, WIDTH, HEIGHT)), 0)
    same(decode(with_header(four, 4, channels_of((3, 1, 0), red, green, blue))).pixels, decode(three).pixels, 0)
    assert outcome(with_header(three, 3, channels_of((0, 0, 3), (1, 0, 2), (2, 0, 1)))) == "unsupported"
    assert outcome(with_header(four, 4, channels_of(red, green, blue, (3, 2, 0)))) == "unsupported"
    assert outcome(with_header(four, 4, channels_of((0, 1, 0), (1, 0, 1), (2, 0, 2), (3, 0, 3)))) == "unsupported"


def test_jpeg_2000_with_a_palette() -> None:
    palette = np.random.default_rng(4).integers(0, 256, (256, 3)).astype(np.uint8)
    grey = photo(11, WIDTH, HEIGHT).convert("L")
    colours = box(b"pclr", b"\1\0\3\7\7\7" + palette.tobytes())
    straight, turned = (
        with_header(encoded(grey, "JPEG2000"), 1, colours, box(b"cmap", b"".join(b"\0\0\1%c" % one for one in order)))
        for order in ((0, 1, 2), (2, 1, 0))
    )
    same(decode(straight).pixels, palette[np.asarray(grey)], 0)
    other = cv2.imdecode(np.frombuffer(straight, np.uint8), cv2.IMREAD_COLOR)
    assert other is not None
    same(decode(straight).pixels, other[:, :, ::-1], 0)
    assert outcome(turned) == "unsupported"


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("kind", ["AVIF", "HEIF"])
def test_avif_and_heic(kind: str, mode: str) -> None:
    pillow_heif.register_heif_opener()
    image = photo(11, 64, 48).convert(mode)
    if mode == "RGBA":
        image.putalpha(photo(12, 64, 48).convert("L"))
    data = encoded(image, kind, quality=95)
    layer = np.asarray(image.convert("RGBA")).astype(float)
    expected = on_white(layer[:, :, :3], layer[:, :, 3:] / 255)
    found = decode(data)
    assert found.format == kind
    pixels = found.pixels if found.pixels.ndim == 3 else np.stack([found.pixels] * 3, 2)
    assert np.abs(pixels - expected).mean() < 10


# Which way up, what is cut, what is damaged, which frame

PLAIN = photo(7, 64, 48)
KINDS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95},
    "PNG": {},
    "GIF": {},
    "WEBP": {"lossless": True},
    "BMP": {},
    "TIFF": {},
    "PPM": {},
    "JPEG2000": {},
    "AVIF": {"quality": 95},
    "HEIF": {"quality": 95},
}
ANIMATED = ("PNG", "GIF", "WEBP", "TIFF", "AVIF", "HEIF")
WITHIN = {kind: 12 if kind in ("JPEG", "GIF", "AVIF", "HEIF") else 0.01 for kind in KINDS}
"""How far the lossy ones are off on average, on a picture whose colours change from pixel to pixel."""


@pytest.fixture(scope="module")
def pictures() -> dict[str, bytes]:
    """The same picture in every format, by its name."""
    pillow_heif.register_heif_opener()
    return {kind: encoded(PLAIN, kind, **options) for kind, options in KINDS.items()}


@pytest.fixture(scope="module")
def animations() -> dict[str, bytes]:
    """Three pictures in every format that holds several, the first of them `PLAIN`."""
    pillow_heif.register_heif_opener()
    more = {"save_all": True, "append_images": [photo(8, 64, 48), photo(9, 64, 48)]}
    return {
        kind: encoded(PLAIN, kind, **KINDS[kind], **more) for kind in ("PNG", "GIF", "WEBP", "TIFF", "AVIF", "HEIF")
    }


def near(found: Picture, expected: Picture, within: float = 10) -> bool:
    return found.shape == expected.shape and bool(np.abs(found.astype(float) - expected).mean() < within)


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_is_read(kind: str, pictures: dict[str, bytes]) -> None:
    found = decode(pictures[kind])
    assert found.format == kind
    assert near(found.pixels, np.asarray(PLAIN), WITHIN[kind])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_every_format_that_says_how_it_lies_is_turned_upright(kind: str, orientation: int) -> None:
    pillow_heif.register_heif_opener()
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(PLAIN, kind, exif=exif.tobytes(), **KINDS[kind])
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
    upright = PLAIN if orientation == 1 else PLAIN.transpose(Image.Transpose(turns[orientation]))
    found = decode(data)
    assert near(found.pixels, np.asarray(upright))
    assert found.orientation == (1 if kind == "HEIF" else orientation)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_cut_is_truncated_wherever_it_is_cut(kind: str, pictures: dict[str, bytes]) -> None:
    """Behind the first bytes that tell what it is, up to where the picture ends: what follows that does not matter."""
    data = pictures[kind]
    for length in {*range(16, len(data), len(data) // 40), len(data) - 14, len(data) // 2}:
        if (said := outcome(data[:length])) == "kept":
            assert length > 0.9 * len(data)
            assert (decode(data[:length]).pixels == decode(data).pixels).all()
        else:
            assert said == "truncated", length


@pytest.mark.parametrize("kind", KINDS)
def test_what_follows_a_picture_does_not_matter(kind: str, pictures: dict[str, bytes]) -> None:
    for more in (bytes(100), b"text" * 30, pictures["JPEG"]):
        assert (decode(pictures[kind] + more).pixels == decode(pictures[kind]).pixels).all()


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_where_there_are_checksums_no_changed_byte_of_the_pixels_is_missed(kind: str) -> None:
    if kind == "PNG":
        data = encoded(PLAIN, kind)
        start, end = data.index(b"IDAT"), data.index(b"IEND") - 8
    else:
        data = Tiff(2, deflated=True, rows=16).encode(depth(RGB16, 8))
        start, end = 8, len(data) - 200
    for position in range(start, end, 37):
        changed = data[:position] + bytes([data[position] ^ 4]) + data[position + 1 :]
        assert outcome(changed) != "kept", position


@pytest.mark.parametrize("kind", ANIMATED)
def test_the_first_frame_is_the_image_and_what_follows_does_not_matter(kind: str, animations: dict[str, bytes]) -> None:
    """The same in every format: cut or damaged behind the first frame it is kept, before that it is truncated."""
    data = animations[kind]
    whole = decode(data).pixels
    assert near(whole, np.asarray(PLAIN), WITHIN[kind])
    said = {length: outcome(data[:length]) for length in range(len(data) // 20, len(data), len(data) // 40)}
    kept = [length for length, what in said.items() if what == "kept"]
    assert set(said.values()) == {"kept", "truncated"}
    assert min(kept) < 0.6 * len(data)
    assert kept == [length for length in said if length >= min(kept)]
    for length in (min(kept), max(kept)):
        assert (decode(data[:length]).pixels == whole).all()
        assert (decode(data[:length] + bytes(len(data) - length)).pixels == whole).all()


def test_a_small_file_that_says_it_is_huge_is_refused_by_that(
    animations: dict[str, bytes],
) -> None:
    """An animation whose canvas has 71 million pixels, of which its first frame fills a few."""
    gif, webp = bytearray(animations["GIF"]), bytearray(animations["WEBP"])
    gif[6:10] = (8000).to_bytes(2, "little") + (9000).to_bytes(2, "little")
    webp[24:30] = (8000).to_bytes(3, "little") + (9000).to_bytes(3, "little")
    for data in (gif[:1500], webp[:1500]):
        assert outcome(bytes(data)) == "too_large"
    white = Image.new("L", (9000, 8000), "white")
    assert outcome(encoded(white, "PNG")) == outcome(encoded(white, "JPEG")) == "kept"


def test_heic_without_the_extra_is_unsupported_and_says_what_to_do(
    pictures: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pillow_heif", "pillow_heif.as_plugin"):
        monkeypatch.setitem(sys.modules, name, None)
    (row,) = fingerprint_batch([pictures["HEIF"]])
    assert isinstance(row, Rejection)
    assert (row.reason, row.detail) == ("unsupported", "HEIC needs an extra: pip install 'holotype[heif]'")
    assert outcome(pictures["AVIF"]) == "kept"


def test_what_an_extra_would_read_is_asked_again(
    pictures: dict[str, bytes], tmp_path: Path, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.heic").write_bytes(pictures["HEIF"])
    (tmp_path / "in/b.tif").write_bytes(UNSUPPORTED["Lab"])
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "pillow_heif.as_plugin", None)
        assert project.images.ingest(tmp_path / "in").rejected == {"unsupported": 2}
    report = project.images.ingest(tmp_path / "in")
    assert (report.kept, report.unchanged) == (1, 1)


@pytest.mark.parametrize("mode", ["L;16", "RGB;10", "RGB;12"])
def test_heic_of_many_bits(mode: str) -> None:
    grey, bits = mode[0] == "L", int(mode[-2:])
    image = photo(7, 64, 48).convert("L" if grey else "RGB")
    samples = np.round(np.asarray(image) / 255 * (2**bits - 1)).astype(np.uint16)
    data = io.BytesIO()
    pillow_heif.encode(mode, (64, 48), samples.tobytes(), data, quality=100, chroma="444")
    assert near(decode(data.getvalue()).pixels, np.asarray(image), 2)
