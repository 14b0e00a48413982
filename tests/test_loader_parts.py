"""The parts that loaders are made of: draws, orders, crops, parts of pictures, and changes of their pixels."""

from __future__ import annotations

import io
import math
from functools import partial
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance, ImageOps

from conftest import encoded, photo
from holotype.images.decode import decode
from holotype.images.part import decode_part
from holotype.images.rejected import Rejected
from holotype.releases.loaders import CentreCrop, Jitter, Mix, Order, RandAugment, RandomCrop
from holotype.releases.loaders.colours import brightness, contrast, hue, saturation, sharpness
from holotype.releases.loaders.crops import DRAWS, Box, centre_box, random_box
from holotype.releases.loaders.draws import hashes, key_of, uniforms
from holotype.releases.loaders.order import PADDING, Last, share
from holotype.releases.loaders.randaugment import NAMES, change
from holotype.releases.loaders.resample import resample

Pixels = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
SIZES = st.integers(0, 300)


def always(box: Box, _width: int, _height: int) -> Box:
    return box


def textured(width: int, height: int, seed: int = 0) -> Image.Image:
    """A picture with detail of all sizes, as photographs have: noise whose strength falls with its fineness."""
    draw = np.random.default_rng(seed)
    found = np.full((height, width, 3), 128, np.float32)
    for fine in (2, 4, 8, 16, 32, 64, 128):
        noise = draw.normal(0, 40 / fine**0.5, (max(2, height * fine // 256), max(2, width * fine // 256), 3))
        found += cv2.resize(noise.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return Image.fromarray(found.clip(0, 255).astype(np.uint8))


def reference(image: Image.Image, size: int, resize: int) -> Pixels:
    """Resize and centre crop as torchvision does them on Pillow images."""
    width, height = image.size
    short = min(width, height)
    wide, high = int(resize * width / short), int(resize * height / short)
    left, top = round((wide - size) / 2), round((high - size) / 2)
    resized = image.convert("RGB").resize((wide, high), Image.Resampling.BILINEAR)
    return np.asarray(resized.crop((left, top, left + size, top + size)))


def shown(augment: CentreCrop | RandomCrop, data: bytes, size: int, draws: list[float] | None = None) -> Pixels:
    out = np.zeros((size, size, 3), np.uint8)
    augment.show(data, draws or [0.3] * augment.draws, out)
    return out


def apart(one: Pixels, other: Pixels) -> float:
    return float(np.abs(one.astype(int) - other).mean())


# draws


def test_draws_are_those_of_splitmix64() -> None:
    """The first numbers of the published generator seeded with 0 and with 1234567."""
    assert hashes(0, [1])[0] == 0xE220A8397B1DCDAF
    step = 0x9E3779B97F4A7C15
    known = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821]
    assert [int(hashes((1234567 + step * number) % 2**64, [0])[0]) for number in range(1, 6)] == known


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=20, unique=True), st.integers(0, 2**62))
def test_a_draw_follows_from_its_key_and_number_alone(numbers: list[int], seed: int) -> None:
    together = uniforms(key_of(seed), numbers, 3)
    assert together.min() >= 0
    assert together.max() < 1
    alone = np.concatenate([uniforms(key_of(seed), [number], 3) for number in numbers])
    assert (together == alone).all()


def test_draws_are_uniform_and_know_nothing_of_each_other() -> None:
    found = uniforms(key_of(3, 1), np.arange(50_000), 4)
    bins = np.stack([np.histogram(column, 20, (0, 1))[0] for column in found.T])
    chi = ((bins - 2500) ** 2 / 2500).sum(axis=1)
    assert chi.max() < 50  # of 19 degrees of freedom: one in 10,000
    related = np.corrcoef(np.hstack([found[1:], found[:-1], uniforms(key_of(3, 2), np.arange(1, 50_000), 4)]).T)
    assert np.abs(related - np.eye(12)).max() < 5 / math.sqrt(50_000)


def test_keys_know_the_order_of_their_parts() -> None:
    assert len({key_of(1, 2), key_of(2, 1), key_of(1), key_of(1, 2, 0), key_of(0, 1, 2), key_of(-1, 2)}) == 6


# orders


@given(SIZES, st.integers(0, 9), st.integers(0, 9), st.integers(1, 9), st.integers(1, 5))
def test_an_order_has_every_image_once(count: int, seed: int, epoch: int, block: int, window: int) -> None:
    for one in (Order(), Order("none"), Order("blocks", block, window)):
        order = one.of(count, seed, epoch)
        assert sorted(order.tolist()) == list(range(count))
        assert (order == one.of(count, seed, epoch)).all()


def test_orders_differ_by_seed_and_epoch() -> None:
    orders = {tuple(Order().of(50, seed, epoch).tolist()) for seed in range(3) for epoch in range(3)}
    assert len(orders) == 9


def test_a_global_shuffle_leaves_no_trace_of_the_order() -> None:
    order = Order().of(20_000, 0, 0)
    assert abs(np.corrcoef(order, np.arange(20_000))[0, 1]) < 0.03
    assert abs(float(np.mean(np.diff(order) == 1)) - 1 / 20_000) < 0.001


def test_blocks_stay_near_and_windows_mix() -> None:
    order = Order("blocks", 10, 4).of(1000, 5, 0)
    for first in range(0, 1000, 40):
        blocks = {number // 10 for number in order[first : first + 40].tolist()}
        assert len(blocks) == 4
    assert (np.diff(order) == 1).mean() < 0.2
    assert abs(np.corrcoef(order, np.arange(1000))[0, 1]) < 0.3


@given(SIZES, st.integers(1, 7), st.integers(1, 40), st.sampled_from(["keep", "drop", "pad"]), st.booleans())
def test_ranks_are_disjoint_and_complete(count: int, world: int, batch: int, last: Last, near: bool) -> None:
    order = Order().of(count, 0, 0)
    shares = [share(order, rank, world, batch, last, near) for rank in range(world)]
    held = np.concatenate(shares)
    images = held[held != PADDING]
    assert len(np.unique(images)) == len(images)
    sizes = {len(one) for one in shares}
    if last == "drop":
        assert sizes == {count // (world * batch) * batch}
        assert set(images.tolist()) <= set(range(count))
    else:
        assert sorted(images.tolist()) == list(range(count))
    if last == "pad":
        assert len(sizes) == 1
        assert next(iter(sizes)) % batch == 0
        assert (held == PADDING).sum() < world * batch
    else:
        assert max(sizes) - min(sizes) <= 1


@given(st.integers(1, 300), st.integers(1, 12))
def test_ranks_that_take_turns_share_batches_however_many_they_are(count: int, batch: int) -> None:
    order = Order().of(count, 0, 0)
    alone = share(order, 0, 1, 6 * batch, "keep")
    for world in (2, 3, 6):
        each = 6 * batch // world
        first = [share(order, rank, world, each, "keep")[:each] for rank in range(world)]
        assert set(np.concatenate(first).tolist()) == set(alone[: 6 * batch].tolist())


# crops


@given(st.integers(1, 5000), st.integers(1, 5000), st.lists(st.floats(0, 0.999), min_size=DRAWS, max_size=DRAWS))
def test_a_random_part_lies_inside_and_has_pixels(width: int, height: int, draws: list[float]) -> None:
    left, top, right, bottom = random_box(width, height, draws, (0.08, 1), (3 / 4, 4 / 3))
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    assert all(edge == int(edge) for edge in (left, top, right, bottom))


def test_random_parts_have_the_areas_and_ratios_asked_for() -> None:
    drawn = uniforms(key_of(0), np.arange(4000), DRAWS).tolist()
    boxes = np.array([random_box(1000, 1000, draws, (0.25, 0.5), (1 / 2, 2)) for draws in drawn])
    wide, tall = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    assert 0.249 < (wide * tall / 1e6).min() < 0.252 < 0.498 < (wide * tall / 1e6).max() < 0.501
    assert abs((wide * tall / 1e6).mean() - 0.375) < 0.005
    assert abs(np.log(wide / tall).mean()) < 0.03
    assert abs((boxes[:, 0] / (1000 - wide)).mean() - 0.5) < 0.03


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(1, 300))
def test_a_centre_is_central_and_square(width: int, height: int, size: int) -> None:
    left, top, right, bottom = centre_box(width, height, size, size + 32)
    short = min(width, height)
    assert -1e-9 <= left < right <= width + 1e-9
    assert -1e-9 <= top < bottom <= height + 1e-9
    assert abs((left + right - width) / short) < 2 / size + 0.01
    assert min(right - left, bottom - top) == pytest.approx(short * size / (size + 32))


# parts of pictures


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}, {"optimize": True}])
def test_a_part_has_the_pixels_of_the_whole(subsampling: str, options: dict[str, Any]) -> None:
    data = encoded(textured(333, 251), quality=90, subsampling=subsampling, **options)
    whole = decode(data).pixels
    for bottom in (1, 15, 16, 17, 40, 100, 200, 235, 250, 251):
        part = 3.0, 0.0, 90.0, float(bottom)
        pixels, box = decode_part(data, partial(always, part), 224)
        assert box == part
        assert (pixels[:bottom] == whole[:bottom]).all()
        assert len(pixels) <= 251


