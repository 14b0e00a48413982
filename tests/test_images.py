from __future__ import annotations

import hashlib
import io
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from conftest import encoded, photo
from holotype.images import Fingerprint, Rejected, Rejection, decode, fingerprint_batch, fit, near_duplicate_groups
from holotype.images.near import MAX_DISTANCE


def close(a: np.ndarray, b: np.ndarray, within: float = 3) -> bool:
    return a.shape == b.shape and float(np.abs(a.astype(int) - b.astype(int)).mean()) < within


def test_jpeg_is_decoded_as_pillow_does() -> None:
    data = encoded(photo(1), quality=90)
    assert (decode(data).pixels == np.asarray(Image.open(io.BytesIO(data)))).all()
    assert (decode(data).format, decode(data).mode) == ("JPEG", "RGB")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_images_are_turned_upright(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(photo(2), kind, exif=exif.tobytes())
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    assert close(decode(data).pixels, np.asarray(upright))


def test_cmyk_becomes_rgb() -> None:
    data = encoded(photo(3).convert("CMYK"), quality=95)
    image = decode(data)
    assert image.mode == "CMYK"
    assert close(image.pixels, np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF"])
def test_grey_stays_grey(kind: str) -> None:
    grey = photo(4).convert("L")
    image = decode(encoded(grey, kind))
    assert image.mode == "L"
    assert close(image.pixels, np.asarray(grey))


def test_sixteen_bits_are_scaled_to_eight() -> None:
    wide = (np.arange(60 * 80).reshape(60, 80) * 13 % 65536).astype(np.uint16)
    image = decode(encoded(Image.fromarray(wide), "PNG"))
    assert image.mode.startswith("I")
    assert (image.pixels == wide >> 8).all()


def test_palettes_are_resolved() -> None:
    image = decode(encoded(photo(5).quantize(32), "PNG"))
    assert image.mode == "P"
    assert close(image.pixels, np.asarray(photo(5).quantize(32).convert("RGB")))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_lies_on_white(mode: str) -> None:
    layer = photo(6).convert("RGBA")
    layer.putalpha(Image.new("L", layer.size, 0))
    if mode == "P":
        data = encoded(photo(6).convert("P"), "GIF", transparency=0)
        image = Image.open(io.BytesIO(data)).convert("RGBA")
        expected = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
        assert close(decode(data).pixels, np.asarray(expected))
    else:
        assert (decode(encoded(layer.convert(mode), "PNG")).pixels == 255).all()


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_animated_images_give_their_first_frame(kind: str) -> None:
    frames = [Image.new("RGB", (40, 30), color) for color in ("red", "lime", "blue")]
    options = {"lossless": True} if kind == "WEBP" else {}
    pixels = decode(encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)).pixels
    assert close(pixels, np.asarray(frames[0]))


def png_of_size(width: int, height: int) -> bytes:
    data = bytearray(encoded(Image.new("1", (1, 1)), "PNG"))
    data[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    import zlib

    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
    return bytes(data)


SOUND = encoded(photo(7, 400, 300), quality=95)
PNG = encoded(photo(7, 400, 300), "PNG")
ZEROED = SOUND[: len(SOUND) // 2] + bytes(4096) + SOUND[len(SOUND) // 2 + 4096 :]

REJECTED = {
    "empty": (b"", "empty"),
    "text": (b"this is text, not a picture", "unknown_format"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unknown_format"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n", "unknown_format"),
    "truncated jpeg": (SOUND[: len(SOUND) // 2], "truncated"),
    "jpeg without its last bytes": (SOUND[:-2], "truncated"),
    "zeroed block": (ZEROED, "damaged"),
    "bytes cut out": (SOUND[:2000] + SOUND[6096:], "damaged"),
    "only a jpeg header": (SOUND[:40], "truncated"),
    "truncated png": (PNG[: len(PNG) // 2], "truncated"),
    "damaged png": (PNG[:3000] + bytes(500) + PNG[3500:], "damaged"),
    "decompression bomb": (png_of_size(30_000, 30_000), "too_large"),
    "just over the limit": (png_of_size(8001, 10_000), "too_large"),
    "floating point": (encoded(Image.new("F", (4, 4)), "TIFF"), "unsupported"),
}


@pytest.mark.parametrize("name", REJECTED)
def test_what_is_not_a_sound_image_is_rejected_with_its_reason(name: str) -> None:
    data, reason = REJECTED[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (row,) = fingerprint_batch([data])
    assert isinstance(row, Rejection)
    assert (row.reason, row.sha256) == (reason, hashlib.sha256(data).hexdigest())
    assert row.detail


def test_a_zeroed_block_is_found_where_strict_decoding_misses_it(shared: Path) -> None:
    files = sorted((shared / "imagenet-val-sample").iterdir())
    checked = 0
    for number, path in enumerate(files):
        data = path.read_bytes()
        assert isinstance(fingerprint_batch([data])[0], Fingerprint)
        middle = len(data) // 2 + number
        if data.rfind(b"\xff\xda") + 100 < middle < len(data) - 5000:
            checked += 1
            with pytest.raises(Rejected):
                decode(data[:middle] + bytes(4096) + data[middle + 4096 :])
    assert checked > 400


@given(
    st.binary(max_size=200), st.sampled_from([b"", SOUND[:300], PNG[:300], b"GIF89a", b"RIFF\0\0\0\0WEBP", b"II*\0"])
)
@settings(max_examples=300)
def test_no_bytes_break_the_decoder(tail: bytes, head: bytes) -> None:
    (row,) = fingerprint_batch([head + tail])
    assert isinstance(row, Rejection | Fingerprint)


def test_a_sampling_simplejpeg_has_no_name_for_is_decoded_all_the_same() -> None:
    data = bytearray(encoded(photo(3, 32, 32), quality=90, subsampling="4:2:0"))
    frame = data.index(b"\xff\xc0")
    assert data[frame + 11] == 0x22
    data[frame + 11] = 0x14  # 4:4:1
    (row,) = fingerprint_batch([bytes(data)])
    assert isinstance(row, Fingerprint)
    assert (row.width, row.height) == (32, 32)


def test_zeros_after_the_end_of_a_jpeg_are_no_damage() -> None:
    grey = encoded(photo(3).convert("L"), quality=90)
    for data in (SOUND, grey):
        assert isinstance(fingerprint_batch([data + bytes(2048)])[0], Fingerprint)


AVIF = encoded(photo(7, 64, 48), "AVIF")


@given(st.integers(0, len(AVIF) - 1), st.integers(0, 255))
@settings(max_examples=200)
def test_no_changed_byte_breaks_the_avif_decoder(position: int, value: int) -> None:
    (row,) = fingerprint_batch([AVIF[:position] + bytes([value]) + AVIF[position + 1 :]])
    assert isinstance(row, Rejection | Fingerprint)


@given(st.integers(0, len(PNG) - 1), st.integers(0, 255))
@settings(max_examples=100)
def test_no_changed_byte_breaks_the_decoder(position: int, value: int) -> None:
    (row,) = fingerprint_batch([PNG[:position] + bytes([value]) + PNG[position + 1 :]])
    assert isinstance(row, Rejection | Fingerprint)


def fingerprint(data: bytes) -> Fingerprint:
    (row,) = fingerprint_batch([data])
    assert isinstance(row, Fingerprint)
    return row


def distance(a: bytes, b: bytes) -> int:
    return sum((x ^ y).bit_count() for x, y in zip(a, b, strict=True))


def test_a_fingerprint_holds_what_it_says() -> None:
    data = encoded(photo(8, 1000, 700))
    row = fingerprint(data)
    assert (row.sha256, row.width, row.height) == (hashlib.sha256(data).hexdigest(), 1000, 700)
    assert (len(row.hash), len(row.mirrored)) == (32, 32)
    small = Image.open(io.BytesIO(row.thumbnail))
    assert small.size == (256, 179)
    assert close(np.asarray(small), np.asarray(photo(8, 1000, 700).resize(small.size)), 6)


def test_the_mirrored_hash_is_the_hash_of_the_mirror_image() -> None:
    for seed in range(20):
        there, back = (fingerprint(encoded(image, "PNG")) for image in (photo(seed), ImageOps.mirror(photo(seed))))
        assert distance(there.mirrored, back.hash) <= 4
        assert distance(there.hash, back.hash) > 64


def test_a_hash_survives_what_happens_to_pictures() -> None:
    original = fingerprint(encoded(photo(9, 640, 480)))
    for changed in (
        encoded(photo(9, 640, 480), quality=30),
        encoded(photo(9, 640, 480).resize((320, 240))),
        encoded(photo(9, 640, 480).point(lambda value: min(255, value + 20)), "PNG"),
    ):
        assert distance(original.hash, fingerprint(changed).hash) <= MAX_DISTANCE
    others = [fingerprint(encoded(photo(seed, 640, 480))) for seed in range(100, 130)]
    assert min(distance(original.hash, other.hash) for other in others) > 64


def test_blank_and_striped_images_hash_to_nothing() -> None:
    blanks = [Image.new("RGB", (90, 70), color) for color in ("red", "white", "black")]
    stripes = np.zeros((600, 900, 3), np.uint8)
    stripes[:, :300], stripes[:, 300:600], stripes[:, 600:] = (0, 85, 164), (255, 255, 255), (239, 65, 53)
    blanks.append(Image.fromarray(stripes))
    hashes = {fingerprint(encoded(blank, "PNG")).hash for blank in blanks}
    assert hashes == {bytes(32)}


@pytest.mark.parametrize("shape", [(10, 10, 3), (3000, 40, 3), (1, 5000), (257, 256, 3), (240, 250, 3)])
def test_fitting_keeps_the_shape(shape: tuple[int, ...]) -> None:
    height, width = fit(np.zeros(shape, np.uint8), 256).shape[:2]
    assert max(height, width) == 256
    assert min(height, width) == max(1, round(256 * min(shape[:2]) / max(shape[:2])))


@pytest.mark.parametrize(
    "size", [(3000, 2000), (1024, 700), (500, 375), (480, 100), (479, 300), (300, 300), (256, 9), (40, 30)]
)
@pytest.mark.parametrize("orientation", [1, 6])
def test_thumbnails_have_256_pixels_however_they_were_decoded(size: tuple[int, int], orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    width, height = size if orientation == 1 else size[::-1]
    for data in (encoded(photo(8, *size), exif=exif.tobytes()), encoded(photo(8, *size), "PNG", exif=exif.tobytes())):
        row = fingerprint(data)
        assert (row.width, row.height) == (width, height)
        small = Image.open(io.BytesIO(row.thumbnail))
        assert max(small.size) == min(256, max(size))
        upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB").resize(small.size)
        assert close(np.asarray(small), np.asarray(upright), 8 if min(size) >= 100 else 30)  # chroma is halved


def test_a_jpeg_decoded_smaller_is_checked_as_strictly(shared: Path) -> None:
    for path in sorted((shared / "imagenet-val-sample").iterdir())[:60]:
        data = path.read_bytes()
        assert decode(data, side=32).width == decode(data).width
        for wrong in (data[:-2], data[: len(data) // 2] + data[len(data) // 2 + 4096 :]):
            with pytest.raises(Rejected):
                decode(wrong, side=32)


def random_hashes(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 32), np.uint8)


def flip(hashes: np.ndarray, bits: int, generator: np.random.Generator) -> np.ndarray:
    changed = np.unpackbits(hashes)
    changed[generator.permutation(256)[:bits]] ^= 1
    return np.packbits(changed)


@given(st.integers(0, 15), st.integers(0, 2**32 - 1))
@settings(max_examples=50)
def test_every_pair_within_fifteen_bits_is_found(bits: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    hashes = random_hashes(40, seed)
    hashes[30] = flip(hashes[3], bits, generator)
    groups = near_duplicate_groups(hashes, random_hashes(40, seed + 1))
    assert groups[30] == groups[3] == 3
    assert len(np.unique(groups)) == 39


def test_groups_are_the_connected_components_of_close_pairs() -> None:
    generator = np.random.default_rng(5)
    hashes, mirrored = random_hashes(300, 1), random_hashes(300, 2)
    for chain in range(40):
        for link in range(1, 4):
            hashes[chain + 50 * link] = flip(hashes[chain + 50 * (link - 1)], 12, generator)
    hashes[299] = flip(mirrored[7], 10, generator)
    hashes[298] = hashes[299]
    groups = near_duplicate_groups(hashes, mirrored)
    bits, twins = np.unpackbits(hashes, axis=1).astype(int), np.unpackbits(mirrored, axis=1).astype(int)
    near = np.minimum((bits[:, None] != bits[None]).sum(2), (bits[:, None] != twins[None]).sum(2)) <= MAX_DISTANCE
    near |= near.T
    expected = np.arange(300)
    for _ in range(300):
        expected = np.array([expected[near[i]].min() for i in range(300)])
    assert (groups == expected).all()


def test_images_with_nothing_to_compare_stay_alone() -> None:
    hashes = random_hashes(5, 0)
    hashes[[1, 3]] = 0
    hashes[4] = hashes[0]
    assert near_duplicate_groups(hashes, hashes).tolist() == [0, 1, 2, 3, 0]


def test_nothing_and_one_have_no_duplicates() -> None:
    assert near_duplicate_groups(random_hashes(0, 0), random_hashes(0, 0)).tolist() == []
    assert near_duplicate_groups(random_hashes(1, 0), random_hashes(1, 0)).tolist() == [0]


def test_many_equal_hashes_are_one_group() -> None:
    hashes = np.repeat(random_hashes(1, 0), 5000, axis=0)
    assert (near_duplicate_groups(hashes, hashes) == 0).all()


def test_a_long_chain_of_near_duplicates_is_one_group_whatever_its_order() -> None:
    rng = np.random.default_rng(5)
    steps = np.argsort(rng.random((2000, 256)), axis=1) < 10  # each differs from the next in ten bits
    chain = np.packbits(np.bitwise_xor.accumulate(steps, axis=0), axis=1)
    shuffled = chain[rng.permutation(2000)]
    assert (near_duplicate_groups(shuffled, shuffled) == 0).all()


def test_real_photographs_are_all_distinct(shared: Path) -> None:
    paths = sorted((shared / "imagenet-val-sample").iterdir())[:200]
    rows = [fingerprint(path.read_bytes()) for path in paths]
    straight, mirrored = (
        np.frombuffer(b"".join(getattr(row, name) for row in rows), np.uint8).reshape(-1, 32)
        for name in ("hash", "mirrored")
    )
    assert near_duplicate_groups(straight, mirrored).tolist() == list(range(200))
