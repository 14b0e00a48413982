"""Pixels as decoders give them to the upright, opaque 8-bit pixels that we keep."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from holotype.images.formats.plain import Plain
from holotype.images.rejected import Rejected

Pixels = npt.NDArray[np.uint8]


def turned(pixels: Pixels, orientation: int) -> Pixels:
    """`pixels` turned upright from an EXIF orientation, 1 to 8."""
    if orientation == 1:
        return pixels
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def turned_back(pixels: Pixels, orientation: int) -> Pixels:
    """Upright pixels as they lie in a file of an EXIF orientation: what `turned` makes upright."""
    return turned(pixels, {6: 8, 8: 6}.get(orientation, orientation))


def flatten(image: Image.Image, plain: Plain) -> Pixels:
    """Grey or RGB from any mode of Pillow's: scaled by the depth that is declared, transparency on white, and white too
    where an animation's first frame leaves its canvas bare.

    Raises `Rejected`.
    """
    flat = _flat(_widened(image, plain.depth) if plain.shifted else image, plain)
    return flat if plain.covered is None else _on_canvas(flat, plain.covered)


def _widened(image: Image.Image, depth: int) -> Image.Image:
    """Samples that are the upper `depth` bits of 8, scaled so that the largest is 255. Raises `Rejected`."""
    if image.mode not in ("L", "LA", "RGB", "RGBA"):
        raise Rejected("unsupported", f"{image.mode} of {depth} bits a sample")
    most = 2**depth - 1
    return image.point([((value >> (8 - depth)) * 255 + most // 2) // most for value in range(256)] * len(image.mode))


def _flat(image: Image.Image, plain: Plain) -> Pixels:
    if image.mode == "F" or (image.mode == "I" and plain.depth <= 8):
        raise Rejected("unsupported", f"pixels of {'no' if image.mode == 'F' else 'unknown'} defined white")
    if plain.transparent and plain.depth == 16 and len(plain.transparent) == 3:
        return _colour_keyed(plain)
    if image.mode == "La":  # grey multiplied by its opacity, which Pillow turns into nothing else
        image = image.convert("LA")
    if image.mode.startswith("I"):
        return _narrowed(np.asarray(image), plain)
    if image.mode in ("1", "L") and "transparency" not in image.info:
        pixels = np.asarray(image if image.mode == "L" else image.convert("L"))
    else:
        if image.has_transparency_data:
            layer = image.convert("RGBA")
            image = Image.new("RGB", layer.size, "white")
            image.paste(layer, mask=layer)
        pixels = np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
    return _without(pixels, plain.transparent) if plain.transparent else pixels


def _on_canvas(pixels: Pixels, covered: tuple[int, int, int, int]) -> Pixels:
    left, top, right, bottom = covered
    canvas = np.full_like(pixels, 255)
    canvas[top:bottom, left:right] = pixels[top:bottom, left:right]
    return canvas


def _narrowed(values: npt.NDArray[np.integer], plain: Plain) -> Pixels:
    """Grey of 9 to 16 bits, where Pillow gives them in 16, to 8: the upper ones, as Pillow does with colours."""
    wide = values.astype(np.uint16)
    grey = (65535 - wide if plain.inverted else wide) >> 8
    if plain.transparent:
        grey[wide == plain.transparent[0]] = 255
    return grey.astype(np.uint8)


def _without(pixels: Pixels, key: tuple[int, ...]) -> Pixels:
    """White where pixels have the one colour that is transparent, told in samples as large as these."""
    clear = pixels == key[0] if pixels.ndim == 2 else (pixels == np.array(key)).all(axis=2)
    found = pixels.copy()
    found[clear] = 255
    return found


def _colour_keyed(plain: Plain) -> Pixels:
    """RGB of 16 bits with one transparent colour: Pillow gives 8 bits, which do not tell it from its neighbours."""
    wide = cv2.imdecode(np.frombuffer(plain.data, np.uint8), cv2.IMREAD_UNCHANGED)
    if wide is None or wide.dtype != np.uint16 or wide.ndim != 3:
        raise Rejected("damaged", "pixels that cannot be decoded")
    colours = np.asarray(wide[:, :, ::-1], np.uint16)
    clear = (colours == np.array(plain.transparent)).all(axis=2)
    return np.where(clear[:, :, None], 255, colours >> 8).astype(np.uint8)