def test_less_is_decoded_where_less_is_looked_at() -> None:
    data = encoded(textured(320, 640), quality=90)
    pixels, _ = decode_part(data, lambda *_: (0.0, 10.0, 320.0, 100.0), 224)
    assert 100 <= len(pixels) < 120
    pixels, box = decode_part(data, lambda *_: (0.0, 0.0, 320.0, 320.0), 32)
    assert pixels.shape[1] == 40
    assert box == (0, 0, 40, 40)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_part_is_of_the_upright_picture(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(textured(120, 80), quality=95, exif=exif)
    upright = decode(data).pixels
    asked: list[tuple[int, int]] = []

    def choose(width: int, height: int) -> tuple[float, float, float, float]:
        asked.append((width, height))
        return 0, 0, width / 2, height / 2

    pixels, _ = decode_part(data, choose, 224)
    assert asked == [(upright.shape[1], upright.shape[0])]
    rows, columns = upright.shape[0] // 2, upright.shape[1] // 2
    assert (pixels[:rows, :columns] == upright[:rows, :columns]).all()


MODES = [("L", "JPEG"), ("CMYK", "JPEG"), ("RGB", "JPEG"), ("RGBA", "PNG"), ("L", "PNG"), ("P", "PNG"), ("RGB", "WEBP")]


@pytest.mark.parametrize(("mode", "kind"), MODES)
def test_every_kind_of_picture_is_what_decode_makes_of_it(mode: str, kind: str) -> None:
    image = textured(100, 90).convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.linear_gradient("L").resize((100, 90)))
    data = encoded(image, kind, quality=95)
    whole = decode(data).pixels
    pixels, _ = decode_part(data, lambda width, height: (0, 0, width, height), 224)
    assert pixels.shape == (90, 100, 3)
    assert (pixels == (whole if whole.ndim == 3 else whole[:, :, None])).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (2, 3), (3000, 7), (7, 3000)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_pictures_of_any_shape_are_shown(size: tuple[int, int], kind: str) -> None:
    data = encoded(Image.new("RGB", size, (200, 100, 50)), kind)
    for augment in (CentreCrop(), RandomCrop(), RandomCrop(jitter=Jitter(0, 0, 0))):
        for draw in (0.0, 0.4, 0.999):
            out = shown(augment, data, 48, [draw] * augment.draws)
            assert apart(out, np.full_like(out, (200, 100, 50))) < 3


