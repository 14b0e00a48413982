"""Embeddings on real images: near-duplicates beyond hashes, what to ask next, what a machine votes. Settings are chosen
on training images, and reported on validation images."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from holotype.images.fingerprint import Fingerprint, fingerprint_batch
from holotype.images.near import near_duplicate_groups
from holotype.ontology import load_wordnet
from holotype.recognition.heads import Head, chances, shown_by
from holotype.recognition.neighbours import close_pairs, close_pairs_in_cells, nearest, unit
from holotype.recognition.networks.embedding import NetworkEmbedder
from holotype.recognition.networks.models import create_model
from holotype.recognition.ordering import doubt, fitted_chances, held_out_chances, in_turn
from holotype.releases.loaders import Samples
from holotype.store.location import TREE, Location
from holotype.store.places import Places
from holotype.store.store import Store
from real_images import coarsely, images

BASES: Final = 60
"""Images that variants are made of."""
OTHERS: Final = 250
VARIANTS: Final = ("crop", "colour", "grey", "turned", "framed")
Rows = npt.NDArray[np.float32]


def variant(picture: Image.Image, kind: str, rng: np.random.Generator) -> Image.Image:
    """What somebody does to a picture before they put it on the web again."""
    width, height = picture.size
    if kind == "crop":  # 70 % of each side, anywhere
        left, top = (int(rng.integers(0, int(0.3 * side) + 1)) for side in (width, height))
        return picture.crop((left, top, left + int(0.7 * width), top + int(0.7 * height)))
    if kind == "colour":
        hue, saturation, value = ImageEnhance.Contrast(picture).enhance(1.4).convert("HSV").split()
        shift = int(rng.integers(20, 60))
        turned = hue.point([(level + shift) % 256 for level in range(256)])
        return Image.merge("HSV", (turned, saturation, value)).convert("RGB")
    if kind == "grey":
        return ImageOps.autocontrast(picture.convert("L"), cutoff=5).convert("RGB")
    if kind == "turned":
        return picture.rotate(float(rng.choice([-12, 12])), Image.Resampling.BICUBIC, fillcolor=(255, 255, 255))
    framed = ImageOps.expand(picture, border=width // 8, fill=(20, 20, 20))
    ImageDraw.Draw(framed).rectangle((0, height // 8, width * 5 // 4, height // 4), fill=(240, 240, 0))
    return framed


def planted(part: str, folder: Path) -> tuple[Samples, npt.NDArray[np.int64]]:
    """Real images with variants of the first of them, as samples, and which picture each is of."""
    samples, rng = images(part), np.random.default_rng(2012)
    of = [*range(OTHERS)]
    for number in range(OTHERS):
        (folder / f"{number:03}-0.jpg").write_bytes(samples.read(number))
    for number in range(BASES):
        picture = Image.open(io.BytesIO(samples.read(number))).convert("RGB")
        for place, kind in enumerate(VARIANTS, 1):
            variant(picture, kind, rng).save(folder / f"{number:03}-{place}.jpg", quality=85)
            of.append(number)
    names = [f"{number:03}-0.jpg" for number in range(OTHERS)]
    names += [f"{number:03}-{place}.jpg" for number in range(BASES) for place in range(1, 1 + len(VARIANTS))]
    return in_folder(folder, names), np.array(of)


def in_folder(folder: Path, names: list[str]) -> Samples:
    """The files of a folder as samples."""
    zeros = np.zeros(len(names), np.int64)
    lengths = np.array([(folder / name).stat().st_size for name in names], np.int64)
    path = pa.array(names, pa.string())
    places = Places((Location(str(folder), 0, 0, TREE),), zeros.astype(np.int32), zeros, lengths, path)
    return Samples(places, Store(folder), zeros.astype(np.int32), path, ("",))


def network() -> NetworkEmbedder:
    """The network that embeds."""
    made = create_model("efficientnet_lite0", weights="pretrained")
    return NetworkEmbedder.of(made, "efficientnet_lite0", "pretrained", "cpu")


@cache
def embedded(part: str) -> tuple[Rows, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Embeddings of `planted` images, which picture each is of, and the groups that hashes find."""
    with TemporaryDirectory() as made:
        samples, of = planted(part, Path(made))
        rows = network().embed(samples).rows
        read = fingerprint_batch([samples.read(number) for number in range(len(samples))])
        prints = [one for one in read if isinstance(one, Fingerprint)]
    hashes, mirrored = (
        np.stack([np.frombuffer(getattr(one, name), np.uint8) for one in prints]) for name in ("hash", "mirrored")
    )
    return rows, of, near_duplicate_groups(hashes, mirrored)