def test_damage_in_what_is_looked_at_is_noticed() -> None:
    data = encoded(textured(320, 320), quality=90)
    cut = data[: len(data) // 2]
    holed = data[: len(data) // 3] + bytes(3000) + data[len(data) // 3 + 3000 :]
    whole = (0.0, 0.0, 320.0, 320.0)
    for broken in (cut, holed, b"", b"\xff\xd8", b"not a picture", data[:300]):
        for part in (whole, (0.0, 0.0, 320.0, 200.0)):
            with pytest.raises(Rejected):
                decode_part(broken, partial(always, part), 224)


def test_damage_below_what_is_looked_at_is_not() -> None:
    """Said in the docstring: rows that nobody looks at are not decoded."""
    data = encoded(textured(320, 320), quality=90)
    whole = decode(data).pixels
    lost = data[: len(data) * 8 // 10] + data[len(data) * 9 // 10 :]
    pixels, _ = decode_part(lost, partial(always, (0.0, 0.0, 320.0, 60.0)), 224)
    assert (pixels[:60] == whole[:60]).all()
    with pytest.raises(Rejected):
        decode_part(lost, partial(always, (0.0, 0.0, 320.0, 60.0)), 224, all_rows=True)


def test_a_picture_of_too_many_pixels_is_not_decoded() -> None:
    data = bytearray(encoded(Image.new("RGB", (64, 64))))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    with pytest.raises(Rejected, match="too_large"):
        decode_part(bytes(data), lambda *_: (0, 0, 1, 1), 1)


# resampling


@pytest.mark.parametrize("size", [(500, 375), (375, 500), (300, 300), (1600, 1200), (256, 256), (900, 700), (120, 100)])
def test_a_centre_is_near_pillows(size: tuple[int, int]) -> None:
    """The pictures here are rougher than photographs, of which 500 are within 1 grey level: see test_loader_real."""
    image = textured(*size)
    data = encoded(image, quality=95, subsampling="4:4:4")
    decoded = Image.open(io.BytesIO(data))
    assert apart(shown(CentreCrop(), data, 224), reference(decoded, 224, 256)) < 2


def test_a_part_of_whole_pixels_is_pillows_too() -> None:
    image = textured(400, 400)
    out = np.zeros((224, 224, 3), np.uint8)
    for box in ((10, 20, 310, 340), (0, 0, 400, 400), (100, 100, 324, 324), (5, 5, 105, 125)):
        resample(np.asarray(image), box, 224, False, out)
        wanted = np.asarray(image.resize((224, 224), Image.Resampling.BILINEAR, box=box))
        assert apart(out, wanted) < 2
        mirrored = np.zeros_like(out)
        resample(np.asarray(image), box, 224, True, mirrored)
        assert (mirrored == out[:, ::-1]).all()


def test_nothing_shifts() -> None:
    """A symmetric picture stays symmetric, in either way of resampling."""
    half = np.asarray(textured(150, 300))
    pixels = np.ascontiguousarray(np.concatenate([half, half[:, ::-1]], axis=1))
    out = np.zeros((224, 224, 3), np.uint8)
    for box in ((20, 0, 280, 300), (20.5, 0.5, 279.5, 299.5)):
        resample(pixels, box, 224, False, out)
        assert apart(out, out[:, ::-1]) < 0.6


# changes


@pytest.mark.parametrize("factor", [0.2, 0.7, 1.0, 1.6])
def test_colours_change_as_in_pillow(factor: float) -> None:
    image = textured(90, 70)
    for ours, theirs in (
        (brightness, ImageEnhance.Brightness),
        (contrast, ImageEnhance.Contrast),
        (saturation, ImageEnhance.Color),
        (sharpness, ImageEnhance.Sharpness),
    ):
        pixels = np.array(image)
        ours(pixels, factor)
        assert apart(pixels, np.asarray(theirs(image).enhance(factor))) < 1.1, ours


def test_rand_augments_changes_are_pillows() -> None:
    image = textured(64, 64)
    for name, wanted in (
        ("autocontrast", ImageOps.autocontrast(image)),
        ("posterize", ImageOps.posterize(image, 6)),
        ("solarize", ImageOps.solarize(image, 128)),
        ("identity", image),
        ("equalize", ImageOps.equalize(image)),
    ):
        pixels = np.array(image)
        change(pixels, name, 0.5)
        assert apart(pixels, np.asarray(wanted)) <= 0.6, name


def test_a_hue_that_goes_round_comes_back() -> None:
    image = np.asarray(textured(64, 64))
    turned = image.copy()
    for _ in range(3):
        hue(turned, 1 / 3)
    assert apart(turned, image) < 8
    red = np.full((4, 4, 3), (255, 0, 0), np.uint8)
    hue(red, 1 / 3)
    assert red[0, 0].tolist() == pytest.approx([0, 255, 0], abs=6)


@pytest.mark.parametrize("name", NAMES)
def test_every_change_keeps_shape_and_goes_either_way(name: str) -> None:
    for shape in ((1, 1, 3), (2, 3, 3), (40, 30, 3)):
        for strength in (-1.0, 0.0, 1.0):
            pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
            change(pixels, name, strength)
            assert pixels.shape == shape


def test_geometry_moves_what_it_says() -> None:
    dot = np.zeros((101, 101, 3), np.uint8)
    dot[50, 30] = 255
    found = {}
    for name in ("translate_x", "translate_y", "rotate", "shear_x"):
        pixels = dot.copy()
        change(pixels, name, 0.2)
        found[name] = np.argwhere(pixels[:, :, 0]).mean(axis=0).tolist()
    assert found["translate_x"] == [50, 30 + int(150 / 331 * 0.2 * 101)]
    assert found["translate_y"] == [50 + int(150 / 331 * 0.2 * 101), 30]
    assert found["rotate"] == pytest.approx([50 + 20 * math.sin(math.radians(6)), 30], abs=1)
    assert found["shear_x"] == pytest.approx([50, 30 - 0.06 * 50], abs=1)


def test_augmentations_follow_from_their_draws() -> None:
    data = encoded(textured(200, 150))
    augment = RandomCrop(rand=RandAugment(3, 20), jitter=Jitter(0.4, 0.4, 0.4, 0.2))
    draws = uniforms(key_of(1), np.arange(6), augment.draws).tolist()
    first = [shown(augment, data, 64, one) for one in draws]
    assert all((shown(augment, data, 64, one) == other).all() for one, other in zip(draws, first, strict=True))
    assert all(apart(one, other) > 1 for one, other in pairwise(first))


@pytest.mark.parametrize(
    "make",
    [
        lambda: RandomCrop(scale=(0, 1)),
        lambda: RandomCrop(scale=(0.5, 0.4)),
        lambda: RandomCrop(ratio=(2, 1)),
        lambda: RandAugment(magnitude=31),
        lambda: RandAugment(count=-1),
        lambda: Order(block=0),
        lambda: Order("all"),  # type: ignore[arg-type]
        lambda: Mix(mixup=-1),
        lambda: Mix(chance=2),
        lambda: shown(CentreCrop(resize=40), encoded(photo(0)), 48),
    ],
)
def test_settings_that_make_no_sense_are_refused(make: object) -> None:
    with pytest.raises(ValueError, match="must|cannot"):
        make()  # type: ignore[operator]


def test_a_thread_has_its_own_memory() -> None:
    """Two threads that decode at once do not write to each other's pixels."""
    from concurrent.futures import ThreadPoolExecutor

    pictures = [encoded(textured(256, 256, seed), quality=90) for seed in range(8)]
    wanted = [shown(CentreCrop(), data, 64) for data in pictures]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: shown(CentreCrop(), pictures[number % 8], 64), range(200)))
    assert all((one == wanted[number % 8]).all() for number, one in enumerate(found))


# mixing


def test_shares_are_drawn_from_beta() -> None:
    for alpha in (0.2, 1.0, 4.0):
        shares = [one.share for batch in range(4000) if (one := Mix(alpha, 0).drawn(1, 0, batch, 8)) is not None]
        wanted = 1 / (4 * (2 * alpha + 1))
        assert abs(np.mean(shares) - 0.5) < 0.03
        assert abs(np.var(shares) - wanted) < 0.1 * wanted
    whether = [Mix(chance=0.25).drawn(1, 0, batch, 8) is None for batch in range(4000)]
    assert abs(np.mean(whether) - 0.75) < 0.03
    kinds = [one.box is None for batch in range(4000) if (one := Mix().drawn(1, 0, batch, 8)) is not None]
    assert abs(np.mean(kinds) - 0.5) < 0.03


@given(st.integers(1, 400), st.integers(0, 10_000))
def test_a_cut_lies_inside_and_leaves_its_share(size: int, batch: int) -> None:
    mixed = Mix(mixup=0, cutmix=1).drawn(2, 0, batch, size)
    assert mixed is not None
    assert mixed.box is not None
    left, top, right, bottom = mixed.box
    assert 0 <= left <= right <= size
    assert 0 <= top <= bottom <= size
    assert mixed.share == pytest.approx(1 - (right - left) * (bottom - top) / size**2)
    assert Mix(0, 0).drawn(2, 0, batch, size) is None