def found_pairs(part: str, least: float) -> tuple[int, int, int]:
    """Pairs found, those of them that are right, and all that are right, by a least cosine; by hashes where it is 0."""
    rows, of, groups = embedded(part)
    right = of[:, None] == of
    mine = groups[:, None] == groups if not least else unit(rows) @ unit(rows).T >= least
    above = np.triu(np.ones_like(right), 1)
    return int((mine & above).sum()), int((mine & right & above).sum()), int((right & above).sum())


def near_duplicate_rows() -> Iterator[tuple[str, str]]:
    """Precision and recall of pairs that are of one picture."""

    def figure(found: int, right: int, all_right: int) -> str:
        return f"precision {right / max(found, 1):.3f}, recall {right / all_right:.3f}"

    def balance(found: int, right: int, all_right: int) -> float:
        return 2 * right / (found + all_right)

    least = max(np.arange(0.4, 0.96, 0.02).round(2).tolist(), key=lambda one: balance(*found_pairs("train", one)))
    yield "near-duplicates of 60 pictures in 550 images, hashes", figure(*found_pairs("val", 0))
    yield f"  embeddings, cosine {least:g} or more (chosen on training images)", figure(*found_pairs("val", least))
    for fixed in (0.6, 0.7, 0.8, 0.9):
        yield f"  embeddings, cosine {fixed:g} or more", figure(*found_pairs("val", fixed))
    rows, _, groups = embedded("val")
    for place, kind in enumerate(VARIANTS):
        changed = np.arange(BASES) * len(VARIANTS) + OTHERS + place
        near = (unit(rows[:BASES]) * unit(rows[changed])).sum(axis=1) >= least
        told = f"hashes {(groups[:BASES] == groups[changed]).mean():.2f}, embeddings {near.mean():.2f}"
        yield f"  of pictures and their variant '{kind}' found by", told


@cache
def coarse(part: str) -> tuple[Rows, npt.NDArray[np.int32], tuple[str, ...]]:
    """Embeddings of all real images of fifteen coarse classes, with their labels."""
    samples = coarsely(images(part), load_wordnet())
    return network().embed(samples).rows, samples.labels, samples.classes


def candidates(number: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Places of the images of a coarse class among twice as many others, in no order."""
    _, labels, _ = coarse("val")
    good, others = np.flatnonzero(labels == number), np.flatnonzero(labels != number)
    return rng.permutation(np.concatenate([good, rng.permutation(others)[: 2 * len(good)]]))


def asked(by: str, seed: int, first: int = 10, at_once: int = 20, most: int = 50) -> tuple[float, float]:
    """Of the candidates of each coarse class, a third of which are good, `most` are asked about: how many of the rest
    a model of the answers is then right about, and the share of the good ones that were asked about."""
    rows, labels, classes = coarse("val")
    rng, rights, shares = np.random.default_rng(seed), [], []
    for number in range(len(classes)):
        if (labels == number).sum() < 25:
            continue
        pool = candidates(number, rng)
        yes, made = labels[pool] == number, rows[pool]
        done = np.arange(first)
        while len(done) < most:
            left = np.setdiff1d(np.arange(len(pool)), done)
            done = np.concatenate([done, left[_turn(by, made, yes, done, left)[:at_once]]])
        left = np.setdiff1d(np.arange(len(pool)), done)
        rights.append(float(((fitted_chances(made[done], yes[done], made[left]) >= 0.5) == yes[left]).mean()))
        shares.append(float(yes[done].sum() / yes.sum()))
    return float(np.mean(rights)), float(np.mean(shares))


def _turn(by: str, made: Rows, yes: Any, done: Any, left: Any) -> Any:
    if by == "random":
        return np.arange(len(left))
    chance = fitted_chances(made[done], yes[done], made[left])
    if by == "likely":
        return np.argsort(-chance, kind="stable")
    return in_turn(made[left], doubt(chance), made[done], len(left))


def order_rows() -> Iterator[tuple[str, str]]:
    """What an order of questions is worth."""
    for by in ("random", "uncertain", "likely"):
        told = np.mean([asked(by, seed) for seed in range(5)], axis=0)
        yield (
            f"50 candidates asked in pages of 20, {by}: right about the rest, good ones asked",
            "{:.3f}, {:.3f}".format(*told),
        )


def learned(number: int) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """What is said of good and of bad candidates of a coarse class by a model that has not seen their own labels."""
    rows, labels, _ = coarse("val")
    pool = candidates(number, np.random.default_rng(0))
    yes = labels[pool] == number
    said = held_out_chances(rows[pool], yes) >= 0.5
    return said[yes], said[~yes]


def vote_rows() -> Iterator[tuple[str, str]]:
    """How often a machine is right about an image and its coarse class, or another one."""
    rows, labels, classes = coarse("val")
    rng, ontology = np.random.default_rng(0), load_wordnet()
    others = (labels + rng.integers(1, len(classes), len(labels))) % len(classes)
    made: Head = network().head()
    shown = shown_by(made.classes, ontology, classes)
    good = chances(made, rows, labels.astype(np.int64), shown) >= 0.5
    bad = chances(made, rows, others.astype(np.int64), shown) >= 0.5
    yield "a classifier's votes on coarse classes: yes on good, yes on bad", f"{good.mean():.3f}, {bad.mean():.3f}"
    told = [learned(number) for number in range(len(classes)) if (labels == number).sum() >= 25]
    yes, no = (float(np.mean(np.concatenate(column))) for column in zip(*told, strict=True))
    yield "learned from labels of candidates, a third good, held out: yes on good, yes on bad", f"{yes:.3f}, {no:.3f}"
    short = rows.astype(np.float16)
    near = zip(nearest(short, short, 11).place.tolist(), nearest(rows, rows, 11).place.tolist(), strict=True)
    same = [len({*one} & {*other}) for one, other in near]
    yield "of the 10 nearest images float16 finds", f"{(np.mean(same) - 1) / 10:.4f}"


def scale_rows() -> Iterator[tuple[str, str]]:
    """Pairs among many embeddings: mixtures of real ones, of which 1,000 have a near copy."""
    rows, _, _ = coarse("val")
    rng = np.random.default_rng(0)
    made = np.stack([rows[rng.integers(0, len(rows), 20_000)] for _ in range(3)])
    many = np.einsum("k,knw->nw", [0.5, 0.3, 0.2], made).astype(np.float32)
    noise = rng.standard_normal((1_000, many.shape[1])).astype(np.float32)
    copies = unit(many[:1_000]) + 0.4 * unit(noise)
    many = np.concatenate([unit(many), unit(copies)])
    began = process_time()
    exact = close_pairs(many, 0.9)
    middle = process_time()
    near = close_pairs_in_cells(many, 0.9)
    ended = process_time()
    pairs = {*zip(exact.left.tolist(), exact.right.tolist(), strict=True)}
    held = pairs & {*zip(near.left.tolist(), near.right.tolist(), strict=True)}
    yield f"pairs among {len(many):,} embeddings, all compared", f"{len(pairs):,} in {middle - began:.0f} CPU s"
    yield "  in cells of k-means", f"{len(held) / len(pairs):.4f} of them in {ended - middle:.0f} CPU s"


def rows() -> Iterator[tuple[str, str]]:
    """All that is measured of embeddings."""
    for part in (near_duplicate_rows, order_rows, vote_rows, scale_rows):
        yield from part()


if __name__ == "__main__":
    for what, figure in rows():
        print(f"{what:<90} {figure}", flush=True)
